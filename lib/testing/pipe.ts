// SPDX-License-Identifier: Apache-2.0
/** One direction of one byte stream over a simulated link: what TCP and its two socket buffers do. */
import type { Clock, Millis } from '../clock.js'
import { ByteQueue } from '../wire/byte-queue.js'
import { joined } from '../wire/joined.js'
import type { KernelWindow } from './kernel-window.js'

/** What travels: bytes, or the news that there are no more, in order (FIN) or not (RST). */
export type Parcel = Uint8Array | 'end' | 'reset'

/** A parcel on its way, and where it belongs in its stream. */
export interface Segment {
  readonly parcel: Parcel
  readonly order: number
}

/** Gets what comes out of a pipe, and the news that there is room again at its entrance. */
export interface PipeHandler {
  onBytes(bytes: Uint8Array): void
  onEnd(): void
  onReset(): void
}

/** The link's part of the work, as a pipe sees it. */
export interface Carrier {
  readonly isFrozen: boolean
  /** The pipe has something to send, or may go on. */
  offer(pipe: Pipe): void
}

export interface PipeInit {
  readonly clock: Clock
  readonly carrier: Carrier
  /** Bytes that the sender's socket takes beyond what is on its way. */
  readonly sendBufferBytes: number
  /** Bytes on their way or unread at the receiver. */
  readonly receiveBufferBytes: number
  /** First retransmission timeout, milliseconds; it doubles with each try. */
  readonly retryMs: number
  /** Of the sender; none where the link alone decides. */
  readonly kernel?: KernelWindow | undefined
}

export class Pipe {
  /** When the last parcel arrives that has left; the next one cannot overtake it. */
  lastArrivalAt: Millis = 0
  /** Called when the send buffer takes bytes again after {@link write} said no. */
  onRoom: (() => void) | undefined
  readonly #init: PipeInit
  readonly #buffer = new ByteQueue()
  /** What a freeze took off the link, to be sent anew before all else. */
  #returned: Segment[] = []
  /** Orders of the next segment to leave, and of the next to be handed out. */
  #nextOrder = 0
  #nextArrival = 0
  /** Arrived before what they stand behind. */
  readonly #ahead = new Map<number, Segment>()
  #isPacing = false
  /** Comes behind all bytes. */
  #last: 'end' | undefined
  #handler: PipeHandler | undefined
  #arrived: Parcel[] = []
  #isPaused = false
  /** On their way, or there and unread. */
  #outstandingBytes = 0
  #isFull = false
  /** Since when the link has been swallowing what we send. */
  #blackoutSince: Millis | undefined
  #isDead = false
  #retransmits = 0

  constructor(init: PipeInit) {
    this.#init = init
  }

  /** Bytes in the send buffer. */
  get bufferedBytes(): number {
    return this.#buffer.bytes
  }

  /** Whether the sender's kernel sends by a model of the path. */
  get isModelBased(): boolean {
    return this.kernel?.isModelBased ?? false
  }

  /** Segments that TCP has sent again. */
  get retransmits(): number {
    return this.#retransmits
  }

  /** The link has lost one, and carries it again by itself. */
  repaired(): void {
    this.#retransmits++
  }

  /** Takes over the exit. What has arrived is handed out now. */
  handle(handler: PipeHandler): void {
    this.#handler = handler
    this.#deliver()
  }

  /** Copies `chunks` into the send buffer. @returns whether it takes more; if not, {@link onRoom} tells when */
  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#isDead) return true
    this.#buffer.append(joined(chunks))
    if (this.#buffer.bytes >= this.#init.sendBufferBytes) this.#isFull = true
    this.#offer()
    return !this.#isFull
  }

  /** No more bytes will come: FIN. */
  end(): void {
    this.#last = 'end'
    this.#offer()
  }

  /** Drops what has not left and tells the other end: RST. */
  reset(): void {
    this.#buffer.clear()
    this.#last = undefined
    this.#returned = [{ parcel: 'reset', order: this.#nextOrder++ }]
    this.#offer()
  }

  /** Nothing comes out any more, nor goes in. */
  kill(): void {
    this.#isDead = true
    this.#buffer.clear()
    this.#last = undefined
    this.#returned = []
    this.#arrived = []
    this.#handler = undefined
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    this.#deliver()
  }

  /** Its kernel decides what is on the way, and fills a queue until it overflows. */
  get kernel(): KernelWindow | undefined {
    return this.#init.kernel
  }

  /** The next segment for the link, of at most `bytes` bytes. */
  next(bytes: number): Segment | undefined {
    if (this.#isDead) return undefined
    const allowed = this.#allowed(bytes)
    if (allowed === 0) return undefined
    const returned = this.#returned.shift()
    if (returned !== undefined) return this.#left(returned)
    const room = Math.min(allowed, this.#init.receiveBufferBytes - this.#outstandingBytes)
    if (this.#buffer.bytes > 0) {
      if (room <= 0) return undefined
      const pieces = this.#buffer.take(room)
      const parcel = pieces.length === 1 ? pieces[0]! : joined(pieces)
      return this.#left({ parcel, order: this.#nextOrder++ })
    }
    const last = this.#last
    this.#last = undefined
    if (last === undefined) this.#init.kernel?.starved()
    return last && { parcel: last, order: this.#nextOrder++ }
  }

  /** What the kernel lets leave now, whole packets. */
  #allowed(bytes: number): number {
    const { kernel, clock } = this.#init
    if (kernel === undefined) return bytes
    const now = clock.now()
    const waiting = this.#returned.length > 0 ? bytes : Math.min(bytes, Math.max(1, this.#buffer.bytes))
    const burst = kernel.burst(waiting, now)
    if (burst > 0) return burst
    if (kernel.paceAt > now && !this.#isPacing) {
      this.#isPacing = true
      clock.callAt(kernel.paceAt, () => {
        this.#isPacing = false
        this.#offer()
      })
    }
    return 0
  }

  #left(segment: Segment): Segment {
    const { parcel } = segment
    if (parcel instanceof Uint8Array) this.#outstandingBytes += parcel.length
    if (this.#isFull && this.#buffer.bytes <= this.#init.sendBufferBytes / 2) {
      this.#isFull = false
      // Never from inside the link's own work: who hears it writes.
      this.#init.clock.callAt(this.#init.clock.now(), () => this.onRoom?.())
    }
    return segment
  }

  /** A segment comes out of the link. What is behind one that is missing waits for it. */
  arrive(segment: Segment): void {
    if (this.#isDead) return
    this.#ahead.set(segment.order, segment)
    // What was to leave before a reset has been dropped.
    if (segment.parcel === 'reset') this.#nextArrival = segment.order
    for (let next; (next = this.#ahead.get(this.#nextArrival)) !== undefined; ) {
      this.#ahead.delete(this.#nextArrival++)
      this.#arrived.push(next.parcel)
    }
    this.#deliver()
  }

  /** Its kernel may send more. */
  acknowledged(): void {
    this.#offer()
  }

  /** Its kernel has learnt that a segment is lost: before all that is new, it leaves again. */
  lost(segment: Segment): void {
    this.#takeBack([segment])
    this.#offer()
  }

  #deliver(): void {
    while (this.#handler !== undefined && !this.#isPaused) {
      const parcel = this.#arrived.shift()
      if (parcel === undefined) return
      if (parcel === 'end') this.#handler.onEnd()
      else if (parcel === 'reset') this.#handler.onReset()
      else {
        this.#outstandingBytes -= parcel.length
        this.#handler.onBytes(parcel)
        this.#offer()
      }
    }
  }

  /** The link froze with these on their way: TCP still has them and sends them anew. */
  takeBack(segments: readonly Segment[]): void {
    this.#takeBack(segments)
    this.lastArrivalAt = 0
    this.#init.kernel?.collapsed()
    if (segments.length > 0) this.#offer()
  }

  #takeBack(segments: readonly Segment[]): void {
    this.#retransmits += segments.length
    for (const { parcel } of segments)
      if (parcel instanceof Uint8Array) this.#outstandingBytes -= parcel.length
    this.#returned = [...segments, ...this.#returned].sort((a, b) => a.order - b.order)
  }

  /** When TCP tries again after a blackout: each try of before has doubled its patience. */
  resumesAt(): Millis {
    const now = this.#init.clock.now()
    if (this.#blackoutSince === undefined) return now
    let wait = this.#init.retryMs
    let at = this.#blackoutSince + wait
    while (at < now) {
      wait *= 2
      at += wait
    }
    return at
  }

  /** The blackout is over for this stream. */
  resumed(): void {
    this.#blackoutSince = undefined
  }

  get isWaitingForRetry(): boolean {
    return this.#blackoutSince !== undefined
  }

  #offer(): void {
    if (this.#isDead) return
    if (this.#init.carrier.isFrozen) this.#blackoutSince ??= this.#init.clock.now()
    this.#init.carrier.offer(this)
  }
}
