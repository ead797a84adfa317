// SPDX-License-Identifier: Apache-2.0
/** Flags that serve, forward and socks share. */
import { Option } from 'commander'
import { parseCount, parseSeconds } from '../parse.js'
import { TOKEN_VARIABLE } from './secrets.js'

/** Times are milliseconds. */
export interface CommonFlags {
  readonly tokenFile?: string
  readonly maxStreams: number
  readonly drain: number
  readonly json?: true
  readonly verbose?: true
}

const MAX_STREAMS = 1024
const MOST_STREAMS = 65_536
const DRAIN_MS = 30_000

export const TOKEN_OPTION = (): Option =>
  new Option(
    '--token-file <file>',
    `file with a secret of at least 16 bytes that both ends know (default: the environment variable ${TOKEN_VARIABLE})`,
  )

export const REPORT_OPTIONS = (): Option[] => [
  new Option('--json', 'report in JSON, one object on each line'),
  new Option('-v, --verbose', 'report events of each path and stream'),
]

export const COMMON_OPTIONS = (): Option[] => [
  TOKEN_OPTION(),
  new Option('--max-streams <n>', 'largest number of streams at the same time')
    .argParser(parseCount(MOST_STREAMS))
    .default(MAX_STREAMS),
  new Option('--drain <seconds>', 'time to wait, after a signal, for open streams to end')
    .argParser(parseSeconds)
    .default(DRAIN_MS, `${DRAIN_MS / 1000}`),
  ...REPORT_OPTIONS(),
]

const collecting = new WeakSet<object>()

/** For options that may be given several times. */
export function collect<Value>(
  parse: (text: string) => Value,
): (text: string, before?: readonly Value[]) => Value[] {
  const add = (text: string, before: readonly Value[] = []): Value[] => [...before, parse(text)]
  collecting.add(add)
  return add
}

/** Whether it may be given several times. */
export function isRepeatable({ parseArg }: Option): boolean {
  return parseArg !== undefined && collecting.has(parseArg)
}
