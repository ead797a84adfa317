// SPDX-License-Identifier: Apache-2.0
/** Runs the core of a session over the connection below: passes bytes, keeps the one timer, hands on events. */
import type { Duplex } from 'node:stream'
import type { Clock, Millis } from '../clock.js'
import { callForeign } from '../stream/foreign.js'
import type { Endpoints } from '../stream/socket-surface.js'
import { endpointsOf } from '../stream/socket-surface.js'
import { Carrier } from './carrier.js'
import type { MuxStream, StreamHost } from './mux-stream.js'
import { SessionCore } from './session-core.js'
import type { MuxEvent, SessionInit } from './session-state.js'
import type { StreamCore } from './stream-core.js'

/** Frames are built for this many bytes at a time: enough for one write, but not enough to delay other streams. */
const POLL_BYTES = 262_144

/** New streams that are told of in one turn of the event loop: the rest of a crowd waits, so that others get theirs. */
const STREAMS_A_TURN = 32

/** What concerns the session as a whole. */
export type SessionEvent = Exclude<MuxEvent, { readonly type: 'changed' }>

export interface DriverHandler {
  onEvent(event: SessionEvent): void
  /** The connection below is closed. */
  onClose(): void
}

export class Driver implements StreamHost {
  readonly core: SessionCore
  readonly clock: Clock
  readonly #carrier: Carrier
  readonly #handler: DriverHandler
  readonly #streams = new Map<StreamCore, MuxStream>()
  #isFlushing = false
  #isFlushDue = false
  #isDispatching = false
  #streamsLeft = STREAMS_A_TURN
  #timerAt: Millis = Infinity
  #cancelTimer: (() => void) | undefined

  constructor(duplex: Duplex, init: Omit<SessionInit, 'now'>, clock: Clock, handler: DriverHandler) {
    this.clock = clock
    this.#handler = handler
    this.core = new SessionCore({ ...init, now: clock.now() })
    this.#carrier = new Carrier(
      duplex,
      {
        onBytes: (bytes) => {
          this.core.receive(bytes, clock.now())
          // One read of a socket brings several pieces, which are handed on and answered as one.
          this.flushSoon()
        },
        onDrain: () => {
          this.#flush()
        },
        onEnd: () => {
          this.core.ended()
          this.#dispatch()
          this.#flush()
        },
        onResumed: () => {
          this.core.forgive(clock.now())
        },
        onClose: (error) => {
          this.#closed(error)
        },
      },
      clock,
      init.limits.lingerMs,
    )
    this.#arm()
  }

  get endpoints(): Endpoints {
    return endpointsOf(this.#carrier.duplex)
  }

  /** `stream` hears what happens to `core`, until it is destroyed. */
  add(core: StreamCore, stream: MuxStream): void {
    this.#streams.set(core, stream)
  }

  accept(core: StreamCore): void {
    this.core.accept(core)
    this.flushSoon()
  }

  write(core: StreamCore, chunks: readonly Uint8Array[], isLent: (chunk: Uint8Array) => boolean): void {
    this.core.write(core, chunks, isLent)
    this.flushSoon()
  }

  end(core: StreamCore): void {
    this.core.end(core)
    this.flushSoon()
  }

  take(core: StreamCore): Uint8Array | undefined {
    const bytes = this.core.take(core)
    if (bytes !== undefined) this.flushSoon()
    return bytes
  }

  abandon(core: StreamCore, isReset: boolean): void {
    this.core.abandon(core, isReset, this.clock.now())
    this.#streams.delete(core)
    this.flushSoon()
  }

  /** Sends what there is to send once the code that runs now is done: many small writes go out as one. */
  readonly flushSoon = (): void => {
    if (this.#isFlushDue || this.#isFlushing) return
    this.#isFlushDue = true
    process.nextTick(this.#flushNow)
  }

  readonly #flushNow = (): void => {
    // What readers take meanwhile makes credit, which leaves with this flush.
    this.#dispatch()
    this.#isFlushDue = false
    this.#flush()
  }

  /** Ends everything at once: with `error` for the streams as well, or without any. */
  destroy(error?: Error): void {
    if (error === undefined) for (const stream of this.#streams.values()) stream.destroy()
    this.core.fail(error)
    this.#dispatch()
    this.#arm()
    this.#carrier.destroy()
  }

  #flush(): void {
    if (this.#isFlushing) return
    this.#isFlushing = true
    // After a failure, the peer hears why whether there is room or not.
    while (this.#carrier.hasRoom || this.core.isOver) {
      const chunks = this.core.poll(POLL_BYTES, this.clock.now())
      if (chunks.length === 0) break
      this.#carrier.write(chunks)
      this.#dispatch()
    }
    this.#isFlushing = false
    if (this.core.isOver || (this.core.isFinished && this.#carrier.hasRoom)) this.#carrier.end()
    this.#arm()
  }

  /** Tells of everything that has happened, and of what that makes happen. */
  #dispatch(): void {
    if (this.#isDispatching) return
    this.#isDispatching = true
    for (let events = this.#takeEvents(); events.length > 0; events = this.#takeEvents())
      for (const event of events) this.#hand(event)
    this.#isDispatching = false
  }

  #takeEvents(): readonly MuxEvent[] {
    const events = this.core.takeEvents(this.#streamsLeft)
    const streams = events.filter(({ type }) => type === 'stream').length
    if (streams === 0) return events
    if (this.#streamsLeft === STREAMS_A_TURN) setImmediate(this.#nextTurn)
    this.#streamsLeft -= streams
    return events
  }

  readonly #nextTurn = (): void => {
    this.#streamsLeft = STREAMS_A_TURN
    this.#flushNow()
  }

  #hand(event: MuxEvent): void {
    if (event.type === 'changed') this.#streams.get(event.stream)?.settle()
    else
      callForeign(() => {
        this.#handler.onEvent(event)
      })
  }

  #closed(error: Error | undefined): void {
    if (error === undefined) this.core.ended()
    else this.core.fail(error)
    this.#dispatch()
    this.#cancelTimer?.()
    this.#handler.onClose()
  }

  /** A timer that is early finds nothing due and is set again: cheaper than to move it with every byte. */
  #arm(): void {
    const at = this.core.nextTickAt
    if (at >= this.#timerAt && at !== Infinity) return
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    this.#timerAt = at
    if (at === Infinity) return
    this.#cancelTimer = this.clock.callAt(at, () => {
      this.#timerAt = Infinity
      const now = this.clock.now()
      if (this.#carrier.isSuspended) this.core.forgive(now)
      this.core.tick(now)
      this.#dispatch()
      this.#flush()
    })
  }
}
