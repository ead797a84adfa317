/** Reads the 17 bytes of a hello off a stream, with a time limit; used by both sides. */
import type { Duplex } from 'node:stream'
import type { Clock } from '../clock.js'
import { MultipathError, toError } from '../errors.js'
import { decodeHello } from '../wire/hello.js'
import { HELLO_BYTES } from '../wire/limits.js'

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

/** One wait for a hello. */
class HelloReader {
  readonly #stream: Duplex
  readonly #signal: AbortSignal | undefined
  readonly #resolve: (hello: Hello) => void
  readonly #reject: (error: Error) => void
  #cancelTimer: () => void = () => {}
  #bytes: Uint8Array = new Uint8Array(0)

  constructor(
    stream: Duplex,
    signal: AbortSignal | undefined,
    resolve: (hello: Hello) => void,
    reject: (error: Error) => void,
  ) {
    this.#stream = stream
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
      const cid = decodeHello(this.#bytes)
      if (cid === undefined) return
      this.#settle()
      this.#stream.pause()
      this.#resolve({ cid, head: this.#bytes.subarray(HELLO_BYTES) })
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

  #settle(): void {
    this.#cancelTimer()
    this.#stream.off('data', this.#streamOnData)
    this.#stream.off('end', this.#streamOnClose)
    this.#stream.off('close', this.#streamOnClose)
    this.#stream.off('error', this.#streamOnError)
    this.#signal?.removeEventListener('abort', this.#signalOnAbort)
  }

  #fail(error: Error): void {
    this.#settle()
    this.#stream.destroy()
    this.#reject(error)
  }
}

/**
 * Resolves with the peer's hello and leaves the stream paused. Closes the stream where that fails:
 * ERR_MULTIPATH_UNEXPECTED_VERSION, ERR_MULTIPATH_HANDSHAKE_TIMEOUT, ERR_MULTIPATH_HANDSHAKE (it closed
 * too early), or the reason of `signal`.
 */
export function readHello(stream: Duplex, { clock, timeoutMs, signal }: ReadHelloInit): Promise<Hello> {
  return new Promise((resolve, reject) => {
    new HelloReader(stream, signal, resolve, reject).start(clock, timeoutMs)
  })
}

function ignore(): void {}
