// SPDX-License-Identifier: Apache-2.0
/** Runs a ConnectionCore over raw ends of simulated links: what lib/conn does, without streams and real time. */
import type { Action } from '../../lib/core/action.js'
import { ConnectionCore } from '../../lib/core/connection.js'
import type { SubflowInit } from '../../lib/core/init.js'
import type { ConnOptions } from '../../lib/core/options.js'
import { CONN_OPTIONS } from '../../lib/core/options.js'
import { Path } from '../../lib/core/path.js'
import type { Scheduler } from '../../lib/core/scheduler.js'
import { lowestRtt } from '../../lib/core/schedulers/lowest-rtt.js'
import type { Subflow } from '../../lib/core/subflow.js'
import { NullTracker } from '../../lib/core/tracker.js'
import type { MultipathError } from '../../lib/errors.js'
import { resolveOptions } from '../../lib/options.js'
import type { LinkEnd } from '../../lib/testing/link-end.js'
import type { ManualClock } from '../../lib/testing/manual-clock.js'
import { patternAt, PatternChecker } from './pattern.js'

export type Change = Extract<Action, { kind: 'subflow' }> & { readonly at: number }

export interface CoreHostInit {
  readonly clock: ManualClock
  readonly random?: () => number
  readonly options?: ConnOptions
  readonly scheduler?: Scheduler
  /** Seed of what this side writes, and of what it expects to read. */
  readonly writes?: number
  readonly reads?: number
}

export class CoreHost {
  readonly core: ConnectionCore
  readonly clock: ManualClock
  readonly received: PatternChecker
  /** Every subflow that ever joined. */
  readonly joined: Subflow[] = []
  readonly changes: Change[] = []
  /** Bytes handed to the links, headers and acks included. */
  wireBytes = 0
  /** Largest figures seen after any input. */
  readonly peak = { unread: 0, held: 0, unflushed: 0, outstandingAcks: 0 }
  /** When the reader last got bytes, and the longest it had to wait for them, milliseconds. */
  lastReadAt = 0
  longestWaitMs = 0
  finishedAt: number | undefined
  error: MultipathError | undefined
  onRead: ((bytes: Uint8Array) => void) | undefined
  readonly #ends = new Map<Subflow, LinkEnd>()
  readonly #writeSeed: number
  #readBytesPerMs = Infinity
  #readBudget = 0
  #written = 0
  #toWrite = 0
  #endWhenWritten = false
  #timerAt = Infinity
  #cancelTimer: () => void = () => {}
  #isFlushDue = false

  constructor({ clock, random = () => 0.5, options, scheduler, writes = 1, reads = 2 }: CoreHostInit) {
    this.clock = clock
    this.core = new ConnectionCore({
      options: resolveOptions(CONN_OPTIONS, options),
      scheduler: scheduler ?? lowestRtt,
      random,
    })
    this.#writeSeed = writes
    this.received = new PatternChecker(reads)
  }

  join(end: LinkEnd, init: Partial<SubflowInit> = {}): Subflow {
    const { core, clock } = this
    const [tracker, path, helloAt] = [new NullTracker(), new Path(), clock.now()]
    const subflow = core.addSubflow(
      { label: 'link', tracker, path, isDialer: true, helloAt, ...init },
      clock.now(),
    )
    this.joined.push(subflow)
    this.#ends.set(subflow, end)
    end.handle({
      onBytes: (bytes) => {
        this.#receive(subflow, bytes)
      },
      onRoom: () => {
        subflow.isBlocked = false
        this.flush()
      },
      onEnd: () => {
        this.#closed(subflow, undefined)
      },
      onReset: () => {
        this.#closed(subflow, new Error('reset'))
      },
    })
    this.flush()
    return subflow
  }

  /** Writes so many bytes more, as fast as the connection takes them. */
  write(bytes: number): void {
    this.#toWrite += bytes
    this.flush()
  }

  /** Ends once all that {@link write} was given has been handed over. */
  end(): void {
    this.#endWhenWritten = true
    this.flush()
  }

  destroy(isAbort = false): void {
    this.core.destroy(isAbort)
    this.flush()
  }

  /** How fast the application reads; 0 stops it. */
  set readBytesPerMs(rate: number) {
    const wasTicking = this.#readBytesPerMs > 0 && this.#readBytesPerMs < Infinity
    this.#readBytesPerMs = rate
    this.#readBudget = 0
    if (rate > 0 && rate < Infinity && !wasTicking) this.#tickReader()
    this.#read()
    this.flush()
  }

  /** Bytes of the application that the core has taken. */
  get written(): number {
    return this.#written
  }

  get isWriting(): boolean {
    return this.#toWrite > 0
  }

  /** Streams are not read, so that TCP slows the peer down. */
  get isPaused(): boolean {
    return this.core.shouldPauseReading
  }

  sum(counter: keyof Subflow['counters']): number {
    return this.joined.reduce((sum, { counters }) => sum + counters[counter], 0)
  }

  states(): string[] {
    return this.joined.map(({ state }) => state)
  }

  flush(): void {
    const { core, clock } = this
    this.#feed()
    for (let actions = core.drain(clock.now()); actions.length > 0; actions = core.drain(clock.now()))
      for (const action of actions) this.#perform(action)
    this.#feed()
    this.#steer()
    this.#arm()
    this.#note()
  }

  #receive(subflow: Subflow, bytes: Uint8Array): void {
    this.core.receive(subflow, bytes, this.clock.now())
    this.peak.outstandingAcks = Math.max(this.peak.outstandingAcks, subflow.acks.length)
    this.#note()
    this.#read()
    if (this.core.isUrgent || this.#toWrite > 0) this.flush()
    else if (!this.#isFlushDue) {
      // As at the end of a turn: after all that comes in at this moment.
      this.#isFlushDue = true
      this.clock.callAt(this.clock.now(), () => {
        this.#isFlushDue = false
        this.flush()
      })
    }
  }

  #closed(subflow: Subflow, error: Error | undefined): void {
    this.core.subflowClosed(subflow, error, this.clock.now())
    this.flush()
  }

  #feed(): void {
    const { core } = this
    while (this.#toWrite > 0 && core.hasRoom && !core.isOver) {
      const bytes = Math.min(this.#toWrite, 65_536)
      core.write(patternAt(this.#writeSeed, this.#written, bytes))
      this.#written += bytes
      this.#toWrite -= bytes
    }
    core.setHeldBack(this.#toWrite > 0)
    if (this.#toWrite === 0 && this.#endWhenWritten) core.end(this.clock.now())
  }

  #read(): void {
    while (this.#readBytesPerMs === Infinity || this.#readBudget > 0) {
      const piece = this.core.take()
      if (piece === undefined) return
      this.#readBudget -= piece.length
      this.longestWaitMs = Math.max(this.longestWaitMs, this.clock.now() - this.lastReadAt)
      this.lastReadAt = this.clock.now()
      this.received.add(piece)
      this.onRead?.(piece)
    }
  }

  #tickReader(): void {
    this.clock.callAt(this.clock.now() + 1, () => {
      if (this.#readBytesPerMs === 0 || this.#readBytesPerMs === Infinity) return
      this.#readBudget = Math.min(0, this.#readBudget) + this.#readBytesPerMs
      this.#read()
      if (this.core.isUrgent || this.#isSteeringDue()) this.flush()
      this.#tickReader()
    })
  }

  #perform(action: Action): void {
    if (action.kind === 'send') this.#send(action.subflow, action.chunks)
    else if (action.kind === 'close') {
      const end = this.#ends.get(action.subflow)
      this.#ends.delete(action.subflow)
      if (action.how === 'end') end?.close()
      else end?.reset()
    } else if (action.kind === 'subflow') this.changes.push({ ...action, at: this.clock.now() })
    else {
      this.finishedAt = this.clock.now()
      this.error = action.error
    }
  }

  #send(subflow: Subflow, chunks: readonly Uint8Array[]): void {
    const end = this.#ends.get(subflow)
    if (end === undefined) return
    let hasRoom = true
    for (const chunk of chunks) {
      this.wireBytes += chunk.length
      hasRoom = end.write(chunk)
    }
    if (!hasRoom) subflow.isBlocked = true
  }

  #isSteered = false

  #isSteeringDue(): boolean {
    return this.core.shouldPauseReading !== this.#isSteered
  }

  #steer(): void {
    if (!this.#isSteeringDue()) return
    this.#isSteered = !this.#isSteered
    if (!this.#isSteered) this.core.forgiveSilence(this.clock.now())
    for (const end of this.#ends.values()) {
      if (this.#isSteered) end.pause()
      else end.resume()
    }
  }

  #arm(): void {
    const at = this.core.nextTickAt()
    if (at >= this.#timerAt && at !== Infinity) return
    this.#cancelTimer()
    this.#timerAt = at
    if (at === Infinity) return
    this.#cancelTimer = this.clock.callAt(at, () => {
      this.#timerAt = Infinity
      if (this.#isSteered) this.core.forgiveSilence(this.clock.now())
      this.core.tick(this.clock.now())
      this.flush()
    })
  }

  #note(): void {
    const { peak, core } = this
    peak.unread = Math.max(peak.unread, core.unreadBytes)
    peak.held = Math.max(peak.held, core.heldBytes)
    peak.unflushed = Math.max(peak.unflushed, core.unflushedBytes)
  }
}
