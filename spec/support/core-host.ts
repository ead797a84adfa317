// SPDX-License-Identifier: Apache-2.0
/** The shell's driver over raw ends of simulated links, with an application that writes and reads a pattern. */
import type { DriverHost } from '../../lib/conn/driver.js'
import { Driver } from '../../lib/conn/driver.js'
import type { Action } from '../../lib/core/action.js'
import type { ConnectionCore } from '../../lib/core/connection.js'
import type { SubflowInit } from '../../lib/core/init.js'
import type { JoinAuthInit } from '../../lib/core/join-keys.js'
import type { ConnOptions } from '../../lib/core/options.js'
import { CONN_OPTIONS } from '../../lib/core/options.js'
import { Path } from '../../lib/core/path.js'
import type { Wanted } from '../../lib/core/parallel.js'
import type { Scheduler } from '../../lib/core/scheduler.js'
import { lowestRtt } from '../../lib/core/schedulers/lowest-rtt.js'
import type { Subflow } from '../../lib/core/subflow.js'
import { NullTracker } from '../../lib/core/tracker.js'
import type { MultipathError } from '../../lib/errors.js'
import { resolveOptions } from '../../lib/options.js'
import type { LinkEnd } from '../../lib/testing/link-end.js'
import type { ManualClock } from '../../lib/testing/manual-clock.js'
import { linkPorts } from './link-ports.js'
import { patternAt, PatternChecker } from './pattern.js'

export type Change = Extract<Action, { kind: 'subflow' }> & { readonly at: number }

export interface CoreHostInit {
  readonly clock: ManualClock
  readonly random?: () => number
  readonly options?: ConnOptions
  readonly scheduler?: Scheduler
  readonly auth?: JoinAuthInit
  /** The kernel tells how many segments it has sent again. Default: true. */
  readonly hasCount?: boolean
  /** Seed of what this side writes, and of what it expects to read. */
  readonly writes?: number
  readonly reads?: number
}

export class CoreHost implements DriverHost {
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
  /** How often no subflow was left and the connection was held; and how long, each time that it went on. */
  suspensions = 0
  readonly resumptions: number[] = []
  error: MultipathError | undefined
  onRead: ((bytes: Uint8Array) => void) | undefined
  /** Called whenever something has come. */
  onHeard: (() => void) | undefined
  /** Called whenever there may be room to send. */
  onRoom: (() => void) | undefined
  /** Called when a path is to have more subflows, or fewer. */
  onWanted: ((wanted: Wanted) => void) | undefined
  readonly #driver: Driver<LinkEnd>
  readonly #ends: LinkEnd[] = []
  readonly #writeSeed: number
  #readBytesPerMs = Infinity
  #readBudget = 0
  #written = 0
  #toWrite = 0
  #endWhenWritten = false
  #hasEnded = false

  constructor(given: CoreHostInit) {
    const { clock, random = () => 0.5, options, scheduler, auth, writes = 1, reads = 2, hasCount } = given
    this.clock = clock
    const init = {
      options: resolveOptions(CONN_OPTIONS, options),
      scheduler: scheduler ?? lowestRtt,
      random,
      auth,
    }
    this.#driver = new Driver(
      init,
      linkPorts(
        clock,
        (bytes) => {
          this.wireBytes += bytes
        },
        hasCount,
      ),
      this,
    )
    this.core = this.#driver.core
    this.#writeSeed = writes
    this.received = new PatternChecker(reads)
  }

  join(end: LinkEnd, init: Partial<SubflowInit> = {}): Subflow {
    const [tracker, path, helloAt] = [new NullTracker(), new Path(), this.clock.now()]
    const subflow = this.#driver.attach(end, {
      label: 'link',
      tracker,
      path,
      isDialer: true,
      helloAt,
      ...init,
    })
    this.joined.push(subflow)
    this.#ends.push(end)
    return subflow
  }

  /** Reads nothing that comes meanwhile; its kernel does. */
  standStill(ms: number): void {
    const ends = this.#ends.filter(({ isClosed }) => !isClosed)
    for (const end of ends) end.pause()
    this.clock.callAt(this.clock.now() + ms, () => {
      for (const end of ends) end.resume()
    })
  }

  /** Writes so many bytes more, as fast as the connection takes them. */
  write(bytes: number): void {
    this.#toWrite += bytes
    this.#feed()
  }

  /** Ends once all that {@link write} was given has been handed over. */
  end(): void {
    this.#endWhenWritten = true
    this.#feed()
  }

  destroy(isAbort = false): void {
    this.#driver.destroy(isAbort)
  }

  endHold(): void {
    this.#driver.endHold('the spec wants no more')
  }

  forbidHold(): void {
    this.#driver.forbidHold()
  }

  flush(): void {
    this.#driver.flush()
  }

  /** How fast the application reads; 0 stops it. */
  set readBytesPerMs(rate: number) {
    const wasTicking = this.#readBytesPerMs > 0 && this.#readBytesPerMs < Infinity
    this.#readBytesPerMs = rate
    this.#readBudget = 0
    if (rate > 0 && rate < Infinity && !wasTicking) this.#tickReader()
    this.#read()
  }

  /** Bytes of the application that the core has taken. */
  get written(): number {
    return this.#written
  }

  get isWriting(): boolean {
    return this.#toWrite > 0
  }

  /** Streams are not read, so that TCP slows the peer down. */
  get isReadingStopped(): boolean {
    return this.#driver.isReadingStopped
  }

  sum(counter: keyof Subflow['counters']): number {
    return this.joined.reduce((sum, { counters }) => sum + counters[counter], 0)
  }

  states(): string[] {
    return this.joined.map(({ state }) => state)
  }

  onReadable(): void {
    this.onHeard?.()
    this.#note()
    this.#read()
  }

  onProgress(): void {
    this.onRoom?.()
    this.#feed()
    this.#note()
  }

  onSubflow(change: Extract<Action, { kind: 'subflow' }>): void {
    this.changes.push({ ...change, at: this.clock.now() })
  }

  onParallel(wanted: Wanted): void {
    this.onWanted?.(wanted)
  }

  onSuspension(resumedAfterMs: number | undefined): void {
    if (resumedAfterMs === undefined) this.suspensions++
    else this.resumptions.push(resumedAfterMs)
  }

  onFinished(error: MultipathError | undefined): void {
    this.finishedAt = this.clock.now()
    this.error = error
  }

  /** As the writing half of a connection does. */
  #feed(): void {
    const { core } = this
    while (this.#toWrite > 0 && core.hasRoom && !core.isOver) {
      const bytes = Math.min(this.#toWrite, 65_536)
      this.#driver.write(patternAt(this.#writeSeed, this.#written, bytes))
      this.#written += bytes
      this.#toWrite -= bytes
    }
    core.setWriterWaiting(this.#toWrite > 0)
    if (this.#toWrite > 0 || !this.#endWhenWritten || this.#hasEnded) return
    this.#hasEnded = true
    this.#driver.end()
  }

  /** As the reading half of a connection does. */
  #read(): void {
    let hasRead = false
    while (this.#readBytesPerMs === Infinity || this.#readBudget > 0) {
      const piece = this.core.take()
      if (piece === undefined) break
      hasRead = true
      this.#readBudget -= piece.length
      this.longestWaitMs = Math.max(this.longestWaitMs, this.clock.now() - this.lastReadAt)
      this.lastReadAt = this.clock.now()
      this.received.add(piece)
      this.onRead?.(piece)
    }
    if (hasRead && (this.core.isUrgent || this.isReadingStopped)) this.#driver.flushSoon()
  }

  #tickReader(): void {
    this.clock.callAt(this.clock.now() + 1, () => {
      if (this.#readBytesPerMs === 0 || this.#readBytesPerMs === Infinity) return
      this.#readBudget = Math.min(0, this.#readBudget) + this.#readBytesPerMs
      this.#read()
      this.#tickReader()
    })
  }

  #note(): void {
    const { peak, core } = this
    peak.unread = Math.max(peak.unread, core.unreadBytes)
    peak.held = Math.max(peak.held, core.metrics.outOfOrderBytes)
    peak.unflushed = Math.max(peak.unflushed, core.unflushedBytes)
    for (const { acks } of core.subflows) peak.outstandingAcks = Math.max(peak.outstandingAcks, acks.length)
  }
}
