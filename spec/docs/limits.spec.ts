import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { CONN_OPTIONS } from '../../lib/core/options.js'
import { LISTENER_TABLE } from '../../lib/listen/options.js'
import { MESSAGE_TABLE } from '../../lib/messages/messages.js'
import { MUX_TABLE } from '../../lib/mux/options.js'
import type { OptionRange } from '../../lib/options.js'
import * as wire from '../../lib/wire/limits.js'
import { shown } from '../support/docs.js'

type Ranges = Readonly<Record<string, OptionRange>>

const PAGE = readFileSync('docs/limits.md', 'utf8')
/** Options that bound something, by their names. The others say how things are done. */
const IS_LIMIT = /^max|Timeout(Ms)?$|TimeoutMs$|^(deadMs|lingerMs|missingMs|sendBufferBytes)$/

/** Name and default of each row of a section. */
function rowsOf(title: string): [name: string, value: string][] {
  const section = PAGE.split(/^## /m).find((text) => text.startsWith(`${title}\n`))
  const rows = [...(section ?? '').matchAll(/^\| `(\w+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)]
  return rows.map(([, name, value]) => [name!, value!.trim()])
}

function limitsOf(table: Ranges, without: Ranges = {}): [string, string][] {
  return Object.entries(table)
    .filter(([name]) => IS_LIMIT.test(name) && !(name in without))
    .map(([name, range]) => [name, shown(name, range.default)])
}

/** A constant of the command, as its source has it. */
function constant(file: string, name: string): [string, string] {
  const found = new RegExp(`const ${name} = ([\\d_]+)`).exec(readFileSync(file, 'utf8'))
  const bytesName = name.endsWith('_BYTES') ? 'Bytes' : ''
  return [name, shown(bytesName, Number(found![1]!.replaceAll('_', '')))]
}

describe('docs/limits.md', () => {
  it.each<[string, [string, string][]]>([
    ['Of a listener', limitsOf(LISTENER_TABLE, CONN_OPTIONS)],
    ['Of a connection', limitsOf(CONN_OPTIONS)],
    ['Of a mux session', limitsOf(MUX_TABLE)],
    ['Of messages', limitsOf(MESSAGE_TABLE)],
    [
      'Of the wire format',
      [
        ['MAX_PAYLOAD_BYTES', shown('Bytes', wire.MAX_PAYLOAD_BYTES)],
        ['HELLO_BYTES', shown('Bytes', wire.HELLO_BYTES)],
        ['GO_RECEIVE_FRAMES', shown('', wire.GO_RECEIVE_FRAMES)],
      ],
    ],
    [
      'Of the command',
      [
        constant('lib/cli/streams/serve.ts', 'MAX_SESSIONS'),
        constant('lib/cli/streams/sessions.ts', 'MAX_STRANGERS'),
        constant('lib/cli/streams/common-options.ts', 'MAX_STREAMS'),
        constant('lib/cli/streams/http-handshake.ts', 'MAX_HEAD_BYTES'),
      ],
    ],
  ])('says %s what the code does, every limit with its default', (title, limits) => {
    expect(limits.length).toBeGreaterThan(0)
    expect(rowsOf(title).toSorted()).toEqual(limits.toSorted())
  })
})
