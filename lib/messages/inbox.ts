// SPDX-License-Identifier: Apache-2.0
/** Puts messages without an order together: each is there once all of it has come, whatever is missing of others. */
import { tooLongError, tooManyError } from './message-bytes.js'
import { FIRST_LIMIT_BYTES } from './outbox.js'
import { costOf, decodePart, encodeLimit, frameError, type Part, PIECE_BYTES, type Piece } from './part.js'

/** A new limit is worth a part when it has grown by this share of the window. */
const GROWN_SHARE = 1 / 4

interface Message {
  readonly bytes: Buffer
  readonly cost: number
}

/** One of which something is missing. */
interface Unfinished {
  readonly length: number
  readonly pieces: Map<number, Uint8Array>
  cost: number
}

export interface InboxInit {
  readonly maxMessageBytes: number
  /** Bytes of parts that are kept, those of unfinished messages included. */
  readonly windowBytes: number
}

export class Inbox {
  readonly #init: InboxInit
  /** In the order of their ends. */
  readonly #complete = new Set<Message>()
  readonly #unfinished = new Map<number, Unfinished>()
  /** Messages that are complete, those included that the reader has. */
  #count = 0
  /** How many there are in all, once that is known. */
  #end: number | undefined
  #keptBytes = 0
  #freedBytes = 0
  #limitBytes = FIRST_LIMIT_BYTES
  #cameBytes = 0

  constructor(init: InboxInit) {
    this.#init = init
  }

  /** Bytes of parts that it keeps, with what each costs. */
  get keptBytes(): number {
    return this.#keptBytes
  }

  /** No complete message waits. */
  get isEmpty(): boolean {
    return this.#complete.size === 0
  }

  /** The peer sends nothing any more, and all that it sent has come. */
  get hasEnded(): boolean {
    return this.#end === this.#count
  }

  /**
   * Takes a part. Limits are the sending half's.
   *
   * @throws ERR_MULTIPATH_FRAME for what no part of messages can be, here
   * @throws ERR_MULTIPATH_LIMIT for a message that is too long, and for more than was allowed
   */
  add(bytes: Uint8Array): Part {
    const part = decodePart(bytes)
    if (part.type === 'end') this.#ends(part.messages)
    else if (part.type !== 'limit') this.#keep(part, costOf(bytes))
    return part
  }

  /** The next complete message. */
  take(): Buffer | undefined {
    const [message] = this.#complete
    if (message === undefined) return undefined
    this.#complete.delete(message)
    this.#keptBytes -= message.cost
    this.#freedBytes += message.cost
    return message.bytes
  }

  /** A part that tells the peer how much is taken by now; `undefined` where it knows well enough. */
  limitDue(): Uint8Array | undefined {
    const { windowBytes } = this.#init
    const limitBytes = this.#freedBytes + windowBytes
    if (limitBytes - this.#limitBytes < windowBytes * GROWN_SHARE) return undefined
    this.#limitBytes = limitBytes
    return encodeLimit(limitBytes)
  }

  #keep(part: Part & { readonly type: 'whole' | 'piece' }, cost: number): void {
    this.#cameBytes += cost
    if (this.#cameBytes > this.#limitBytes) throw tooManyError()
    this.#keptBytes += cost
    if (part.type === 'piece') this.#join(part.piece, cost)
    else this.#completed(part.bytes, cost)
  }

  #join({ message, length, index, bytes }: Piece, cost: number): void {
    if (length > this.#init.maxMessageBytes) throw tooLongError(length, this.#init.maxMessageBytes)
    let unfinished = this.#unfinished.get(message)
    if (unfinished === undefined) {
      unfinished = { length, pieces: new Map(), cost: 0 }
      this.#unfinished.set(message, unfinished)
    }
    const { pieces } = unfinished
    if (unfinished.length !== length) throw frameError('of a message that had another length')
    if (pieces.has(index)) throw frameError('that came twice')
    pieces.set(index, bytes)
    unfinished.cost += cost
    if (pieces.size * PIECE_BYTES < length) return
    this.#unfinished.delete(message)
    const whole = Buffer.allocUnsafe(length)
    for (const [at, piece] of pieces) whole.set(piece, at * PIECE_BYTES)
    this.#completed(whole, unfinished.cost)
  }

  #completed(bytes: Uint8Array, cost: number): void {
    if (bytes.length > this.#init.maxMessageBytes)
      throw tooLongError(bytes.length, this.#init.maxMessageBytes)
    this.#count++
    if (this.#end !== undefined && this.#count > this.#end) throw frameError('behind the last message')
    this.#complete.add({ bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), cost })
  }

  #ends(messages: number): void {
    const isOther = this.#end !== undefined && this.#end !== messages
    if (isOther || messages < this.#count + this.#unfinished.size)
      throw frameError(`that ends after ${messages} messages, which contradicts what has come`)
    this.#end = messages
  }
}
