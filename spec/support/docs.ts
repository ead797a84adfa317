// SPDX-License-Identifier: Apache-2.0
/**
 * The pages of docs/ that are made from the code. `node --import tsx spec/support/docs.ts` writes them; specs compare.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { argv } from 'node:process'
import { fileURLToPath } from 'node:url'
import type { OptionRange } from '../../lib/options.js'
import { DATAGRAM_TABLE } from '../../lib/core/datagrams/datagram-options.js'
import { CONN_OPTIONS } from '../../lib/core/options.js'
import { PATH_TABLE } from '../../lib/core/path.js'
import { DIALER_TABLE } from '../../lib/dial/options.js'
import { LISTENER_TABLE } from '../../lib/listen/options.js'
import { RELAY_TABLE } from '../../lib/listen/cluster-relay.js'
import { MESSAGE_TABLE } from '../../lib/messages/messages.js'
import { MUX_TABLE } from '../../lib/mux/options.js'
import { INTERFACE_PATHS_TABLE } from '../../lib/paths/interface-paths-options.js'
import { sequenceDrawing, stateDrawing } from './connection-charts.js'

/** Options of dialers and listeners that are not numbers, with their defaults. */
const OTHERS = {
  allowHalfOpen: '`false`',
  peer: '`any`',
  joinAuth: '`prefer`',
  secret: 'none',
  scheduler: '`lowest-rtt`',
  trace: 'none',
  clock: "the system's",
} as const

/** Where an option's meaning is written down, and who takes it. */
const SECTIONS = [
  {
    title: 'Options of a connection',
    intro:
      'Used by `MultipathDialer`, `MultipathListener`, `connect` and `createServer`. Each side sets its own options.',
    file: 'lib/core/options.ts',
    table: CONN_OPTIONS,
    others: {},
  },
  {
    title: 'Options of a dialer',
    intro: 'Used by `MultipathDialer` and `connect`, in addition to the options of a connection.',
    file: 'lib/dial/options.ts',
    table: without(DIALER_TABLE, CONN_OPTIONS),
    others: { ...OTHERS, peerScheduler: 'none', name: 'none' },
  },
  {
    title: 'Options of a listener',
    intro: 'Used by `MultipathListener` and `createServer`, in addition to the options of a connection.',
    file: ['lib/listen/options.ts', 'lib/listen/address-lists.ts'],
    table: without(LISTENER_TABLE, CONN_OPTIONS),
    others: {
      ...OTHERS,
      ...{ blockList: 'none', allowList: 'all addresses', authorizeJoin: 'none', trustedProxies: 'none' },
      cluster: '`false`',
      acceptPeerPolicy: '`true`',
    },
  },
  {
    title: 'Options of relaySubflows',
    intro: 'Used by `relaySubflows` in the primary of a cluster: [fleet](fleet.md).',
    file: 'lib/listen/cluster-relay.ts',
    table: RELAY_TABLE,
    others: {},
  },
  {
    title: 'Options of a path',
    intro:
      'Used by `tcpDialer`, the `paths` of `connect`, the `policy` of a `SubflowDialer`, and `setPathPolicy` of a connection or a dialer.',
    file: 'lib/core/path.ts',
    table: PATH_TABLE,
    others: { tier: '`primary`', parallel: '`auto`' },
  },
  {
    title: 'Options of a mux session',
    intro: 'Used by `MuxSession` of `multipath-net/mux`. Its option `role` is required.',
    file: 'lib/mux/options.ts',
    table: MUX_TABLE,
    others: { allowHalfOpen: '`false`', clock: "the system's" },
  },
  {
    title: 'Options of messages',
    intro:
      'Used by `messages` of `multipath-net/mux` and by `conn.messages()`, which also takes `ordered`: with `false`, each message is delivered [on arrival](mux.md#without-an-order).',
    file: 'lib/messages/messages.ts',
    table: MESSAGE_TABLE,
    others: {},
  },
  {
    title: 'Options of datagrams',
    intro: 'Used by `conn.datagrams()` and, but for the last one, by each `send`: [datagrams](datagrams.md).',
    file: 'lib/core/datagrams/datagram-options.ts',
    table: DATAGRAM_TABLE,
    others: {},
  },
  {
    title: 'Options of interfacePaths',
    intro: 'Used by `interfacePaths`, in addition to the filters of `localAddresses`: [paths](paths.md).',
    file: 'lib/paths/interface-paths-options.ts',
    table: INTERFACE_PATHS_TABLE,
    others: {
      ...{ host: 'none', port: 'none', targets: 'none', interfaces: 'all' },
      ...{
        pairing: '`links`',
        pathOptions: 'none',
        dial: 'over TCP',
        lookup: "the system's",
        clock: "the system's",
      },
    },
  },
  {
    title: 'Filters of local addresses',
    intro: 'Used by `localAddresses`, and by `interfacePaths` in addition to its own options.',
    file: 'lib/paths/local-addresses.ts',
    table: {},
    others: { interfaces: 'all', addresses: 'all', family: '0', includeVirtual: '`false`' },
  },
] as const

/** Of a docstring, without its indentation. */
const WIDTH = 118

function without(table: object, other: object): Record<string, OptionRange> {
  const rows = Object.entries(table as Record<string, OptionRange>)
  return Object.fromEntries(rows.filter(([name]) => !(name in other)))
}

/** What an option's docstring ends with: written from its table, so that it is also where the option is used. */
const RANGE = / Default: [\d,.∞ KMGi]+B?; [^.]*\.$/

/** The docstring in front of a field, as one line. */
function docstring(source: string, name: string): { readonly whole: string; readonly words: string } {
  const match = new RegExp(String.raw`/\*\*((?:(?!\*/)[\s\S])*)\*/\s*(?:readonly )?${name}\?:`).exec(source)
  if (match === null) throw new Error(`no docstring of ${name}`)
  const whole = match[0].slice(0, match[0].indexOf('*/') + 2)
  return { whole, words: match[1]!.replaceAll(/\s*\n\s*\*\s*/g, ' ').trim() }
}

/** `file`, with default and range in the docstring of each of its numbers. */
function withRanges(file: string): string {
  const sections = SECTIONS.filter((section) => [section.file].flat().includes(file as never))
  let source = readFileSync(file, 'utf8')
  for (const { table } of sections)
    for (const [name, range] of Object.entries<OptionRange>(table)) {
      if (!new RegExp(`\\b${name}\\?:`).test(source)) continue
      const { whole, words } = docstring(source, name)
      const plain = words.replace(RANGE, '')
      if (plain.includes('Default:')) continue
      const [usual, least, most] = [range.default, range.min, range.max].map((value) => shown(name, value))
      const span = most === '∞' ? `${least} or more` : `${least} to ${most}`
      source = source.replace(whole, () => comment(`${plain} Default: ${usual}; ${span}.`))
    }
  return source
}

/** A docstring of a member, in lines of a readable length. */
function comment(words: string): string {
  if (words.length < WIDTH) return `/** ${words} */`
  const lines = ['']
  for (const word of words.split(' ')) {
    if (lines.at(-1)!.length + word.length > WIDTH) lines.push('')
    lines.push(`${lines.pop()!} ${word}`.trimStart())
  }
  return ['/**', ...lines.map((line) => `   * ${line}`), '   */'].join('\n')
}

function meaning(source: string, name: string): string {
  return docstring(source, name).words.replace(RANGE, '')
}

const UNITS: readonly [unit: number, name: string][] = [
  [1_073_741_824, 'GiB'],
  [1_048_576, 'MiB'],
  [1024, 'KiB'],
]

/** A number as people read it: bytes in binary units, the rest with separators. */
export function shown(name: string, value: number): string {
  if (value === Infinity) return '∞'
  if (name.endsWith('Bytes'))
    for (const [unit, unitName] of UNITS)
      if (value > 0 && value % unit === 0) return `${value / unit} ${unitName}`
  return value.toLocaleString('en')
}

export function optionsPage(): string {
  const lines = [
    '# Options',
    '',
    'All numbers are integers, and their names contain the unit. An invalid value or an unknown name throws',
    '`ERR_MULTIPATH_OPTION` before anything is started. The options object is never changed. This page is generated',
    'from the code.',
  ]
  for (const { title, intro, file, table, others } of SECTIONS) {
    const source = [file]
      .flat()
      .map((each) => readFileSync(each, 'utf8'))
      .join('\n')
    lines.push('', `## ${title}`, '', intro, '', '| option | default | minimum | maximum | meaning |')
    lines.push('| --- | --- | --- | --- | --- |')
    for (const [name, range] of Object.entries<OptionRange>(table)) {
      const numbers = [range.default, range.min, range.max].map((value) => shown(name, value))
      lines.push(`| \`${name}\` | ${numbers.join(' | ')} | ${meaning(source, name)} |`)
    }
    for (const [name, value] of Object.entries(others))
      lines.push(`| \`${name}\` | ${value} | | | ${meaning(source, name)} |`)
  }
  return `${lines.join('\n')}\n`
}

/** Each file that is made from the code, and what is in it. */
export const PAGES: Readonly<Record<string, () => string>> = {
  ...Object.fromEntries(
    SECTIONS.flatMap(({ file }) => [file].flat()).map((file) => [file, () => withRanges(file)]),
  ),
  'docs/options.md': optionsPage,
  'docs/protocol/states.svg': stateDrawing,
  'docs/protocol/sequence.svg': sequenceDrawing,
}

if (argv[1] === fileURLToPath(import.meta.url))
  for (const [file, page] of Object.entries(PAGES)) writeFileSync(file, page())
