// SPDX-License-Identifier: Apache-2.0
/** Chunks of a WebSocket in, payload out as it comes. Keeps a header or a control frame at most. */
import type { Millis } from '../clock.js'
import { FrameBudget, MAX_EMPTY_FRAMES } from './websocket-budget.js'
import { CLOSE, FIN, MASKED, MAX_CONTROL_BYTES, MAX_HEADER_BYTES, OPCODE } from './websocket-frame.js'
import { WebSocketError } from './websocket-frame.js'
import { applyMask } from './websocket-mask.js'

/** Gets what a {@link WebSocketReader} finds. */
export interface WebSocketSink {
  /** Of messages, which may go on and may have begun before. */
  onData(bytes: Uint8Array): void
  onPing(payload: Uint8Array): void
  /** The last that comes; 1005 where the peer gave no code. */
  onClose(code: number): void
}

const RESERVED_BITS = 0x70
const OPCODE_BITS = 0x0f
const IS_CONTROL = 0x08
/** A frame more costs about as much as this. */
const JOIN_BYTES = 4096

export class WebSocketReader {
  readonly #sink: WebSocketSink
  readonly #isServer: boolean
  readonly #maxMessageBytes: number
  readonly #head = new Uint8Array(MAX_HEADER_BYTES)
  #headBytes = 0
  /** Of the header that is being read, as far as is known. */
  #headLength = 2
  readonly #mask = new Uint8Array(4)
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
  /** Of a close frame that has come. */
  #closeCode: number | undefined
  readonly #budget = new FrameBudget()
  /** Payload of the chunk that has not been given on: from here to there. */
  #from = 0
  #to = 0

  /** @param isServer - the peer is a client, and masks what it sends */
  constructor(isServer: boolean, maxMessageBytes: number, sink: WebSocketSink) {
    this.#isServer = isServer
    this.#maxMessageBytes = maxMessageBytes
    this.#sink = sink
  }

  /**
   * Takes the next bytes. What comes behind a close frame is ignored (RFC 6455, section 5.5.1).
   *
   * @param chunk - is unmasked where it is, and what was taken is given on: the caller must not use that later
   * @param maxFrames - begun at most: a chunk may hold thousands
   * @returns how many bytes were taken
   * @throws {WebSocketError} where the peer may not send that; nothing can be read any further
   */
  push(chunk: Uint8Array, now: Millis, maxFrames: number = Infinity): number {
    this.#budget.refill(now)
    try {
      return this.#frames(chunk, maxFrames)
    } finally {
      this.#giveOn(chunk)
      this.#tellClose()
    }
  }

  #frames(chunk: Uint8Array, maxFrames: number): number {
    let at = 0
    let left = maxFrames
    while (at < chunk.length && !this.#isOver) {
      if (this.#missing > 0) at = this.#payload(chunk, at)
      else if (left-- > 0) at = this.#header(chunk, at)
      else return at
    }
    return chunk.length
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
        if (!this.#isInMessage) throw broken(byte, 'there is no message to continue')
        break
      case OPCODE.binary:
        if (this.#isInMessage) throw broken(byte, 'the previous message has not ended')
        break
      case OPCODE.text:
        throw new WebSocketError('the peer sent a text message on a WebSocket path', CLOSE.unsupportedData)
      case OPCODE.close:
      case OPCODE.ping:
      case OPCODE.pong:
        if (!this.#isFinal) throw broken(byte, 'a control frame is fragmented')
        break
      default:
        throw broken(byte, `opcode ${this.#opcode} is unknown`)
    }
  }

  #judgeSecond(byte: number): void {
    const isMasked = (byte & MASKED) !== 0
    if (isMasked !== this.#isServer)
      throw broken(byte, isMasked ? 'a frame of a server is masked' : 'a frame of a client is not masked')
    const length = byte & ~MASKED
    if (this.#isControl && length > MAX_CONTROL_BYTES)
      throw broken(byte, `a control frame is longer than ${MAX_CONTROL_BYTES} bytes`)
    if (this.#opcode === OPCODE.close && length === 1) throw broken(byte, 'the close code is incomplete')
    this.#headLength += (length === 126 ? 2 : length === 127 ? 8 : 0) + (isMasked ? 4 : 0)
  }

  get #isControl(): boolean {
    return (this.#opcode & IS_CONTROL) !== 0
  }

  /** The header is there in full. */
  #open(): void {
    this.#length = this.#lengthOf()
    this.#missing = this.#length
    if (this.#isServer) this.#openMask(this.#headLength - 4)
    this.#headBytes = 0
    this.#headLength = 2
    if (this.#isControl || this.#length === 0) this.#charge()
    else this.#budget.earn()
    if (this.#isControl) this.#control = new Uint8Array(this.#length)
    else {
      this.#messageBytes += this.#length
      if (this.#messageBytes > this.#maxMessageBytes)
        throw new WebSocketError(
          `the peer sent a WebSocket message of ${this.#messageBytes} bytes, and the limit is ${this.#maxMessageBytes}`,
          CLOSE.tooBig,
        )
    }
    if (this.#length === 0) this.#close()
  }

  /** Zeros would change nothing. */
  #openMask(at: number): void {
    const mask = this.#mask
    let bits = 0
    for (let n = 0; n < 4; n++) bits |= mask[n] = this.#head[at + n]!
    this.#isMasked = bits !== 0
  }

  #charge(): void {
    if (this.#opcode !== OPCODE.close && !this.#budget.spend())
      throw new WebSocketError(
        `the peer sent more than ${MAX_EMPTY_FRAMES} WebSocket frames without payload`,
        CLOSE.policy,
      )
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
    if (this.#control === undefined) this.#keep(chunk, at, end)
    else this.#control.set(bytes, phase)
    if (this.#missing === 0) this.#close()
    return end
  }

  /** Small parts become neighbours, and are given on as one: each costs its taker more than its bytes. */
  #keep(chunk: Uint8Array, from: number, to: number): void {
    const hasSome = this.#to > this.#from
    if (hasSome && to - from <= JOIN_BYTES) {
      chunk.copyWithin(this.#to, from, to)
      this.#to += to - from
      return
    }
    this.#giveOn(chunk)
    this.#from = from
    this.#to = to
  }

  #giveOn(chunk: Uint8Array): void {
    const bytes = this.#to - this.#from
    if (bytes === 0) return
    const payload = bytes === chunk.length ? chunk : chunk.subarray(this.#from, this.#to)
    this.#from = this.#to = 0
    this.#sink.onData(payload)
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
      this.#closeCode = closeCodeOf(control)
      this.#isOver = true
    }
  }

  /** Behind the payload before it. */
  #tellClose(): void {
    const code = this.#closeCode
    this.#closeCode = undefined
    if (code !== undefined) this.#sink.onClose(code)
  }
}

/** UTF-8 of the reason is not checked, since the reason is not read. */
function closeCodeOf(payload: Uint8Array): number {
  if (payload.length === 0) return CLOSE.none
  const code = payload[0]! * 256 + payload[1]!
  if (!mayBeSent(code))
    throw new WebSocketError(`the peer sent ${code}, which is not a valid close code of WebSockets`)
  return code
}

/** RFC 6455, section 7.4, and the registry of IANA. */
function mayBeSent(code: number): boolean {
  if (code >= 3000) return code < 5000
  return code >= 1000 && code <= 1014 && ![1004, CLOSE.none, CLOSE.abnormal].includes(code)
}

function broken(byte: number, why: string): WebSocketError {
  return new WebSocketError(`invalid WebSocket frame, byte 0x${byte.toString(16).padStart(2, '0')}: ${why}`)
}
