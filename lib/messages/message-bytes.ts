// SPDX-License-Identifier: Apache-2.0
/** What may be a message, whether it is sent in order or not. */
import type { Writable } from 'node:stream'
import { MultipathError, OptionError } from '../errors.js'

/** Messages that wait on either side, in bytes at their longest; and their number. */
export const BUFFERED_BYTES = 16_777_216
const BUFFERED_MESSAGES = 64

/** How many messages a stream keeps for its reader, and for its writer. */
export function bufferedMessages(maxMessageBytes: number): number {
  return Math.max(1, Math.min(BUFFERED_MESSAGES, Math.floor(BUFFERED_BYTES / maxMessageBytes)))
}

/**
 * The bytes of a message that is to be sent.
 *
 * @throws {OptionError} for what is neither bytes nor text
 * @throws ERR_MULTIPATH_LIMIT where it is too long
 */
export function messageBytes(message: unknown, maxMessageBytes: number): Uint8Array {
  const bytes = typeof message === 'string' ? Buffer.from(message) : message
  if (!(bytes instanceof Uint8Array))
    throw new OptionError(`a message must be bytes or a string, got ${typeof message}`)
  if (bytes.length <= maxMessageBytes) return bytes
  throw new MultipathError(
    'ERR_MULTIPATH_LIMIT',
    `the message has ${bytes.length} bytes, and maxMessageBytes is ${maxMessageBytes}`,
  )
}

/** Sends one message on a stream of messages. Resolves once that has taken it. @throws as {@link messageBytes} */
export function sendMessage(
  stream: Writable,
  message: Uint8Array | string,
  maxMessageBytes: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(messageBytes(message, maxMessageBytes), (error) => {
      if (error) reject(error)
      else resolve()
    })
  })
}

export function tooLongError(length: number, maxMessageBytes: number): MultipathError {
  return new MultipathError(
    'ERR_MULTIPATH_LIMIT',
    `the peer sent a message of ${length} bytes, and maxMessageBytes is ${maxMessageBytes}`,
  )
}

export function tooManyError(): MultipathError {
  return new MultipathError('ERR_MULTIPATH_LIMIT', 'the peer sent more messages than it was allowed to')
}

export function incompleteError(message: string): MultipathError {
  return new MultipathError('ERR_MULTIPATH_INCOMPLETE', message)
}
