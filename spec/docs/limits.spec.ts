// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { DATAGRAM_TABLE } from '../../lib/core/datagrams/datagram-options.js'
import { CONN_OPTIONS } from '../../lib/core/options.js'
import { DIALER_TABLE } from '../../lib/dial/options.js'
import { RELAY_TABLE } from '../../lib/listen/cluster-relay.js'
import { LISTENER_TABLE } from '../../lib/listen/options.js'
import { MESSAGE_TABLE } from '../../lib/messages/messages.js'
import { MUX_TABLE } from '../../lib/mux/options.js'
import { INTERFACE_PATHS_TABLE } from '../../lib/paths/interface-paths-options.js'
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

/** Constants of a file, as its source has them. */
function constants(file: string, ...names: string[]): [string, string][] {
  const source = readFileSync(`lib/${file}.ts`, 'utf8')
  return names.map((name) => {
    const found = new RegExp(`^(?:export )?const ${name} = ([\\d_ *+]+)$`, 'm').exec(source)
    return [name, shown(name.endsWith('_BYTES') ? 'Bytes' : '', valueOf(found![1]!))]
  })
}

/** A sum of products. */
function valueOf(expression: string): number {
  const product = (text: string): number =>
    text.split('*').reduce((value, factor) => value * Number(factor.replaceAll('_', '')), 1)
  return expression.split('+').reduce((sum, text) => sum + product(text), 0)
}

describe('docs/limits.md', () => {
  it.each<[string, [string, string][]]>([
    [
      'Of a listener',
      [
        ...limitsOf(LISTENER_TABLE, CONN_OPTIONS),
        ...constants('listen/address-budget', 'MAX_CHARGED_ADDRESSES', 'MAX_SHARES'),
        ...constants('listen/ended-cids', 'MAX_ENDED_CIDS', 'ENDED_MS'),
        ...constants('listen/members', 'MAX_JOINING_ADDRESSES'),
        ...constants('core/failure-detector', 'PROOF_MS'),
        ...constants('conn/join-keys', 'MAX_SHARED_KEYS'),
        ...constants('listen/proxy-header', 'V1_MAX_BYTES', 'V2_MAX_BYTES'),
      ],
    ],
    ["Of a cluster's primary", limitsOf(RELAY_TABLE)],
    [
      'Of a dialer',
      [...limitsOf(DIALER_TABLE, CONN_OPTIONS), ...constants('dial/known-paths', 'MAX_REMEMBERED')],
    ],
    ['Of a connection', limitsOf(CONN_OPTIONS)],
    ['Of a mux session', limitsOf(MUX_TABLE)],
    [
      'Of messages',
      [
        ...limitsOf(MESSAGE_TABLE),
        ...constants('messages/message-bytes', 'BUFFERED_BYTES', 'BUFFERED_MESSAGES'),
        ...constants('messages/outbox', 'FIRST_LIMIT_BYTES'),
        ...constants('conn/message-exchange', 'WAITING_BYTES', 'MAX_SPAN'),
      ],
    ],
    [
      'Of datagrams',
      [
        ...limitsOf(DATAGRAM_TABLE),
        ...constants('core/datagrams/datagram-receiver', 'UNASKED_BYTES'),
        ...constants('core/datagrams/seen-numbers', 'MOST_BYTES'),
      ],
    ],
    [
      'Of WebSockets and proxies',
      [
        ...constants('transport/websocket-server', 'REQUEST_TIMEOUT_MS'),
        ...constants('transport/request-head', 'MAX_REQUEST_BYTES'),
        ...constants('transport/websocket-budget', 'MAX_EMPTY_FRAMES'),
        ...constants(
          'transport/websocket-stream',
          'MAX_MESSAGE_BYTES',
          'CLOSE_TIMEOUT_MS',
          'REASON_TIMEOUT_MS',
        ),
        ...constants('transport/conversation', 'MAX_ANSWER_BYTES'),
      ],
    ],
    ['Of interfacePaths', [...limitsOf(INTERFACE_PATHS_TABLE), ...constants('paths/lookups', 'GAP_MS')]],
    [
      'Of the wire format',
      [
        ['MAX_PAYLOAD_BYTES', shown('Bytes', wire.MAX_PAYLOAD_BYTES)],
        ['HELLO_BYTES', shown('Bytes', wire.HELLO_BYTES)],
        ...constants('wire/limits', 'MAX_DATAGRAM_BYTES', 'MAX_EXTENSION_BYTES', 'MAX_EXTENSION_FIELDS'),
        ...constants('wire/settings', 'MAX_NAME_BYTES', 'KEY_BYTES', 'NONCE_BYTES', 'MAX_SCHEDULER_BYTES'),
        ...constants('wire/path-frame', 'MAX_LABEL_BYTES'),
        ...constants('wire/proof', 'PROOF_BYTES'),
        ...constants('wire/end-frames', 'MAX_REASON_BYTES'),
        ['GO_RECEIVE_FRAMES', shown('', wire.GO_RECEIVE_FRAMES)],
      ],
    ],
    [
      'Of nc, doctor and speed',
      [
        ...constants('cli/opened', 'MOST_SUBFLOWS', 'RECEIVE_BYTES'),
        ...constants('cli/plan-paths', 'MOST_PATHS'),
        ...constants('cli/measure/open-paths', 'HANDSHAKE_MS'),
        ...constants('cli/doctor/stranger', 'SHOWN_BYTES'),
      ],
    ],
    [
      'Of serve',
      [
        ...constants(
          'cli/streams/serve',
          ...['MAX_SESSIONS', 'MOST_SOCKETS_A_SESSION', 'HANDSHAKE_MS', 'CONNECT_MS'],
        ),
        ...constants('cli/streams/strangers', ...['MAX_STRANGERS', 'EARLY_DROP', 'MOST_OF_AN_ADDRESS']),
        ...constants(
          'cli/streams/sessions',
          'GREETING_MS',
          'ABUSE_CHARGE',
          'STRANGER_BYTES',
          'STRANGER_ACK_BYTES',
        ),
        ...constants('cli/streams/log', 'MOST_LINES'),
        ...constants('cli/streams/common-options', 'MAX_STREAMS', 'DRAIN_MS'),
        ...constants('cli/streams/take-request', 'REQUEST_MS'),
        ...constants('cli/udp/serve-flow', 'MAX_SERVED'),
        ...constants('cli/udp/flow', 'IDLE_MS'),
        ...constants('cli/udp/flow-hub', 'MAX_PACKET_BYTES', 'EXPIRES_MS'),
        ...constants('cli/streams/lookups', 'MAX_LOOKUPS'),
        ...constants('cli/measure/serve-measure', 'MAX_MEASUREMENTS', 'MAX_DOWNLOAD_S'),
        ...constants('cli/streams/stream-request', 'MAX_HOST_BYTES'),
        ...constants('cli/streams/secrets', 'MAX_FILE_BYTES'),
      ],
    ],
    [
      'Of ctl and metrics',
      [
        ...constants('cli/ctl/protocol', 'MAX_CLIENTS', 'MAX_REQUEST_BYTES', 'MAX_WAITING_BYTES'),
        ...constants('cli/live/status', 'MOST_STREAMS'),
        ...constants('cli/metrics/metrics-server', 'MOST_CONNECTIONS'),
        ...constants('cli/listen-http', 'REQUEST_MS'),
      ],
    ],
    [
      'Of the web page',
      [
        ...constants('cli/web/web-server', 'MOST_CONNECTIONS'),
        ...constants('cli/listen-http', 'REQUEST_MS'),
        ...constants('cli/web/viewers', 'MOST_VIEWERS', 'SLOW_MS'),
      ],
    ],
    [
      'Of forward and socks',
      [
        ...constants('cli/streams/dial-session', 'WAIT_MS'),
        ...constants('cli/streams/session-paths', 'MOST_PATHS'),
        ...constants('cli/streams/common-options', 'MAX_STREAMS'),
        ...constants('cli/streams/socks', 'HANDSHAKE_MS'),
        ...constants('cli/streams/http-handshake', 'MAX_HEAD_BYTES'),
        ...constants('cli/streams/http-clients', 'FIRST_HEAD_MS', 'NEXT_HEAD_MS', 'MOST_PENDING'),
        ...constants('cli/streams/known-targets', 'MAX_KNOWN'),
        ...constants('cli/streams/pass-on', 'ANSWER_MS'),
        ...constants('cli/udp/flow-table', 'MAX_FLOWS'),
        ...constants('cli/udp/flow', 'IDLE_MS', 'EARLY_BYTES', 'REFUSED_MS'),
      ],
    ],
    [
      'Of run',
      [
        ...constants('cli/streams/common-options', 'MAX_STREAMS', 'DRAIN_MS'),
        ...constants('cli/streams/dial-session', 'WAIT_MS'),
        ...constants('cli/run/name-table', 'MAX_NAMES'),
        ...constants('cli/udp/flow-table', 'MAX_FLOWS'),
        ...constants('cli/run/program-flows', 'MAX_ADDRESSES', 'MAX_CLIENTS', 'MAX_HELD'),
        ...constants('cli/run/first-packets', 'MAX_WAITING'),
        ...constants('cli/streams/drain', 'LAST_WORDS_MS'),
        ...constants('cli/run/namespace', 'MOST_SAID_BYTES'),
      ],
    ],
    [
      'Of gateway',
      [
        ...constants('cli/streams/common-options', 'MAX_STREAMS'),
        ...constants('cli/streams/dial-session', 'WAIT_MS'),
        ...constants('cli/run/name-table', 'MAX_NAMES'),
        ...constants('cli/gateway/name-relay', 'MAX_RELAYED', 'RELAY_MS'),
        ...constants('cli/udp/flow-table', 'MAX_FLOWS'),
        ...constants('cli/gateway/udp-leads', 'MAX_LED', 'MAX_UNLED', 'ALONE_MS'),
        ...constants('cli/gateway/kernel-rules', 'MOST_SAID_BYTES'),
      ],
    ],
  ])('says %s what the code does, every limit with its default', (title, limits) => {
    expect(limits.length).toBeGreaterThan(0)
    expect(rowsOf(title).toSorted()).toEqual(limits.toSorted())
  })
})
