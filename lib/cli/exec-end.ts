// SPDX-License-Identifier: Apache-2.0
/** A program at our end of the connection. */
import type { ChildProcessByStdio } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { CliError } from './cli-error.js'
import type { LocalEnd } from './local-end.js'
import { withoutSecrets } from './streams/secrets.js'

/** A program that has been told of the end of its input has so long to say its last, milliseconds. */
const LAST_WORDS_MS = 2000

/** Runs `command` by the shell; its standard error is ours. */
export function execEnd(command: string): LocalEnd {
  // A group of its own, so that what the shell started ends with it.
  const isGrouped = process.platform !== 'win32'
  const child = start(command, isGrouped)
  let failure: CliError | undefined
  let isAborted = false
  const terminate = (): void => {
    if (child.pid === undefined || child.exitCode !== null) return
    try {
      process.kill(isGrouped ? -child.pid : child.pid, 'SIGTERM')
    } catch {
      // Ended in the meantime.
    }
  }
  // A second signal ends this process before anything is closed in order.
  process.once('exit', terminate)
  child.once('close', () => process.off('exit', terminate))
  child.on('error', (error) => {
    failure = new CliError(`cannot run "${command}": ${error.message}`, { cause: error })
  })
  const closed = once(child, 'close').then(
    ([code, signal]: (number | string | null)[]) => {
      if (code === 0 || isAborted) return
      const how = code === null ? `was terminated by ${String(signal)}` : `exited with ${String(code)}`
      failure ??= new CliError(`the program "${command}" ${how}`)
    },
    () => {}, // Never started: told above.
  )
  return {
    inputName: 'the output of the program',
    outputName: 'the program',
    input: child.stdout,
    output: child.stdin,
    isMute: false,
    mayStopReading: true,
    graceMs: LAST_WORDS_MS,
    isGone: () => child.exitCode !== null || child.signalCode !== null || failure !== undefined,
    finished: async () => {
      await closed
      if (failure !== undefined) throw failure
    },
    abort: () => {
      isAborted = true
      terminate()
    },
  }
}

function start(command: string, isGrouped: boolean): ChildProcessByStdio<Writable, Readable, null> {
  return spawn(command, {
    shell: true,
    detached: isGrouped,
    stdio: ['pipe', 'pipe', 'inherit'],
    env: withoutSecrets(process.env),
  })
}
