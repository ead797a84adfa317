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

export const COMMON_OPTIONS = (): Option[] => [
  new Option(
    '--token-file <file>',
    `a secret that both ends know, at least 16 bytes; without it, ${TOKEN_VARIABLE} of the environment`,
  ),
  new Option('--max-streams <n>', 'streams at a time')
    .argParser(parseCount(MOST_STREAMS))
    .default(MAX_STREAMS),
  new Option('--drain <seconds>', 'after a signal, wait so long for open streams to end')
    .argParser(parseSeconds)
    .default(DRAIN_MS, `${DRAIN_MS / 1000}`),
  new Option('--json', 'report in JSON, an object a line'),
  new Option('-v, --verbose', 'tell what happens to each path and stream'),
]

/** For options that may be given several times. */
export function collect<Value>(
  parse: (text: string) => Value,
): (text: string, before?: readonly Value[]) => Value[] {
  return (text, before = []) => [...before, parse(text)]
}
