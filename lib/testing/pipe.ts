// SPDX-License-Identifier: Apache-2.0
/** One direction of one byte stream over a simulated link: what TCP and its two socket buffers do. */
import type { Clock, Millis } from '../clock.js'
import { ByteQueue } from '../wire/byte-queue.js'

/** What travels: bytes, or the news that there are no more, in order (FIN) or not (RST). */
export type Parcel = Uint8Array | 'end' | 'reset'

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
}

export class Pipe {
  /** When the last parcel arrives that has left; the next one cannot overtake it. */
  lastArrivalAt: Millis = 0
  /** Called when the send buffer takes bytes again after {@link write} said no. */
  onRoom: (() => void) | undefined
  readonly #init: PipeInit
  readonly #buffer = new ByteQueue()
  /** What a freeze took off the link, to be sent anew before all else. */
  #returned: Parcel[] = []
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

  constructor(init: PipeInit) {
    this.#init = init
  }

  /** Bytes in the send buffer. */
  get bufferedBytes(): number {
    return this.#buffer.bytes
  }

  /** Takes over the exit. What has arrived is handed out now. */
  handle(handler: PipeHandler): void {
    this.#handler = handler
    this.#deliver()
  }

  /** Copies `bytes` into the send buffer. @returns whether it takes more; if not, {@link onRoom} tells when */
  write(bytes: Uint8Array): boolean {
    if (this.#isDead) return true
    // Not slice(): of a Buffer, that is a view.
    this.#buffer.append(new Uint8Array(bytes))
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
    this.#returned = ['reset']
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

  /** The next parcel for the link, of at most `bytes` bytes. */
  next(bytes: number): Parcel | undefined {
    if (this.#isDead) return undefined
    const returned = this.#returned.shift()
    if (returned !== undefined) return this.#left(returned)
    const room = Math.min(bytes, this.#init.receiveBufferBytes - this.#outstandingBytes)
    if (this.#buffer.bytes > 0) {
      const slice = room <= 0 ? undefined : this.#buffer.takeSlice(room)
      return slice && this.#left(slice)
    }
    const last = this.#last
    this.#last = undefined
    return last
  }

  #left(parcel: Parcel): Parcel {
    if (parcel instanceof Uint8Array) this.#outstandingBytes += parcel.length
    if (this.#isFull && this.#buffer.bytes <= this.#init.sendBufferBytes / 2) {
      this.#isFull = false
      // Never from inside the link's own work: who hears it writes.
      this.#init.clock.callAt(this.#init.clock.now(), () => this.onRoom?.())
    }
    return parcel
  }

  /** A parcel comes out of the link. */
  arrive(parcel: Parcel): void {
    if (this.#isDead) return
    this.#arrived.push(parcel)
    this.#deliver()
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
  takeBack(parcels: readonly Parcel[]): void {
    for (const parcel of parcels) if (parcel instanceof Uint8Array) this.#outstandingBytes -= parcel.length
    this.#returned = [...parcels, ...this.#returned]
    this.lastArrivalAt = 0
    if (parcels.length > 0) this.#offer()
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
