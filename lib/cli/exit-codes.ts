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
      'success; nc: the peer acknowledged all input, and everything received was written; serve, forward, socks, gateway and up: stopped by a signal, and no stream was cut short',
  },
  {
    code: `${EXIT_FAILED}`,
    meaning: 'failure; the message names the cause; nc: no connection, or data was lost or cut short',
  },
  { code: `${EXIT_USAGE}`, meaning: 'invalid arguments; nothing was started' },
  {
    code: `${EXIT_IDLE}`,
    meaning: 'nc: --idle-timeout expired before the end, with all data acknowledged',
  },
  {
    code: `${EXIT_ILL}`,
    meaning: 'doctor: a path or the peer has a fault; the report names it',
  },
  {
    code: 'any',
    meaning:
      'run: the exit code of the program; 126 if it cannot be started, and 127 if there is no such program',
  },
  {
    code: '128 + N',
    meaning:
      'stopped by signal N: 129 for SIGHUP, 130 for SIGINT, 143 for SIGTERM; serve, forward, socks, gateway and up: streams were cut short; run: signal N ended the program',
  },
]
