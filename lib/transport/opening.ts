// SPDX-License-Identifier: Apache-2.0
/** Waits for what is being opened: one outcome, whatever comes first, and nothing left behind by the others. */
import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { MultipathError, toError } from '../errors.js'
import type { DialOptions } from './transport.js'
import { ignore } from '../ignore.js'

export interface Opening<Handle extends EventEmitter, Stream> {
  readonly open: () => Handle
  /** Tells that it is open. */
  readonly event: string
  /** Makes of it what the caller gets, within the event. What it throws is the outcome. */
  readonly take: (handle: Handle) => Stream
  readonly close: (handle: Handle) => void
}

/** Resolves once it is open; closes it where that fails or is aborted before. */
export function opened<Handle extends EventEmitter, Stream>(
  { open, event, take, close }: Opening<Handle, Stream>,
  { signal, onSocket }: DialOptions,
): Promise<Stream> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const handle = open()
    onSocket?.(handle)
    const settle = (): void => {
      handle.off(event, handleOnOpen)
      handle.off('error', fail)
      handle.off('close', handleOnClose)
      signal.removeEventListener('abort', signalOnAbort)
    }
    const fail = (error: Error): void => {
      settle()
      handle.on('error', ignore)
      close(handle)
      reject(error)
    }
    const handleOnOpen = (): void => {
      try {
        const stream = take(handle)
        settle()
        resolve(stream)
      } catch (error) {
        fail(toError(error))
      }
    }
    const handleOnClose = (): void => {
      fail(new MultipathError('ERR_MULTIPATH_HANDSHAKE', 'the stream closed before it was open'))
    }
    const signalOnAbort = (): void => {
      fail(signal.reason as Error)
    }
    handle.on(event, handleOnOpen)
    handle.on('error', fail)
    handle.on('close', handleOnClose)
    signal.addEventListener('abort', signalOnAbort)
  })
}

/** A socket once it is connected. */
export function openedSocket(open: () => Socket, options: DialOptions): Promise<Socket> {
  return opened({ open, event: 'connect', take: (socket) => socket, close: destroy }, options)
}

export function destroy(socket: Socket): void {
  socket.destroy()
}
