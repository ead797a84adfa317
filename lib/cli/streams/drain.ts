// SPDX-License-Identifier: Apache-2.0
/** The end in good order, after a signal: nothing new, and time for what is under way. */
import type { Server } from 'node:net'
import { CliError } from '../cli-error.js'
import type { Log } from './log.js'
import type { Tasks } from './tasks.js'

export interface DrainInit {
  /** What the signal said. */
  readonly reason: CliError
  readonly servers: readonly Server[]
  readonly tasks: Tasks
  readonly sessions: { close(): Promise<void>; destroy(): void }
  readonly timeoutMs: number
  readonly log: Log
}

/** Sessions have so long to say their last, milliseconds. */
const LAST_WORDS_MS = 2000

/** @throws {CliError} with the exit code of the signal, where streams were cut short */
export async function drain({ reason, servers, tasks, sessions, timeoutMs, log }: DrainInit): Promise<void> {
  for (const server of servers) server.close()
  if (tasks.size > 0) log.info('draining', `${reason.message}: waiting for ${streams(tasks.size)} to end`)
  // A session that fails now is over as well.
  const closed = sessions.close().catch(() => {})
  const left = await tasks.idle(timeoutMs)
  if (left === 0) {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LAST_WORDS_MS)
    })
    await Promise.race([closed, late])
    clearTimeout(timer)
  }
  sessions.destroy()
  log.close()
  if (left > 0)
    throw new CliError(`${reason.message}, with ${streams(left)} cut short`, { exitCode: reason.exitCode })
}

function streams(count: number): string {
  return `${count} stream${count === 1 ? '' : 's'}`
}
