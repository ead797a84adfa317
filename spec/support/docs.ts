// SPDX-License-Identifier: Apache-2.0
/**
 * The pages of docs/ that are made from the code. `node --import tsx spec/support/docs.ts` writes them; specs compare.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { argv } from 'node:process'
import { fileURLToPath } from 'node:url'
import type { OptionRange } from '../../lib/options.js'
import { CONN_OPTIONS } from '../../lib/core/options.js'
import { PATH_TABLE } from '../../lib/core/path.js'
import { DIALER_TABLE } from '../../lib/dial/options.js'
import { LISTENER_TABLE } from '../../lib/listen/options.js'
import { RELAY_TABLE } from '../../lib/listen/cluster-relay.js'
import { MESSAGE_TABLE } from '../../lib/messages/messages.js'
import { MUX_TABLE } from '../../lib/mux/options.js'
import { INTERFACE_PATHS_TABLE } from '../../lib/paths/interface-paths-options.js'

/** What dialers and listeners take that is no number, with its default. */
const OTHERS = {
  allowHalfOpen: '`false`',
  peer: '`any`',
  scheduler: '`lowest-rtt`',
  trace: 'none',
  clock: "the system's",
} as const

/** Where an option's meaning is written down, and who takes it. */
const SECTIONS = [
  {
    title: 'Options of a connection',
    intro:
      'Taken by `MultipathDialer`, `MultipathListener`, `connect` and `createServer`; each side sets its own.',
    file: 'lib/core/options.ts',
    table: CONN_OPTIONS,
    others: {},
  },
  {
    title: 'Options of a dialer',
    intro: 'Taken by `MultipathDialer` and `connect`, beside those of a connection.',
    file: 'lib/dial/options.ts',
    table: without(DIALER_TABLE, CONN_OPTIONS),
    others: OTHERS,
  },
  {
    title: 'Options of a listener',
    intro: 'Taken by `MultipathListener` and `createServer`, beside those of a connection.',
    file: ['lib/listen/options.ts', 'lib/listen/address-lists.ts'],
    table: without(LISTENER_TABLE, CONN_OPTIONS),
    others: {
      ...OTHERS,
      ...{ blockList: 'nobody', allowList: 'everybody', authorizeJoin: 'none', trustedProxies: 'none' },
      cluster: '`false`',
    },
  },
  {
    title: 'Options of relaySubflows',
    intro: 'Taken by `relaySubflows` in the primary of a cluster: [fleet](fleet.md).',
    file: 'lib/listen/cluster-relay.ts',
    table: RELAY_TABLE,
    others: {},
  },
  {
    title: 'Options of a path',
    intro:
      'Taken by `tcpDialer` and the `paths` of `connect`, as `policy` by a `SubflowDialer`, and by `setPathPolicy` of a connection and a dialer.',
    file: 'lib/core/path.ts',
    table: PATH_TABLE,
    others: { tier: '`primary`' },
  },
  {
    title: 'Options of a mux session',
    intro: 'Taken by `MuxSession` of `multipath-net/mux`, beside its `role`, which has no default.',
    file: 'lib/mux/options.ts',
    table: MUX_TABLE,
    others: { allowHalfOpen: '`false`', clock: "the system's" },
  },
  {
    title: 'Options of messages',
    intro: 'Taken by `messages` of `multipath-net/mux`, and by `conn.messages()`.',
    file: 'lib/messages/messages.ts',
    table: MESSAGE_TABLE,
    others: {},
  },
  {
    title: 'Options of interfacePaths',
    intro: 'Taken by `interfacePaths`, beside the filters of `localAddresses`: [paths](paths.md).',
    file: 'lib/paths/interface-paths-options.ts',
    table: INTERFACE_PATHS_TABLE,
    others: {
      ...{ host: 'none', port: 'none', targets: 'none', interfaces: 'all' },
      ...{ pathOptions: 'none', dial: 'over TCP', lookup: "the system's", clock: "the system's" },
    },
  },
  {
    title: 'Filters of local addresses',
    intro: 'Taken by `localAddresses`, and by `interfacePaths` beside its options.',
    file: 'lib/paths/local-addresses.ts',
    table: {},
    others: { interfaces: 'all', addresses: 'all', family: '0', includeVirtual: '`false`' },
  },
] as const

function without(table: object, other: object): Record<string, OptionRange> {
  const rows = Object.entries(table as Record<string, OptionRange>)
  return Object.fromEntries(rows.filter(([name]) => !(name in other)))
}

/** The docstring in front of a field. */
function meaning(source: string, name: string): string {
  const match = new RegExp(String.raw`/\*\*((?:(?!\*/)[\s\S])*)\*/\s*(?:readonly )?${name}\?:`).exec(source)
  if (match === null) throw new Error(`no docstring of ${name}`)
  return match[1]!.replaceAll(/\s*\n\s*\*\s*/g, ' ').trim()
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
    'Every number is an integer; units stand in the names. A wrong value, or a name that is not here, is refused',
    'with `ERR_MULTIPATH_OPTION` before anything is started, and the object given is never changed. This page is',
    'made from the code.',
  ]
  for (const { title, intro, file, table, others } of SECTIONS) {
    const source = [file]
      .flat()
      .map((each) => readFileSync(each, 'utf8'))
      .join('\n')
    lines.push('', `## ${title}`, '', intro, '', '| option | default | least | most | meaning |')
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

if (argv[1] === fileURLToPath(import.meta.url)) writeFileSync('docs/options.md', optionsPage())
