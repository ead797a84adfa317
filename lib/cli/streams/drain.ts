// SPDX-License-Identifier: Apache-2.0
/** The end in good order, after a signal: nothing new, and time for what is under way. */
import type { Server } from 'node:net'
import { ignore } from '../../ignore.js'
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
  const closed = sessions.close()
  closed.catch(ignore)
  const left = await tasks.idle(timeoutMs)
  if (left === 0) await lastWords(closed)
  sessions.destroy()
  log.close()
  if (left > 0)
    throw new CliError(`${reason.message}, with ${streams(left)} cut short`, { exitCode: reason.exitCode })
}

/** Waits until sessions are closed, for a limited time. One that fails now is over as well. */
export async function lastWords(closed: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, LAST_WORDS_MS)
  })
  await Promise.race([closed.catch(ignore), late])
  clearTimeout(timer)
}

function streams(count: number): string {
  return `${count} stream${count === 1 ? '' : 's'}`
}
