// SPDX-License-Identifier: Apache-2.0
/** Chunks of a WebSocket in, payload out as it comes. Keeps a header or a control frame at most. */
import { CLOSE, FIN, MASKED, MAX_CONTROL_BYTES, MAX_HEADER_BYTES, OPCODE } from './websocket-frame.js'
import { WebSocketError } from './websocket-frame.js'
import { applyMask } from './websocket-mask.js'

/** Gets what a {@link WebSocketReader} finds. */
export interface WebSocketSink {
  /** Of a message, which may go on and may have begun before. */
  onData(bytes: Uint8Array): void
  onPing(payload: Uint8Array): void
  /** The last that comes; 1005 where the peer gave no code. */
  onClose(code: number): void
}

const RESERVED_BITS = 0x70
const OPCODE_BITS = 0x0f
const IS_CONTROL = 0x08
const NO_MASK = new Uint8Array(4)

export class WebSocketReader {
  readonly #sink: WebSocketSink
  readonly #isServer: boolean
  readonly #maxMessageBytes: number
  readonly #head = new Uint8Array(MAX_HEADER_BYTES)
  #headBytes = 0
  /** Of the header that is being read, as far as is known. */
  #headLength = 2
  #mask = NO_MASK
  /** Zeros would change nothing. */
  #isMasked = false
  #opcode = 0
  #isFinal = true
  /** Of the frame's payload. */
  #length = 0
  #missing = 0
  /** Frames of a message have come, and its last has not. */
  #isInMessage = false
  #messageBytes = 0
  #control: Uint8Array | undefined
  #isOver = false

  /** @param isServer - the peer is a client, and masks what it sends */
  constructor(isServer: boolean, maxMessageBytes: number, sink: WebSocketSink) {
    this.#isServer = isServer
    this.#maxMessageBytes = maxMessageBytes
    this.#sink = sink
  }

  /**
   * Takes the next bytes. What comes behind a close frame is ignored (RFC 6455, section 5.5.1).
   *
   * @param chunk - is unmasked where it is, and its parts are given on: the caller must not use it later
   * @throws {WebSocketError} where the peer may not send that; nothing can be read any further
   */
  push(chunk: Uint8Array): void {
    let at = 0
    while (at < chunk.length && !this.#isOver)
      at = this.#missing > 0 ? this.#payload(chunk, at) : this.#header(chunk, at)
  }

  #header(chunk: Uint8Array, at: number): number {
    const head = this.#head
    while (at < chunk.length && this.#headBytes < this.#headLength) {
      head[this.#headBytes++] = chunk[at++]!
      // Each byte is judged as it comes: garbage fails at its first one that is wrong.
      if (this.#headBytes === 1) this.#judgeFirst(head[0]!)
      else if (this.#headBytes === 2) this.#judgeSecond(head[1]!)
    }
    if (this.#headBytes === this.#headLength) this.#open()
    return at
  }

  #judgeFirst(byte: number): void {
    if ((byte & RESERVED_BITS) !== 0) throw broken(byte, 'reserved bits are set')
    this.#opcode = byte & OPCODE_BITS
    this.#isFinal = (byte & FIN) !== 0
    switch (this.#opcode) {
      case OPCODE.more:
        if (!this.#isInMessage) throw broken(byte, 'it continues no message')
        break
      case OPCODE.binary:
        if (this.#isInMessage) throw broken(byte, 'the message before it is not over')
        break
      case OPCODE.text:
        throw new WebSocketError('a text message on a WebSocket path', CLOSE.unsupportedData)
      case OPCODE.close:
      case OPCODE.ping:
      case OPCODE.pong:
        if (!this.#isFinal) throw broken(byte, 'a control frame in parts')
        break
      default:
        throw broken(byte, `there is no opcode ${this.#opcode}`)
    }
  }

  #judgeSecond(byte: number): void {
    const isMasked = (byte & MASKED) !== 0
    if (isMasked !== this.#isServer)
      throw broken(byte, isMasked ? 'a server masks' : 'a client does not mask')
    const length = byte & ~MASKED
    if (this.#isControl && length > MAX_CONTROL_BYTES)
      throw broken(byte, `a control frame of more than ${MAX_CONTROL_BYTES} bytes`)
    if (this.#opcode === OPCODE.close && length === 1) throw broken(byte, 'half a close code')
    this.#headLength += (length === 126 ? 2 : length === 127 ? 8 : 0) + (isMasked ? 4 : 0)
  }

  get #isControl(): boolean {
    return (this.#opcode & IS_CONTROL) !== 0
  }

  /** The header is there in full. */
  #open(): void {
    this.#length = this.#lengthOf()
    this.#missing = this.#length
    if (this.#isServer) this.#mask = this.#head.slice(this.#headLength - 4, this.#headLength)
    this.#isMasked = this.#mask.some((byte) => byte !== 0)
    this.#headBytes = 0
    this.#headLength = 2
    if (this.#isControl) this.#control = new Uint8Array(this.#length)
    else {
      this.#messageBytes += this.#length
      if (this.#messageBytes > this.#maxMessageBytes)
        throw new WebSocketError(
          `a WebSocket message of ${this.#messageBytes} bytes of payload, more than ${this.#maxMessageBytes}`,
          CLOSE.tooBig,
        )
    }
    if (this.#length === 0) this.#close()
  }

  /** A length above 2 ** 53 is not exact, and far above every limit. */
  #lengthOf(): number {
    const head = new DataView(this.#head.buffer)
    const short = this.#head[1]! & ~MASKED
    if (short === 126) return head.getUint16(2)
    return short === 127 ? head.getUint32(2) * 2 ** 32 + head.getUint32(6) : short
  }

  #payload(chunk: Uint8Array, at: number): number {
    const end = Math.min(chunk.length, at + this.#missing)
    const bytes = at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end)
    const phase = this.#length - this.#missing
    this.#missing -= bytes.length
    if (this.#isMasked) applyMask(this.#mask, bytes, phase)
    if (this.#control === undefined) this.#sink.onData(bytes)
    else this.#control.set(bytes, phase)
    if (this.#missing === 0) this.#close()
    return end
  }

  /** The frame is there in full. */
  #close(): void {
    const control = this.#control
    this.#control = undefined
    if (control === undefined) {
      this.#isInMessage = !this.#isFinal
      if (this.#isFinal) this.#messageBytes = 0
    } else if (this.#opcode === OPCODE.ping) this.#sink.onPing(control)
    else if (this.#opcode === OPCODE.close) {
      const code = closeCodeOf(control)
      this.#isOver = true
      this.#sink.onClose(code)
    }
  }
}

/** UTF-8 of the reason is not looked at: nobody reads it. */
function closeCodeOf(payload: Uint8Array): number {
  if (payload.length === 0) return CLOSE.none
  const code = payload[0]! * 256 + payload[1]!
  if (!mayBeSent(code)) throw new WebSocketError(`a WebSocket is closed with ${code}, which is no close code`)
  return code
}

/** RFC 6455, section 7.4, and the registry of IANA. */
function mayBeSent(code: number): boolean {
  if (code >= 3000) return code < 5000
  return code >= 1000 && code <= 1014 && ![1004, CLOSE.none, CLOSE.abnormal].includes(code)
}

function broken(byte: number, why: string): WebSocketError {
  return new WebSocketError(`no WebSocket frame, byte 0x${byte.toString(16).padStart(2, '0')}: ${why}`)
}
