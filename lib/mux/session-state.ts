// SPDX-License-Identifier: Apache-2.0
/** What the halves of a session share: its streams, what waits to be sent, and what its shell is to hear. */
import type { Millis } from '../clock.js'
import { MultipathError } from '../errors.js'
import { TokenBucket } from '../token-bucket.js'
import type { MuxRole, ResolvedMuxNumbers } from './options.js'
import { Output } from './output.js'
import { Pings } from './pings.js'
import type { WindowBudget } from './receive-window.js'
import type { StreamCore } from './stream-core.js'
import { StreamTable } from './stream-table.js'

/** What the shell has to do something about. */
export type MuxEvent =
  | { readonly type: 'stream'; readonly stream: StreamCore }
  /** Something to read, room to write, an ack, an end or an error: the stream's fields tell. */
  | { readonly type: 'changed'; readonly stream: StreamCore }
  /** `rttMs` is missing where no answer came. */
  | { readonly type: 'ping-end'; readonly id: number; readonly rttMs?: Millis }
  | { readonly type: 'go-away' }
  /** `error` is missing after an orderly end. */
  | { readonly type: 'over'; readonly error?: Error }

const NO_EVENTS: readonly MuxEvent[] = []

export interface SessionInit {
  readonly role: MuxRole
  readonly limits: ResolvedMuxNumbers
  readonly now: Millis
  /** For tests: where our ids begin. */
  readonly firstId?: number | undefined
}

export class SessionState {
  readonly limits: ResolvedMuxNumbers
  readonly table: StreamTable
  readonly output: Output
  readonly pings: Pings
  readonly budget: WindowBudget
  /** Those that only wait for the peer's end, and until when: in the order of these times. */
  readonly abandoned: Map<StreamCore, Millis> = new Map()
  /** The last time that anybody told. */
  now: Millis
  isClosing = false
  hasGoneAway = false
  isOver = false
  #events: MuxEvent[] = []
  /** Streams of the peer that the shell has not heard of. */
  readonly #arrivals = new Set<StreamCore>()
  readonly #resets: TokenBucket
  readonly #idleFrames: TokenBucket
  /** Streams that are over, with bytes that have not been read yet. */
  readonly #leftovers = new Set<StreamCore>()
  #unreadBytes = 0

  constructor({ role, limits, now, firstId }: SessionInit) {
    this.limits = limits
    this.table = new StreamTable(role, limits, firstId)
    this.output = new Output(limits.maxFrameBytes)
    this.pings = new Pings(limits, now)
    this.budget = { left: limits.maxSessionWindowBytes }
    const { maxStreams, maxBacklog, maxResetsPerSecond, maxIdleFramesPerSecond } = limits
    this.#resets = new TokenBucket(maxStreams + maxBacklog, maxResetsPerSecond, now)
    this.#idleFrames = new TokenBucket(maxIdleFramesPerSecond, maxIdleFramesPerSecond, now)
    this.now = now
  }

  /** Arrived and not read. */
  get unreadBytes(): number {
    return this.#unreadBytes
  }

  tell(event: MuxEvent): void {
    this.#events.push(event)
  }

  /** The shell is to look at `stream`: once, however much happens to it. */
  changed(stream: StreamCore): void {
    if (stream.isListed) return
    stream.isListed = true
    this.tell({ type: 'changed', stream })
  }

  /** A stream of the peer: the shell hears of it, unless the peer resets it before. */
  arrived(stream: StreamCore): void {
    this.#arrivals.add(stream)
  }

  /** @param mostStreams - new ones among them; once the session is over, there may be more */
  takeEvents(mostStreams: number): readonly MuxEvent[] {
    const arrivals = this.#takeArrivals(this.isOver ? Infinity : mostStreams)
    const events = this.#events
    if (events.length === 0) return arrivals
    this.#events = []
    for (const event of events) if (event.type === 'changed') event.stream.isListed = false
    return arrivals.length === 0 ? events : [...arrivals, ...events]
  }

  #takeArrivals(most: number): readonly MuxEvent[] {
    if (this.#arrivals.size === 0 || most <= 0) return NO_EVENTS
    const events: MuxEvent[] = []
    let left = most
    for (const stream of this.#arrivals) {
      if (left-- <= 0) break
      this.#arrivals.delete(stream)
      events.push({ type: 'stream', stream })
      // What happened to it before was told of a stream that the shell did not know.
      if (stream.hasNews) events.push({ type: 'changed', stream })
    }
    return events
  }

  /** The peer has begun `stream` and reset it, or a limit has refused it: we had work with it for nothing. */
  chargeReset(): void {
    if (!this.#resets.take(this.now))
      throw limitError('the peer opened and reset too many streams (maxResetsPerSecond)')
  }

  /** A frame of the peer that brings nothing. */
  chargeIdleFrame(): void {
    if (!this.#idleFrames.take(this.now))
      throw limitError('the peer sent too many frames without effect (maxIdleFramesPerSecond)')
  }

  /** The peer gives `stream` up. */
  resetByPeer(stream: StreamCore, error: MultipathError): void {
    if (!this.table.isOurs(stream.id) && !stream.hasSent) this.chargeReset()
    stream.error = error
    // The application has not heard of it, and will not read what it has brought.
    if (this.#arrivals.delete(stream)) this.dropUnread(stream)
    this.remove(stream)
  }

  /** Bytes arrived: a view into what was read. Beyond the limit of all streams, the one that has the most goes. */
  keep(stream: StreamCore, bytes: Uint8Array): void {
    stream.unread.append(bytes)
    this.#unreadBytes += bytes.length
    this.changed(stream)
    while (this.#unreadBytes > this.limits.maxUnreadBytes) this.#cutLargest()
  }

  take(stream: StreamCore): Uint8Array | undefined {
    const bytes = stream.unread.takeSlice()
    if (bytes === undefined) return undefined
    this.#unreadBytes -= bytes.length
    if (stream.isOver && stream.unread.bytes === 0) this.#leftovers.delete(stream)
    this.output.touch(stream)
    return bytes
  }

  /** What is left will not be read. */
  dropUnread(stream: StreamCore): void {
    this.#leftovers.delete(stream)
    this.#unreadBytes -= stream.unread.bytes
    stream.unread.clear()
  }

  /** Streams of ours for which there is a place send their SYN. */
  openMore(): void {
    for (const stream of this.table.openMore(this.now)) this.output.touch(stream)
  }

  /** Both ends are there: nothing is left of it but what the reader has not got yet. */
  removeIfEnded(stream: StreamCore): void {
    if (stream.isBothEnded && !stream.isOver) this.remove(stream)
  }

  remove(stream: StreamCore): void {
    this.table.remove(stream)
    this.abandoned.delete(stream)
    this.output.forget(stream)
    stream.window.release(this.budget)
    if (stream.unread.bytes > 0) this.#leftovers.add(stream)
    this.openMore()
    this.changed(stream)
  }

  /** Ends a stream at once, and tells the peer where it knows of it. */
  reset(stream: StreamCore, error?: MultipathError): void {
    this.#arrivals.delete(stream)
    if (stream.isPeerAware) this.output.reset(stream.id, !this.table.isOurs(stream.id))
    if (error !== undefined) {
      this.dropUnread(stream)
      stream.cut(error)
    }
    if (!stream.isOver) this.remove(stream)
    this.changed(stream)
  }

  #cutLargest(): void {
    let largest: StreamCore | undefined
    for (const stream of [...this.table.values(), ...this.#leftovers])
      if (largest === undefined || stream.unread.bytes > largest.unread.bytes) largest = stream
    const limit = this.limits.maxUnreadBytes
    const message = `the session has more than ${limit} unread bytes (maxUnreadBytes), and this stream has the most: ${largest!.unread.bytes}`
    this.reset(largest!, limitError(message))
  }
}

function limitError(message: string): MultipathError {
  return new MultipathError('ERR_MULTIPATH_MUX_LIMIT', message)
}
