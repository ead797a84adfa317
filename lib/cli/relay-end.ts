// SPDX-License-Identifier: Apache-2.0
/** A TCP server at our end of the connection. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { CliError } from './cli-error.js'
import type { LocalEnd } from './local-end.js'
import type { HostPort } from './parse.js'
import { formatHostPort } from './parse.js'

/** A server that has been told of the end has so long to say its last, milliseconds. */
const LAST_WORDS_MS = 2000

/** @throws {CliError} where the server cannot be reached */
export async function relayEnd(target: HostPort, signal: AbortSignal): Promise<LocalEnd> {
  const name = formatHostPort(target)
  const socket = connect({ ...target, allowHalfOpen: true, noDelay: true })
  try {
    await once(socket, 'connect', { signal })
  } catch (error) {
    socket.destroy()
    signal.throwIfAborted()
    throw new CliError(`cannot connect to the --relay server: ${reasonOf(error as Error)}`, {
      cause: error,
      hint: `check that ${name} is running`,
    })
  }
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  return {
    inputName: `the server ${name}`,
    outputName: `the server ${name}`,
    input: socket,
    output: socket,
    isMute: false,
    mayStopReading: false,
    graceMs: LAST_WORDS_MS,
    isGone: () => socket.destroyed,
    finished: () => closed,
    // A reset beside an end that is on its way fails, and Node leaks the socket.
    abort: () => {
      if (socket.writableEnded) socket.destroy()
      else socket.resetAndDestroy()
    },
  }
}

/** Dialling a name with several addresses gives an error without a message of its own. */
function reasonOf(error: Error): string {
  return error instanceof AggregateError ? error.errors.map(String).join('; ') : error.message
}
