// SPDX-License-Identifier: Apache-2.0
/**
 * A WebSocket as a byte stream: binary messages, whose borders mean nothing. A WebSocket has no half-close: once
 * one side has ended, what the other still writes is dropped, and the end is only an end when both have read it.
 */
import { randomFillSync } from 'node:crypto'
import { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { MultipathError } from '../errors.js'
import type { PortionsOwner } from '../stream/turn.js'
import { Portions } from '../stream/turn.js'
import { CLOSE, OPCODE, WebSocketError } from './websocket-frame.js'
import { WebSocketReader } from './websocket-reader.js'
import { encodeMessages, joinedFrame, Masking } from './websocket-writer.js'

type Callback = (error?: Error | null) => void
/** A socket, or what an agent or a server of the user's brings in its place. */
type Carrier = Duplex &
  Partial<
    Pick<
      Socket,
      'localAddress' | 'localPort' | 'localFamily' | 'remoteAddress' | 'remotePort' | 'remoteFamily'
    >
  > & {
    setTimeout?(ms: number): unknown
    setNoDelay?(noDelay?: boolean): unknown
    setKeepAlive?(enable?: boolean, initialDelayMs?: number): unknown
    ref?(): unknown
    unref?(): unknown
  }

/** Largest message that we take: a frame's largest payload, and its header. */
const MAX_MESSAGE_BYTES = 1_048_576 + 64
/** Bytes each way. */
const HIGH_WATER_MARK = 65_536
/** Close codes of an end in order. */
const IN_ORDER: readonly number[] = [CLOSE.normal, CLOSE.goingAway, CLOSE.none]
/** After our close frame, the peer has this long for its own and for the end of the socket, milliseconds. */
const CLOSE_TIMEOUT_MS = 30_000
/** One who broke the rules has this long to read why, milliseconds. */
const REASON_TIMEOUT_MS = 1000

/** So many are taken before a look at the time: some tens of microseconds. */
const PORTION_FRAMES = 64

const masking = new Masking(randomFillSync)

export class WebSocketStream extends Duplex {
  readonly #socket: Carrier
  readonly #isServer: boolean
  readonly #reader: WebSocketReader
  #hasSentClose = false
  /** Of the peer's close frame. */
  #closeCode: number | undefined
  #closeTimer: NodeJS.Timeout | undefined
  readonly #portions: Portions
  /** The turn has no more time for it. */
  #isReadStopped = false
  /** Our reader wants no more. */
  #isFull = false
  /** Of the newest ping that has no answer yet. */
  #pinged: Uint8Array | undefined

  /** @param socket - right behind the handshake, without other listeners */
  constructor(socket: Carrier, isServer: boolean) {
    super({ allowHalfOpen: false, highWaterMark: HIGH_WATER_MARK })
    this.#socket = socket
    this.#isServer = isServer
    this.#reader = new WebSocketReader(isServer, MAX_MESSAGE_BYTES, {
      onData: (bytes) => {
        if (this.push(bytes)) return
        this.#isFull = true
        this.#socket.pause()
      },
      onPing: (payload) => this.#pongSoon(payload),
      onClose: (code) => this.#closed(code),
    })
    this.#portions = new Portions(socket, this.#portionsOwner())
    this.#socket.setTimeout?.(0)
    this.#socket.setNoDelay?.(true)
    // Nothing is read, and so nothing can fail, before somebody listens.
    socket.pause()
    socket.on('data', this.#socketOnData)
    socket.on('error', this.#socketOnError)
    socket.on('end', this.#socketOnEnd)
    socket.on('close', this.#socketOnClose)
  }

  get localAddress(): string | undefined {
    return this.#socket.localAddress
  }

  get localPort(): number | undefined {
    return this.#socket.localPort
  }

  get localFamily(): string | undefined {
    return this.#socket.localFamily
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress
  }

  get remotePort(): number | undefined {
    return this.#socket.remotePort
  }

  get remoteFamily(): string | undefined {
    return this.#socket.remoteFamily
  }

  setNoDelay(noDelay?: boolean): this {
    this.#socket.setNoDelay?.(noDelay)
    return this
  }

  setKeepAlive(enable?: boolean, initialDelayMs?: number): this {
    this.#socket.setKeepAlive?.(enable, initialDelayMs)
    return this
  }

  ref(): this {
    this.#socket.ref?.()
    return this
  }

  unref(): this {
    this.#socket.unref?.()
    return this
  }

  override _read(): void {
    this.#readOn()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    this.#send([chunk], chunk.length, callback)
  }

  override _writev(chunks: { chunk: Buffer }[], callback: Callback): void {
    let bytes = 0
    const all = chunks.map(({ chunk }) => {
      bytes += chunk.length
      return chunk
    })
    this.#send(all, bytes, callback)
  }

  /** All writes have left by now: only the close frame is still to go. */
  override _final(callback: Callback): void {
    this.#sendClose(CLOSE.normal)
    callback()
  }

  override _destroy(error: Error | null, callback: Callback): void {
    const socket = this.#socket
    clearTimeout(this.#closeTimer)
    if (error instanceof WebSocketError && !this.#hasSentClose && socket.writable) {
      this.#sendClose(error.closeCode)
      // Closed with bytes unread, TCP would reset, and the reason might be lost.
      this.#endSocket(REASON_TIMEOUT_MS)
      socket.resume()
    } else socket.destroy()
    callback(error)
  }

  #send(chunks: readonly Uint8Array[], bytes: number, callback: Callback): void {
    // The peer has closed, and the end of what it sent is on its way to the reader.
    if (this.#hasSentClose || bytes === 0) {
      callback()
      return
    }
    const socket = this.#socket
    const { parts, taken } = encodeMessages(chunks, bytes, this.#isServer ? undefined : masking)
    const last = parts.pop()!
    socket.cork()
    for (const part of parts) socket.write(part)
    socket.write(last, (error) => {
      // Only the system's sockets are known to be done with it.
      if (!error && socket instanceof Socket) masking.giveBack(taken)
      callback(this.#closeCode === undefined ? error : null)
    })
    socket.uncork()
  }

  #control(opcode: number, payload: Uint8Array): void {
    const frame = joinedFrame(opcode, [payload], payload.length, this.#isServer ? undefined : masking)
    this.#socket.write(frame)
  }

  /** At the end of the turn: of several pings, the newest alone asks for a pong (RFC 6455, section 5.5.3). */
  #pongSoon(payload: Uint8Array): void {
    if (this.#pinged === undefined) setImmediate(this.#pong)
    this.#pinged = payload
  }

  /** One who pings and never reads would have the pongs pile up. */
  readonly #pong = (): void => {
    const payload = this.#pinged!
    this.#pinged = undefined
    const { writable, writableNeedDrain } = this.#socket
    if (!this.#hasSentClose && writable && !writableNeedDrain) this.#control(OPCODE.pong, payload)
  }

  #portionsOwner(): PortionsOwner {
    const isFull = (): boolean => this.#isFull
    return {
      stopReading: () => {
        this.#isReadStopped = true
        this.#socket.pause()
      },
      resumeReading: () => {
        this.#isReadStopped = false
        if (!this.#isFull) this.#socket.resume()
      },
      take: (bytes) => this.#take(bytes),
      get isStopped() {
        return isFull()
      },
    }
  }

  #readOn(): void {
    this.#isFull = false
    if (!this.#isReadStopped) this.#socket.resume()
  }

  #sendClose(code: number): void {
    if (this.#hasSentClose) return
    this.#hasSentClose = true
    this.#control(OPCODE.close, code === CLOSE.none ? new Uint8Array() : Uint8Array.of(code >> 8, code))
    this.#closeTimer = setTimeout(() => this.#socket.destroy(), CLOSE_TIMEOUT_MS).unref()
  }

  #closed(code: number): void {
    this.#closeCode = code
    this.#sendClose(code)
    // The server is to end the socket (RFC 6455, section 7.1.1), which takes someone to read it to its end.
    if (this.#isServer) this.#socket.end()
    this.#readOn()
  }

  /** Gives the peer some time to end it as well. */
  #endSocket(timeoutMs: number): void {
    const socket = this.#socket
    clearTimeout(this.#closeTimer)
    const timer = setTimeout(() => socket.destroy(), timeoutMs).unref()
    socket.once('close', () => {
      clearTimeout(timer)
    })
    socket.end()
  }

  readonly #socketOnData = (chunk: Buffer): void => {
    if (!this.destroyed) this.#portions.push(chunk)
  }

  #take(bytes: Uint8Array): number {
    if (this.destroyed) return bytes.length
    try {
      return this.#reader.push(bytes, performance.now(), PORTION_FRAMES)
    } catch (error) {
      this.destroy(error as Error)
      return bytes.length
    }
  }

  /** Where the peer has closed, it took nothing more from us: no error, whatever the socket says of that. */
  readonly #socketOnError = (error: Error): void => {
    if (this.#closeCode === undefined) this.destroy(error)
  }

  /** Sockets of HTTP servers stay open on this side. */
  readonly #socketOnEnd = (): void => {
    if (this.#closeCode === undefined && !this.destroyed) this.#socket.destroy()
    else this.#socket.end()
  }

  readonly #socketOnClose = (): void => {
    clearTimeout(this.#closeTimer)
    const code = this.#closeCode ?? CLOSE.abnormal
    if (this.destroyed) return
    if (IN_ORDER.includes(code)) this.push(null)
    else this.destroy(new MultipathError('ERR_MULTIPATH_CLOSED', `the WebSocket closed with code ${code}`))
  }
}
