// SPDX-License-Identifier: Apache-2.0
/** The parts of net.Socket that only pass on to the subflows, or tell of them. */
import type { AddressInfo, Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { OptionError } from '../errors.js'
import { IdleTimeout } from './idle-timeout.js'
import { ReadEnd } from './read-end.js'

/** Of Node's streams. */
export type Callback = (error?: Error | null) => void

/** Where a connection's first subflow led. */
export interface Endpoints {
  readonly localAddress?: string | undefined
  readonly localPort?: number | undefined
  readonly localFamily?: string | undefined
  readonly remoteAddress?: string | undefined
  readonly remotePort?: number | undefined
  readonly remoteFamily?: string | undefined
}

/** Reads the addresses off a stream that may be a socket. */
export function endpointsOf(stream: Duplex): Endpoints {
  const { localAddress, localPort, localFamily, remoteAddress, remotePort, remoteFamily } =
    stream as Partial<Socket>
  return { localAddress, localPort, localFamily, remoteAddress, remotePort, remoteFamily }
}

/** What http, tls and database drivers expect of a socket beyond a Duplex. */
export abstract class SocketSurface extends Duplex {
  /** Milliseconds of `setTimeout`. As with net, it is for reading: what is written to it sets nothing. */
  timeout: number | undefined
  /** Tells the reader of the peer's end. @internal */
  readonly readEnd: ReadEnd = new ReadEnd(this)
  /** @internal */
  protected readonly idle: IdleTimeout = new IdleTimeout(
    () => this.emit('timeout'),
    () => this.sentBytes,
  )
  /** Whether it is dialled: a connection that is not is not connecting. @internal */
  protected isDialled = true
  #endpoints: Endpoints | undefined
  #isStanding = false
  /** Something was written by the code that runs now. */
  #isSpeaking = false

  /** While something that was written has not left: the bytes that have. @internal */
  protected abstract get sentBytes(): number | undefined
  /** Streams of the live subflows. @internal */
  protected abstract streams(): readonly Duplex[]
  /** @internal */
  protected abstract setRef(isRefed: boolean): void
  /** Marks a chunk that is the caller's again when its write is called back: it is copied where it must be kept. @internal */
  protected abstract lend(chunk: Uint8Array): Uint8Array

  /** Sends a chunk. With a callback, it is copied where it must be kept; without one, it must not change until it is acked. */
  override write(
    chunk: unknown,
    encodingOrCallback?: BufferEncoding | Callback,
    callback?: Callback,
  ): boolean {
    const done = typeof encodingOrCallback === 'function' ? encodingOrCallback : callback
    // Node's own way to say that the peer has ended both directions.
    if (this.writableEnded && this.readableEnded && !this.allowHalfOpen) return this.#writeAfterEnd(done)
    this.#speak()
    const encoding = typeof encodingOrCallback === 'function' ? undefined : encodingOrCallback
    const isLent = done !== undefined && ArrayBuffer.isView(chunk)
    return super.write(isLent ? this.lend(bytesOf(chunk)) : chunk, encoding as BufferEncoding, done)
  }

  /** Ends this direction once everything before it is delivered. */
  override end(callback?: () => void): this
  /** Writes a last chunk, and ends this direction once everything is delivered. */
  override end(chunk: unknown, callback?: () => void): this
  /** Writes a last chunk of text, and ends this direction once everything is delivered. */
  override end(chunk: unknown, encoding?: BufferEncoding, callback?: () => void): this
  override end(chunk?: unknown, encoding?: BufferEncoding | (() => void), callback?: () => void): this {
    this.#speak()
    return super.end(chunk, encoding as BufferEncoding, callback)
  }

  #speak(): void {
    if (this.#isSpeaking) return
    this.#isSpeaking = true
    process.nextTick(() => {
      this.#isSpeaking = false
    })
  }

  /**
   * Whether the peer is to see a cut in place of an end, and what is on its way is dropped. Not for the last words of a
   * server that gives up, written in the same breath as it destroys, as `node:http` does with 400, 408 and 431.
   *
   * @internal
   */
  protected isCutBy(error: Error | null): boolean {
    return error !== null && !this.#isSpeaking && !isLeft(error)
  }

  /** What Node's stream has accepted and not passed on. @internal */
  protected get buffered(): Uint8Array[] {
    const { writableBuffer } = this as unknown as { writableBuffer: { chunk: Uint8Array }[] }
    return writableBuffer.map(({ chunk }) => chunk)
  }

  #writeAfterEnd(callback: Callback | undefined): false {
    const error = Object.assign(new Error('This socket has been ended by the other party'), { code: 'EPIPE' })
    if (callback !== undefined) process.nextTick(callback, error)
    this.destroy(error)
    return false
  }

  /** @internal */
  protected setEndpoints(endpoints: Endpoints): void {
    this.#endpoints = endpoints
  }

  /** @internal */
  protected get hasEndpoints(): boolean {
    return this.#endpoints !== undefined
  }

  /** From now on it is no longer connecting. @internal */
  protected stand(): void {
    this.#isStanding = true
  }

  /** It is dialled and does not stand yet: what is written waits. */
  get connecting(): boolean {
    return this.isDialled && !this.#isStanding && !this.destroyed
  }

  /** The name that `connecting` had before; some programs still ask for it. @internal */
  get _connecting(): boolean {
    return this.connecting
  }

  /** It does not stand, or no longer. */
  get pending(): boolean {
    return !this.#isStanding || this.destroyed
  }

  /** State as of `net.Socket`. */
  get readyState(): 'opening' | 'open' | 'readOnly' | 'writeOnly' | 'closed' {
    if (this.connecting) return 'opening'
    if (this.readable) return this.writable ? 'open' : 'readOnly'
    return this.writable ? 'writeOnly' : 'closed'
  }

  /** Local address of the first subflow; `undefined` where its stream is no socket. */
  get localAddress(): string | undefined {
    return this.#local?.localAddress
  }

  /** Local port of the first subflow. */
  get localPort(): number | undefined {
    return this.#local?.localPort
  }

  /** `IPv4` or `IPv6`. */
  get localFamily(): string | undefined {
    return this.#local?.localFamily
  }

  /** As with net, a destroyed socket still knows its peer, but has no address any more. */
  get #local(): Endpoints | undefined {
    return this.destroyed ? undefined : this.#endpoints
  }

  /** Address of the first subflow's peer; `undefined` where its stream is no socket. */
  get remoteAddress(): string | undefined {
    return this.#endpoints?.remoteAddress
  }

  /** Port of the first subflow's peer. */
  get remotePort(): number | undefined {
    return this.#endpoints?.remotePort
  }

  /** `IPv4` or `IPv6`. */
  get remoteFamily(): string | undefined {
    return this.#endpoints?.remoteFamily
  }

  /** Bytes that wait to be taken; none of one that is closed. Node has deprecated it; some drivers still read it. */
  get bufferSize(): number | undefined {
    return this.pending && !this.connecting ? undefined : this.writableLength
  }

  /** Emits `timeout` once nothing was read or written for `ms` milliseconds; 0 turns it off. */
  setTimeout(ms: number, listener?: () => void): this {
    if (this.destroyed) return this
    if (listener !== undefined && typeof (listener as unknown) !== 'function')
      throw new OptionError(`listener must be a function, got ${typeof listener}`, 'ERR_INVALID_ARG_TYPE')
    this.idle.set(ms)
    this.timeout = ms
    if (listener !== undefined) {
      if (ms === 0) this.off('timeout', listener)
      else this.once('timeout', listener)
    }
    return this
  }

  /** Local address of the first subflow; empty where its stream is no socket. */
  address(): AddressInfo | Record<string, never> {
    const { localAddress, localPort, localFamily } = this.#local ?? {}
    if (localAddress === undefined || localPort === undefined || localFamily === undefined) return {}
    return { address: localAddress, port: localPort, family: localFamily }
  }

  /** Subflows never wait to fill packets, whatever is asked: acks and frames are batched already. */
  setNoDelay(_noDelay?: boolean): this {
    return this
  }

  /** TCP keep-alive of the subflows; ours, by ping, goes on regardless. */
  setKeepAlive(enable?: boolean, initialDelayMs?: number): this {
    for (const stream of this.streams()) (stream as Partial<Socket>).setKeepAlive?.(enable, initialDelayMs)
    return this
  }

  /** Keeps the process up while the connection is open; the default. */
  ref(): this {
    this.setRef(true)
    return this
  }

  /** Lets the process exit although the connection is open. */
  unref(): this {
    this.setRef(false)
    return this
  }

  /** Ends, and destroys once all is acked. */
  destroySoon(): void {
    if (this.writable && this.isDialled) this.end()
    if (this.writableFinished || !this.isDialled) this.destroy()
    else this.once('finish', () => this.destroy())
  }

  /** Ends in order: `await using` does not lose what was written, and throws where it could not be delivered. */
  override async [Symbol.asyncDispose](): Promise<void> {
    if (this.closed) return
    await new Promise<void>((resolve, reject) => {
      this.once('error', reject)
      this.once('close', () => {
        resolve()
      })
      this.resume()
      this.destroySoon()
    })
  }
}

/** Node's own error for a reader that has left, as by `break` out of `for await`: an abort without a reason. */
function isLeft({ name, cause }: Error): boolean {
  return name === 'AbortError' && cause === undefined
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return view instanceof Uint8Array ? view : new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
}
