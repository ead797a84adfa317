// SPDX-License-Identifier: Apache-2.0
/** The client's part of a short conversation at the beginning of a stream, such as with a proxy. */
import type { Duplex } from 'node:stream'
import { MultipathError, toError } from '../errors.js'
import { ignore } from '../ignore.js'

/** What is said, and the answer that is waited for. */
export interface Ask {
  readonly send: Uint8Array
  /** Bytes of the answer, as far as `bytes` shows; `undefined`: more is needed to tell. It may throw. */
  readonly lengthOf: (bytes: Buffer) => number | undefined
}

/** Yields what it asks, is given each answer, and throws where it does not like one. Does no IO. */
export type Conversation = Generator<Ask, void, Buffer>

/** An answer that shows no end within so many bytes is none. */
const MAX_ANSWER_BYTES = 16_384

/**
 * Resolves when `conversation` is over; what came behind its last answer is the stream's next bytes. Closes the
 * stream where that fails or is aborted.
 *
 * @param peer - who answers, for errors
 */
export function converse(
  stream: Duplex,
  conversation: Conversation,
  peer: string,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const exchange = new Exchange(stream, conversation, peer)
    const settle = (): void => {
      stream.off('readable', streamOnReadable)
      stream.off('error', fail)
      stream.off('end', streamOnEnd)
      stream.off('close', streamOnEnd)
      signal.removeEventListener('abort', signalOnAbort)
    }
    const fail = (error: Error): void => {
      settle()
      stream.on('error', ignore)
      stream.destroy()
      reject(error)
    }
    const streamOnReadable = (): void => {
      try {
        if (!exchange.read()) return
        settle()
        exchange.giveBack()
        resolve()
      } catch (error) {
        fail(toError(error))
      }
    }
    const streamOnEnd = (): void => {
      fail(refusal(peer, 'closed the connection without an answer'))
    }
    const signalOnAbort = (): void => {
      fail(signal.reason as Error)
    }
    stream.on('readable', streamOnReadable)
    stream.on('error', fail)
    stream.on('end', streamOnEnd)
    stream.on('close', streamOnEnd)
    signal.addEventListener('abort', signalOnAbort)
    if (signal.aborted) signalOnAbort()
    else exchange.start()
  })
}

export function refusal(peer: string, what: string): MultipathError {
  return new MultipathError('ERR_MULTIPATH_HANDSHAKE', `${peer} ${what}`)
}

/** Where a conversation is, and what has arrived of the next answer. */
class Exchange {
  readonly #stream: Duplex
  readonly #conversation: Conversation
  readonly #peer: string
  #ask: Ask | undefined
  #bytes: Buffer = Buffer.alloc(0)

  constructor(stream: Duplex, conversation: Conversation, peer: string) {
    this.#stream = stream
    this.#conversation = conversation
    this.#peer = peer
  }

  start(): void {
    this.#take(this.#conversation.next())
  }

  /** Takes what has arrived. @returns whether the conversation is over */
  read(): boolean {
    const chunk = this.#stream.read() as Buffer | null
    if (chunk !== null) this.#bytes = Buffer.concat([this.#bytes, chunk])
    while (this.#ask !== undefined) {
      const length = this.#ask.lengthOf(this.#bytes)
      if (length === undefined || length > this.#bytes.length) {
        if (this.#bytes.length >= MAX_ANSWER_BYTES)
          throw refusal(this.#peer, 'sent an answer that is too long')
        return false
      }
      const answer = this.#bytes.subarray(0, length)
      this.#bytes = this.#bytes.subarray(length)
      this.#take(this.#conversation.next(answer))
    }
    return true
  }

  giveBack(): void {
    if (this.#bytes.length > 0) this.#stream.unshift(this.#bytes)
  }

  #take(step: IteratorResult<Ask, void>): void {
    this.#ask = step.done === true ? undefined : step.value
    if (this.#ask !== undefined) this.#stream.write(this.#ask.send)
  }
}
