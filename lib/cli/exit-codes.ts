// SPDX-License-Identifier: Apache-2.0
/** What the exit code says. docs/cli.md and --help are made from this table. */

export const EXIT_OK = 0
export const EXIT_FAILED = 1
export const EXIT_USAGE = 2
export const EXIT_IDLE = 3
export const EXIT_ILL = 4

export interface ExitMeaning {
  readonly code: string
  readonly meaning: string
}

export const EXIT_MEANINGS: readonly ExitMeaning[] = [
  {
    code: `${EXIT_OK}`,
    meaning:
      'all went well; of nc: all input was acknowledged by the peer, all that came was written out; of serve, forward and socks: stopped by a signal, with no stream cut short',
  },
  {
    code: `${EXIT_FAILED}`,
    meaning: 'it failed; of nc: no connection, or something was lost or cut short; the message says what',
  },
  { code: `${EXIT_USAGE}`, meaning: 'wrong arguments; nothing was started' },
  {
    code: `${EXIT_IDLE}`,
    meaning: 'nc: --idle-timeout ran out with nothing unacknowledged, but before the end',
  },
  {
    code: `${EXIT_ILL}`,
    meaning: 'doctor: something is wrong with a path or the peer; the report says what',
  },
  {
    code: '128 + N',
    meaning:
      'stopped by signal N: 130 for SIGINT, 143 for SIGTERM; of serve, forward and socks: with streams cut short',
  },
]
