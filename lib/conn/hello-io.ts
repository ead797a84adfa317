// SPDX-License-Identifier: Apache-2.0
/** Reads what opens a stream, such as the 17 bytes of a hello, off it, with a time limit; used by both sides. */
import type { Duplex } from 'node:stream'
import type { Clock } from '../clock.js'
import { MultipathError, toError } from '../errors.js'
import { decodeHello } from '../wire/hello.js'
import { HELLO_BYTES } from '../wire/limits.js'
import { ignore } from '../ignore.js'

export interface Hello {
  readonly cid: Uint8Array
  /** Bytes that came right behind it. */
  readonly head: Uint8Array
}

export interface ReadHelloInit {
  readonly clock: Clock
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/** What a decoder made of the first bytes of a stream. */
export interface Opening<Value> {
  readonly value: Value
  /** Bytes it takes; the rest came right behind it. */
  readonly length: number
}

/**
 * Decodes the first bytes of a stream: `undefined` while bytes are missing. Called with all that is there, again
 * and again, so it has to throw where they become too many.
 */
export type DecodeOpening<Value> = (bytes: Uint8Array) => Opening<Value> | undefined

export interface OpeningRead<Value> {
  readonly value: Value
  /** Bytes that came right behind it. */
  readonly head: Uint8Array
}

/** One wait for an opening. */
class OpeningReader<Value> {
  readonly #stream: Duplex
  readonly #decode: DecodeOpening<Value>
  readonly #signal: AbortSignal | undefined
  readonly #resolve: (read: OpeningRead<Value>) => void
  readonly #reject: (error: Error) => void
  #cancelTimer: () => void = () => {}
  #bytes: Uint8Array = new Uint8Array(0)

  constructor(
    stream: Duplex,
    decode: DecodeOpening<Value>,
    signal: AbortSignal | undefined,
    resolve: (read: OpeningRead<Value>) => void,
    reject: (error: Error) => void,
  ) {
    this.#stream = stream
    this.#decode = decode
    this.#signal = signal
    this.#resolve = resolve
    this.#reject = reject
  }

  start(clock: Clock, timeoutMs: number): void {
    const stream = this.#stream
    this.#cancelTimer = clock.callAt(clock.now() + timeoutMs, () => {
      this.#fail(new MultipathError('ERR_MULTIPATH_HANDSHAKE_TIMEOUT', `no handshake within ${timeoutMs} ms`))
    })
    // Stays: an error between the hello and whoever takes the stream over must be heard, too.
    stream.on('error', ignore)
    stream.on('error', this.#streamOnError)
    stream.on('data', this.#streamOnData)
    stream.on('end', this.#streamOnClose)
    stream.on('close', this.#streamOnClose)
    this.#signal?.addEventListener('abort', this.#signalOnAbort)
    if (this.#signal?.aborted === true) this.#signalOnAbort()
    else if (stream.destroyed || stream.readableEnded) this.#streamOnClose()
    else stream.resume()
  }

  readonly #streamOnData = (chunk: Uint8Array): void => {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk])
    try {
      const opening = this.#decode(this.#bytes)
      if (opening === undefined) return
      this.#finish()
      this.#stream.pause()
      this.#resolve({ value: opening.value, head: this.#bytes.subarray(opening.length) })
    } catch (error) {
      this.#fail(toError(error))
    }
  }

  readonly #streamOnError = (cause: Error): void => {
    this.#fail(new MultipathError('ERR_MULTIPATH_HANDSHAKE', `handshake failed: ${cause.message}`, { cause }))
  }

  readonly #streamOnClose = (): void => {
    this.#fail(new MultipathError('ERR_MULTIPATH_HANDSHAKE', 'the peer closed during the handshake'))
  }

  readonly #signalOnAbort = (): void => {
    this.#fail(toError(this.#signal?.reason))
  }

  #finish(): void {
    this.#cancelTimer()
    this.#stream.off('data', this.#streamOnData)
    this.#stream.off('end', this.#streamOnClose)
    this.#stream.off('close', this.#streamOnClose)
    this.#stream.off('error', this.#streamOnError)
    this.#signal?.removeEventListener('abort', this.#signalOnAbort)
  }

  #fail(error: Error): void {
    this.#finish()
    this.#stream.destroy()
    this.#reject(error)
  }
}

/**
 * Resolves with what opens the stream and leaves it paused. Closes the stream where that fails: what `decode`
 * throws, ERR_MULTIPATH_HANDSHAKE_TIMEOUT, ERR_MULTIPATH_HANDSHAKE (it closed too early), or the reason of `signal`.
 */
export function readOpening<Value>(
  stream: Duplex,
  decode: DecodeOpening<Value>,
  { clock, timeoutMs, signal }: ReadHelloInit,
): Promise<OpeningRead<Value>> {
  return new Promise((resolve, reject) => {
    new OpeningReader(stream, decode, signal, resolve, reject).start(clock, timeoutMs)
  })
}

/** Resolves with the peer's hello; otherwise as {@link readOpening}, with ERR_MULTIPATH_UNEXPECTED_VERSION beside. */
export async function readHello(stream: Duplex, init: ReadHelloInit): Promise<Hello> {
  const { value, head } = await readOpening(stream, helloOpening, init)
  return { cid: value, head }
}

function helloOpening(bytes: Uint8Array): Opening<Uint8Array> | undefined {
  const value = decodeHello(bytes)
  return value && { value, length: HELLO_BYTES }
}
