/**
 * A WebSocket as a byte stream: binary messages, whose borders mean nothing. A WebSocket has no half-close: once
 * one side has ended, what the other still writes is dropped, and the end is only an end when both have read it.
 */
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { RawData, WebSocket } from 'ws'
import { MultipathError, RemoteProtocolError } from '../errors.js'

type Callback = (error?: Error | null) => void

/** Largest message that we take: a frame's largest payload, and its header. */
const MAX_MESSAGE_BYTES = 1_048_576 + 64
/** Largest message that we send; a receiver keeps a message until it is whole. */
const SENT_MESSAGE_BYTES = 65_536
/** Chunks are joined until they are as many bytes: below that, another message costs more than a copy. */
const JOIN_BYTES = 16_384
/** Bytes each way. */
const HIGH_WATER_MARK = 65_536
/** Close codes of an end in order: normal, going away, none given. */
const IN_ORDER: readonly number[] = [1000, 1001, 1005]
const BINARY = { binary: true, compress: false }
/** Of the WebSockets that become streams, at either end. */
export const WEB_SOCKET_OPTIONS: { perMessageDeflate: false; maxPayload: number; autoPong: false } = {
  perMessageDeflate: false,
  maxPayload: MAX_MESSAGE_BYTES,
  // One who pings and never reads would have the pongs pile up.
  autoPong: false,
}

export class WebSocketStream extends Duplex {
  readonly #ws: WebSocket
  readonly #socket: Socket

  /** @param ws - open just now: make the stream within the event, so that nothing is missed */
  constructor(ws: WebSocket, socket: Socket) {
    super({ allowHalfOpen: false, highWaterMark: HIGH_WATER_MARK })
    this.#ws = ws
    this.#socket = socket
    // Nothing is read, and so nothing can fail, before somebody listens.
    ws.pause()
    ws.on('message', this.#wsOnMessage)
    ws.on('ping', this.#wsOnPing)
    ws.on('error', this.#wsOnError)
    ws.on('close', this.#wsOnClose)
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
    this.#socket.setNoDelay(noDelay)
    return this
  }

  setKeepAlive(enable?: boolean, initialDelayMs?: number): this {
    this.#socket.setKeepAlive(enable, initialDelayMs)
    return this
  }

  ref(): this {
    this.#socket.ref()
    return this
  }

  unref(): this {
    this.#socket.unref()
    return this
  }

  override _read(): void {
    this.#ws.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    this.#send(chunk, callback)
  }

  /** Large chunks are not copied, small ones are joined, and all of them leave in one go. */
  override _writev(chunks: { chunk: Buffer }[], callback: Callback): void {
    this.#socket.cork()
    let message: Buffer[] = []
    let bytes = 0
    chunks.forEach(({ chunk }, i) => {
      message.push(chunk)
      bytes += chunk.length
      const isLast = i === chunks.length - 1
      if (bytes < JOIN_BYTES && !isLast) return
      this.#send(message.length === 1 ? chunk : Buffer.concat(message, bytes), isLast ? callback : ignore)
      message = []
      bytes = 0
    })
    this.#socket.uncork()
  }

  /** All writes have left by now: only the close frame is still to go. */
  override _final(callback: Callback): void {
    this.#ws.close(1000)
    callback()
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.#ws.terminate()
    callback(error)
  }

  #send(bytes: Buffer, callback: Callback): void {
    const ws = this.#ws
    // The peer has closed, and the end of what it sent is on its way to the reader.
    if (ws.readyState !== ws.OPEN || bytes.length === 0) {
      callback()
      return
    }
    let at = 0
    for (; bytes.length - at > SENT_MESSAGE_BYTES; at += SENT_MESSAGE_BYTES)
      ws.send(bytes.subarray(at, at + SENT_MESSAGE_BYTES), BINARY)
    ws.send(bytes.subarray(at), BINARY, callback)
  }

  readonly #wsOnMessage = (data: RawData, isBinary: boolean): void => {
    if (!isBinary) this.destroy(new RemoteProtocolError('a text message on a WebSocket path'))
    else if ((data as Buffer).length > 0 && !this.push(data)) this.#ws.pause()
  }

  readonly #wsOnPing = (data: Buffer): void => {
    if (!this.#socket.writableNeedDrain) this.#ws.pong(data)
  }

  readonly #wsOnError = (error: Error): void => {
    this.destroy(error)
  }

  readonly #wsOnClose = (code: number): void => {
    if (this.destroyed) return
    if (IN_ORDER.includes(code)) this.push(null)
    else this.destroy(new MultipathError('ERR_MULTIPATH_CLOSED', `the WebSocket closed with code ${code}`))
  }
}

function ignore(): void {}
