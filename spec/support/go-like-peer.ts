// SPDX-License-Identifier: Apache-2.0
/**
 * Behaves like a Go peer on the wire, its quirks included: 4,096 frames beyond the last one read, what is further
 * is dropped without an ack; codes 2 to 9 ignored; every frame acked on the subflow it came by, duplicates too;
 * frames sent again on a 100 ms tick; no end but the closing of every subflow.
 */
import { AckWriter, encodeDataHeader } from '../../lib/wire/frame.js'
import { FrameReader } from '../../lib/wire/frame-reader.js'
import { Payload } from '../../lib/wire/payload.js'
import { FIRST_FRAME, GO_RECEIVE_FRAMES } from '../../lib/wire/limits.js'
import type { LinkEnd } from '../../lib/testing/link-end.js'
import type { ManualClock } from '../../lib/testing/manual-clock.js'
import { patternAt, PatternChecker } from './pattern.js'

const TICK_MS = 100
const MAX_TIMEOUT_MS = 512
const MAX_IN_FLIGHT = 500
/** A subflow that has carried a frame may carry it again after so long. */
const REUSE_MS = 1000

interface Sent {
  readonly fn: number
  readonly wire: Uint8Array
  sentAt: number
  via: GoSubflow
  readonly carriers: Map<GoSubflow, number>
}

interface GoSubflow {
  readonly end: LinkEnd
  rttMs: number
  isBlocked: boolean
}

export class GoLikePeer {
  readonly received: PatternChecker
  /** Data frames that came in, and those of them dropped without an ack. */
  frames = 0
  dropped = 0
  duplicates = 0
  resent = 0
  isClosed = false
  readonly #clock: ManualClock
  readonly #seed: number
  readonly #subflows: GoSubflow[] = []
  readonly #stored = new Map<number, Uint8Array>()
  /** The last frame that the application has read. */
  #tip = 0
  #nextFn = FIRST_FRAME
  #readBytesPerMs = Infinity
  #budget = 0
  readonly #unacked = new Map<number, Sent>()
  #written = 0
  #toWrite = 0
  #writeBytes = 32_768
  #isTicking = false

  constructor(clock: ManualClock, { writes = 2, reads = 1 }: { writes?: number; reads?: number } = {}) {
    this.#clock = clock
    this.#seed = writes
    this.received = new PatternChecker(reads)
  }

  get isWritten(): boolean {
    return this.#toWrite === 0 && this.#unacked.size === 0
  }

  /** How fast its application reads; 0 stops it. */
  set readBytesPerMs(rate: number) {
    const isTicking = this.#readBytesPerMs > 0 && this.#readBytesPerMs < Infinity
    this.#readBytesPerMs = rate
    this.#budget = 0
    this.#read()
    if (!isTicking && rate > 0 && rate < Infinity) this.#tickReader()
  }

  /** The listener's or the dialer's half of a subflow whose hello is done. */
  join(end: LinkEnd, isDialer = false): void {
    const subflow: GoSubflow = { end, rttMs: 60_000, isBlocked: false }
    this.#subflows.push(subflow)
    const reader = new FrameReader({
      begin: (_fn, size) => new Payload(size),
      onData: (fn, _size, pieces) => {
        this.#data(subflow, fn, Buffer.concat(pieces ?? []))
      },
      onAck: (fn) => {
        this.#acked(fn)
      },
      onCode: (code) => {
        if (code === 0) this.#say(subflow, 1)
      },
    })
    const gone = (): void => {
      this.#subflows.splice(this.#subflows.indexOf(subflow), 1)
      if (this.#subflows.length === 0) this.isClosed = true
    }
    end.handle({
      onBytes: (bytes) => {
        reader.push(bytes)
      },
      onRoom: () => {
        subflow.isBlocked = false
        this.#pump()
      },
      onEnd: () => {
        end.close()
        gone()
      },
      onReset: gone,
    })
    if (isDialer) this.#say(subflow, 1)
    this.#say(subflow, 0)
    this.#pump()
  }

  /** Writes so many bytes more, each write one frame. */
  write(bytes: number, writeBytes = 32_768): void {
    this.#toWrite += bytes
    this.#writeBytes = writeBytes
    this.#pump()
    if (!this.#isTicking) this.#tick()
  }

  /** Drops what is unacked and closes every subflow. */
  close(): void {
    this.isClosed = true
    for (const { end } of this.#subflows.splice(0)) end.close()
  }

  #say(subflow: GoSubflow, value: number): void {
    const writer = new AckWriter()
    writer.add(value)
    subflow.end.write(writer.take())
  }

  #data(subflow: GoSubflow, fn: number, payload: Uint8Array): void {
    this.frames++
    if (fn > this.#tip + GO_RECEIVE_FRAMES) {
      this.dropped++
      return
    }
    if (fn < this.#nextFn || this.#stored.has(fn)) this.duplicates++
    else this.#stored.set(fn, payload)
    this.#say(subflow, fn)
    this.#read()
  }

  #read(): void {
    while (this.#readBytesPerMs === Infinity || this.#budget > 0) {
      const payload = this.#stored.get(this.#nextFn)
      if (payload === undefined) return
      this.#stored.delete(this.#nextFn)
      this.#tip = this.#nextFn++
      this.#budget -= payload.length
      this.received.add(payload)
    }
  }

  #tickReader(): void {
    this.#clock.callAt(this.#clock.now() + 1, () => {
      if (this.#readBytesPerMs === 0 || this.#readBytesPerMs === Infinity) return
      this.#budget = Math.min(0, this.#budget) + this.#readBytesPerMs
      this.#read()
      this.#tickReader()
    })
  }

  #acked(fn: number): void {
    const sent = this.#unacked.get(fn)
    if (sent === undefined) return
    this.#unacked.delete(fn)
    const sample = Math.min(1000, this.#clock.now() - sent.sentAt)
    sent.via.rttMs = sent.via.rttMs === 60_000 ? sample : (sent.via.rttMs + sample) / 2
    this.#pump()
  }

  #sorted(): GoSubflow[] {
    return this.#subflows.filter(({ isBlocked }) => !isBlocked).sort((a, b) => a.rttMs - b.rttMs)
  }

  #pump(): void {
    while (this.#toWrite > 0 && this.#unacked.size <= MAX_IN_FLIGHT) {
      const via = this.#sorted()[0]
      if (via === undefined) return
      const bytes = Math.min(this.#toWrite, this.#writeBytes)
      const fn = FIRST_FRAME + this.#fnsUsed++
      const payload = patternAt(this.#seed, this.#written, bytes)
      this.#written += bytes
      this.#toWrite -= bytes
      const wire = Buffer.concat([encodeDataHeader(bytes, fn), payload])
      const sent: Sent = { fn, wire, sentAt: 0, via, carriers: new Map() }
      this.#unacked.set(fn, sent)
      this.#send(sent, via)
    }
  }

  #fnsUsed = 0

  #send(sent: Sent, via: GoSubflow): void {
    sent.sentAt = this.#clock.now()
    sent.via = via
    sent.carriers.set(via, this.#clock.now())
    if (!via.end.write(sent.wire)) via.isBlocked = true
  }

  #tick(): void {
    this.#isTicking = true
    this.#clock.callAt(this.#clock.now() + TICK_MS, () => {
      this.#isTicking = false
      if (this.isClosed) return
      for (const sent of this.#unacked.values()) this.#maybeResend(sent)
      this.#pump()
      if (!this.isWritten) this.#tick()
    })
  }

  #maybeResend(sent: Sent): void {
    const now = this.#clock.now()
    // Its first frame is never sent again.
    if (sent.fn === FIRST_FRAME || now - sent.sentAt < Math.min(2 * sent.via.rttMs, MAX_TIMEOUT_MS)) return
    const fresh = this.#sorted().find((subflow) => {
      const usedAt = sent.carriers.get(subflow)
      return usedAt === undefined || now - usedAt > REUSE_MS
    })
    if (fresh === undefined) return
    this.resent++
    this.#send(sent, fresh)
  }
}
