// SPDX-License-Identifier: Apache-2.0
/** Runs one connection's core on whatever its ports are: feeds it bytes and time, and does what it says. */
import type { Clock, Millis } from '../clock.js'
import type { Action } from '../core/action.js'
import { ConnectionCore } from '../core/connection.js'
import type { CloseReason, GracefulClose } from '../core/health.js'
import type { CoreInit, SubflowInit } from '../core/init.js'
import { type ConnLimits, LIMIT_OPTIONS } from '../core/options.js'
import type { Wanted } from '../core/parallel.js'
import type { Subflow } from '../core/subflow.js'
import { debug } from '../debug.js'
import type { MultipathError } from '../errors.js'
import { refuseUnknown, resolveOptions } from '../options.js'
import { CoreTimer, type CoreTimerHost } from './core-timer.js'
import type { DriverPorts, SocketPort } from './driver-ports.js'
import { Reading } from './reading.js'
import { SubflowHandler, type SubflowOwner } from './subflow-handler.js'
import { TraceWriter } from './trace.js'
import type { TraceInit } from './trace-sink.js'

export interface DriverInit extends CoreInit {
  readonly trace?: TraceInit | undefined
}

/** The stream that users see, as the driver needs it. */
export interface DriverHost {
  /** There may be bytes to take, or the end of them. */
  onReadable(): void
  /** There may be room to write, or all that was written may have been acked. */
  onProgress(): void
  onSubflow(change: Extract<Action, { kind: 'subflow' }>): void
  /** A path is to have more subflows, or fewer. */
  onParallel(wanted: Wanted): void
  /** No subflow is left and the connection is held; or it goes on, after so many milliseconds. */
  onSuspension(resumedAfterMs: number | undefined): void
  /** The connection is over. */
  onFinished(error: MultipathError | undefined): void
}

/** So many are taken before a look at the time: some tens of microseconds. */
const PORTION_FRAMES = 64

export class Driver<Stream> implements CoreTimerHost, SubflowOwner {
  readonly core: ConnectionCore
  readonly clock: Clock
  readonly #host: DriverHost
  /** Of this connection alone: the core looks at them each time. */
  readonly #options: CoreInit['options']
  readonly #ports: DriverPorts<Stream>
  readonly #sockets = new Map<Subflow, SocketPort<Stream>>()
  readonly #reading = new Reading(this.#sockets)
  readonly #timer: CoreTimer
  #trace: TraceWriter | undefined
  #side: TraceInit['side'] = 'dialer'
  #isRefed = true
  /** The stream above is destroyed, and what it has accepted is still on its way. */
  #isLingering = false
  #isFlushing = false
  #flushAgain = false
  /** Something came in since the last flush. */
  #isFlushDue = false
  #flushAtTickEnd = false
  #flushAtTurnEnd = false

  constructor(init: DriverInit, ports: DriverPorts<Stream>, host: DriverHost) {
    const { clock } = ports
    this.#options = { ...init.options }
    this.core = new ConnectionCore({ ...init, options: this.#options })
    this.clock = clock
    this.#trace = init.trace && new TraceWriter(init.trace, this.core, clock)
    this.#ports = ports
    this.#host = host
    this.#timer = new CoreTimer(this.core, clock, this)
  }

  get trace(): TraceWriter | undefined {
    return this.#trace
  }

  /** Traces what happens from now on. @param name - of the connection; empty while it has none */
  setTrace(sink: TraceInit['sink'] | undefined, name: string): void {
    this.#trace?.close()
    this.#trace = sink && new TraceWriter({ sink, side: this.#side }, this.core, this.clock)
    if (name !== '') this.#trace?.join(name)
  }

  /** The sockets are not read, so that TCP slows the peer down. */
  get isReadingStopped(): boolean {
    return this.#reading.isStopped
  }

  get streams(): Stream[] {
    return [...this.#sockets.values()].map(({ stream }) => stream)
  }

  /** Something is about to happen, for the trace. */
  wake(now?: Millis): void {
    this.#trace?.wake(now ?? this.clock.now())
  }

  /** Takes over a stream whose hello is done. `head`: bytes that came with the hello's last. */
  attach(stream: Stream, init: SubflowInit, head?: Uint8Array): Subflow {
    this.#side = init.isDialer ? 'dialer' : 'listener'
    const kernel = this.#ports.kernelOf(stream)
    const subflow = this.core.addSubflow({ ...init, kernel }, this.clock.now())
    const socket = this.#ports.open(stream, new SubflowHandler(subflow, this))
    this.#sockets.set(subflow, socket)
    this.#reading.added(socket)
    if (!this.#isRefed) socket.setRef(false)
    if (head !== undefined && head.length > 0) socket.take(head)
    this.flush()
    return subflow
  }

  write(bytes: Uint8Array): void {
    this.wake()
    this.core.write(bytes)
    this.flushSoon()
  }

  end(): void {
    this.core.end(this.clock.now())
    this.flushSoon()
  }

  /** Closes it in order, once another carries the connection. */
  retireSubflow(subflow: Subflow, reason: GracefulClose['reason']): void {
    this.wake()
    this.core.retireSubflow(subflow, reason, this.clock.now())
    this.flush()
  }

  closeSubflow(subflow: Subflow, reason: CloseReason): void {
    this.wake()
    this.core.closeSubflow(subflow, reason, this.clock.now())
    this.flush()
  }

  /** The stream above is gone: what was written still goes out, within `lingerMs`, and keeps the process up. */
  linger(): void {
    this.#isLingering = true
    this.setRef(true)
    this.end()
  }

  /** @param reason - of an abort, for the peer */
  destroy(isAbort: boolean, reason?: string): void {
    this.wake()
    this.core.destroy(isAbort, reason)
    this.flush()
    this.trace?.close()
  }

  /** Gives a connection up that is suspended. @param why - as the beginning of a sentence */
  endHold(why: string): void {
    this.wake()
    this.core.endHold(why)
    this.flush()
  }

  /** No subflow can come any more: nothing is held from now on. */
  forbidHold(): void {
    this.wake()
    this.core.forbidHold()
    this.flush()
  }

  /** @throws {OptionError} */
  setLimits(limits: ConnLimits): void {
    refuseUnknown(limits, LIMIT_OPTIONS)
    Object.assign(this.#options, resolveOptions(LIMIT_OPTIONS, { ...this.#options, ...limits }))
    this.flushSoon()
  }

  setRef(isRefed: boolean): void {
    if (isRefed === this.#isRefed) return
    this.#isRefed = isRefed
    for (const socket of this.#sockets.values()) socket.setRef(isRefed)
  }

  /** Flushes once all that this tick writes has been written. */
  flushSoon(): void {
    this.#isFlushDue = true
    if (this.#flushAtTickEnd) return
    this.#flushAtTickEnd = true
    this.#ports.turn.atTickEnd(() => {
      this.#flushAtTickEnd = false
      if (this.#isFlushDue) this.flush()
    })
  }

  /** Does everything that the core wants done, then arms the timer. Call after any input. */
  flush(): void {
    this.#flushAgain = true
    if (this.#isFlushing) return
    this.#isFlushing = true
    let now: Millis = 0
    try {
      while (this.#flushAgain) {
        this.#flushAgain = this.#isFlushDue = false
        now = this.clock.now()
        this.wake(now)
        for (const action of this.core.drain(now)) this.#perform(action)
        if (this.#isLingering) this.#seeOut()
        this.#host.onProgress()
      }
    } finally {
      // A callback of the application may have thrown: the connection goes on.
      this.#isFlushing = false
      if (this.#reading.steer(this.core.shouldStopReading)) this.core.forgiveSilence(this.clock.now())
      this.#timer.arm()
      this.trace?.flushed(now)
    }
  }

  drained(subflow: Subflow): void {
    subflow.drained()
    this.flush()
  }

  closed(subflow: Subflow, error: Error | undefined): void {
    this.wake()
    this.core.subflowClosed(subflow, error, this.clock.now())
    this.flush()
  }

  receive(subflow: Subflow, bytes: Uint8Array): number {
    const now = this.clock.now()
    this.wake(now)
    this.#timer.beforeReading(now)
    const taken = this.core.receive(subflow, bytes, now, PORTION_FRAMES)
    this.#reading.took(subflow)
    // Acks wait for the end of the turn, so that one write covers all that this turn reads.
    this.#flushAtEndOfTurn()
    if (!this.#isLingering) this.#host.onReadable()
    if (this.core.isUrgent) this.flush()
    return taken
  }

  /** Ends the connection once all is acked: the application no longer waits for the peer's end. */
  #seeOut(): void {
    if (this.core.isOver) {
      this.trace?.close()
      return
    }
    while (this.core.take() !== undefined);
    if (this.core.unflushedBytes > 0 || this.core.isFinUnderWay) return
    this.core.destroy(false)
    this.#flushAgain = true
  }

  #flushAtEndOfTurn(): void {
    this.#isFlushDue = true
    if (this.#flushAtTurnEnd) return
    this.#flushAtTurnEnd = true
    this.#ports.turn.atTurnEnd(() => {
      this.#flushAtTurnEnd = false
      if (this.#isFlushDue) this.flush()
    })
  }

  #perform(action: Action): void {
    if (action.kind === 'send') {
      const { subflow, chunks } = action
      const socket = this.#sockets.get(subflow)
      if (socket?.write(chunks) === true) subflow.blocked(socket.bufferedBytes)
    } else if (action.kind === 'close') {
      this.#close(action)
    } else if (action.kind === 'subflow') {
      this.#changed(action)
    } else if (action.kind === 'parallel') {
      this.#host.onParallel(action)
    } else if (action.kind === 'suspended' || action.kind === 'resumed') {
      this.#suspensionChanged(action.kind === 'resumed' ? action.afterMs : undefined)
    } else {
      this.trace?.finished(action.error)
      this.#host.onFinished(action.error)
    }
  }

  #changed(change: Extract<Action, { kind: 'subflow' }>): void {
    const { subflow, state, reason = '' } = change
    debug('subflow %d %s: %s %s', subflow.id, subflow.label, state, reason)
    this.trace?.changed(change)
    this.#host.onSubflow(change)
  }

  #suspensionChanged(afterMs: number | undefined): void {
    debug('the connection %s', afterMs === undefined ? 'is suspended' : `goes on after ${afterMs} ms`)
    this.trace?.suspension(afterMs)
    this.#host.onSuspension(afterMs)
  }

  #close({ subflow, how }: Extract<Action, { kind: 'close' }>): void {
    const socket = this.#sockets.get(subflow)
    if (how === 'half') socket?.endHalf()
    else this.#sockets.delete(subflow)
    if (how === 'end') socket?.end()
    else if (how === 'destroy') socket?.destroy()
  }
}
