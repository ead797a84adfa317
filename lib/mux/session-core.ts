// SPDX-License-Identifier: Apache-2.0
/**
 * A yamux session without input or output: bytes come in, bytes and events come out, time is an argument.
 *
 * @see hashicorp/yamux: spec.md, session.go
 */
import type { Millis } from '../clock.js'
import { MultipathError, toError } from '../errors.js'
import { GoAwayCode } from './frame.js'
import { FrameReader } from './frame-reader.js'
import { Inbound } from './inbound.js'
import type { MuxEvent, SessionInit } from './session-state.js'
import { SessionState } from './session-state.js'
import type { StreamCore } from './stream-core.js'

const NOTHING: readonly Uint8Array[] = []

export class SessionCore {
  readonly #state: SessionState
  readonly #reader: FrameReader

  constructor(init: SessionInit) {
    this.#state = new SessionState(init)
    this.#reader = new FrameReader(new Inbound(this.#state))
  }

  /** Streams that the application has. */
  get streams(): number {
    return this.#state.table.size - this.#state.abandoned.size
  }

  /** Nothing can be sent or received any more but what is still to be polled. */
  get isOver(): boolean {
    return this.#state.isOver
  }

  /** We go away, the session is no longer needed, and what was written has left. */
  get isFinished(): boolean {
    if (!this.#state.isClosing || this.streams > 0) return false
    for (const stream of this.#state.abandoned.keys()) if (!stream.isWriteEnd) return false
    return true
  }

  /** Whether {@link open} gives streams. */
  get isOpen(): boolean {
    return !this.#state.isOver && !this.#state.isClosing && !this.#state.hasGoneAway
  }

  /** What has arrived and was not read. */
  get unreadBytes(): number {
    return this.#state.unreadBytes
  }

  /** What has happened since the last call; of new streams `mostStreams`, the rest wait for the next call. */
  takeEvents(mostStreams: number = Infinity): readonly MuxEvent[] {
    return this.#state.takeEvents(mostStreams)
  }

  /** Bytes of the peer: views of them are kept until they are read. */
  receive(bytes: Uint8Array, now: Millis): void {
    if (this.isOver) return
    this.#state.now = now
    this.#state.pings.heard(now)
    try {
      this.#reader.read(bytes)
    } catch (error) {
      this.fail(toError(error), GoAwayCode.protocol)
    }
  }

  /** The peer will send no more. An orderly end, unless somebody still waits for something. */
  ended(): void {
    if (this.isOver) return
    const { table, abandoned } = this.#state
    const isServed = (stream: StreamCore): boolean =>
      abandoned.has(stream) || (stream.isRemoteEnded && stream.outgoing.bytes === 0)
    const lost = [...table.values()].filter((stream) => !isServed(stream)).length
    if (lost === 0 && this.#reader.isBetweenFrames) this.#end()
    else this.fail(closedError(`the connection ended with ${lost} open streams`))
  }

  /** @throws ERR_MULTIPATH_MUX_CLOSED, ERR_MULTIPATH_MUX_LIMIT */
  open(now: Millis): StreamCore {
    if (this.#state.hasGoneAway) throw closedError('the peer accepts no more streams')
    if (!this.isOpen) throw closedError('the session is closed')
    this.#state.now = now
    const stream = this.#state.table.open(now)
    this.#state.openMore()
    return stream
  }

  /** The application takes a stream of the peer. */
  accept(stream: StreamCore): void {
    if (stream.phase !== 'incoming') return
    this.#state.table.accepted(stream)
    this.#state.output.touch(stream)
  }

  /** @param isLent - which chunks the caller may reuse once they have been polled */
  write(stream: StreamCore, chunks: readonly Uint8Array[], isLent: (chunk: Uint8Array) => boolean): void {
    for (const chunk of chunks) stream.outgoing.append(chunk, isLent(chunk))
    this.#state.output.touch(stream)
  }

  /** Our end follows what was written. */
  end(stream: StreamCore): void {
    stream.end()
    this.#state.output.touch(stream)
  }

  /** @returns bytes in order; nothing while there are none */
  take(stream: StreamCore): Uint8Array | undefined {
    return this.#state.take(stream)
  }

  /**
   * The application is done with `stream`. What it wrote still goes out, with an orderly end behind it, as from a socket
   * that is closed; what the peer sends from then on is answered with a reset.
   */
  abandon(stream: StreamCore, isReset: boolean, now: Millis): void {
    this.#state.dropUnread(stream)
    if (stream.isOver) return
    // One that waits for its turn to open still has to bring what was written.
    if (isReset || (!stream.isKnown && stream.outgoing.bytes === 0)) {
      this.#state.reset(stream)
      return
    }
    stream.isAbandoned = true
    stream.outgoing.keep()
    this.#state.abandoned.set(stream, now + this.#state.limits.closeTimeoutMs)
    this.end(stream)
  }

  /**
   * @returns the value that the answer will have
   * @throws ERR_MULTIPATH_MUX_LIMIT, ERR_MULTIPATH_MUX_CLOSED
   */
  ping(now: Millis): number {
    const { pings, output, limits } = this.#state
    if (this.isOver) throw closedError('the session is closed')
    if (pings.isFull)
      throw new MultipathError(
        'ERR_MULTIPATH_MUX_LIMIT',
        `${limits.maxPings} pings already wait for an answer (maxPings)`,
      )
    const id = pings.send(now)
    output.ping(id)
    return id
  }

  /** No new streams from now on; those that were accepted go on. */
  close(): void {
    if (this.#state.isClosing || this.isOver) return
    this.#state.isClosing = true
    this.#state.output.goAway(GoAwayCode.normal)
    for (const stream of [...this.#state.table.values()])
      if (stream.phase === 'incoming') this.#state.reset(stream, closedError('the session is closing'))
  }

  /** Ends everything at once, because of `error` if there is one; the peer hears `code`, if any. */
  fail(error?: Error, code?: number): void {
    if (this.isOver) return
    if (code !== undefined) this.#state.output.goAway(code)
    this.#end(error)
  }

  /** The next frames to send: all that is urgent, and about `bytes` bytes of data. */
  poll(bytes: number, now: Millis): readonly Uint8Array[] {
    const { budget, limits, pings, output } = this.#state
    if (output.isEmpty) return NOTHING
    const growth = { budget, maxBytes: limits.maxStreamWindowBytes, rttMs: pings.rttMs }
    return output.poll(bytes, now, growth, (stream, credit) => {
      if (credit > 0 && pings.isStale(now)) output.ping(pings.send(now))
      this.#state.changed(stream)
      this.#state.removeIfEnded(stream)
    })
  }

  /** When {@link tick} is due; Infinity for never. */
  get nextTickAt(): Millis {
    if (this.isOver) return Infinity
    const { abandoned, pings } = this.#state
    const abandonedUntil = abandoned.size === 0 ? Infinity : abandoned.values().next().value!
    return Math.min(pings.nextAt, abandonedUntil, this.#openingUntil)
  }

  get #openingUntil(): Millis {
    const { table, limits } = this.#state
    const oldest = table.oldestOpening
    return oldest === undefined ? Infinity : oldest.openingAt + limits.openTimeoutMs
  }

  /** The connection below had no path until now: no answer is late. */
  forgive(now: Millis): void {
    this.#state.pings.forgive(now)
    this.#state.table.forgiveOpening(now)
  }

  /** Does what time demands. */
  tick(now: Millis): void {
    if (this.isOver) return
    const { pings, limits, table } = this.#state
    this.#state.now = now
    if (pings.isSilent(now)) {
      const message = `no byte from the peer within ${limits.keepAliveTimeoutMs} ms after a ping`
      this.fail(timeoutError(message), GoAwayCode.internal)
      return
    }
    for (const id of pings.expire(now)) this.#state.tell({ type: 'ping-end', id })
    if (pings.isDue(now)) this.ping(now)
    this.#dropAbandoned(now)
    while (now >= this.#openingUntil) {
      const stream = table.oldestOpening!
      this.#state.reset(
        stream,
        timeoutError(`the peer did not ack stream ${stream.id} within ${limits.openTimeoutMs} ms`),
      )
    }
  }

  #dropAbandoned(now: Millis): void {
    for (const [stream, until] of this.#state.abandoned) {
      if (now < until) return
      this.#state.reset(stream)
    }
  }

  #end(error?: Error): void {
    this.#state.isOver = true
    for (const stream of [...this.#state.table.values()]) {
      stream.error = closedError('the session ended before the stream', error)
      this.#state.remove(stream)
    }
    this.#state.tell(error === undefined ? { type: 'over' } : { type: 'over', error })
  }
}

function closedError(message: string, cause?: Error): MultipathError {
  return new MultipathError('ERR_MULTIPATH_MUX_CLOSED', message, cause && { cause })
}

function timeoutError(message: string): MultipathError {
  return new MultipathError('ERR_MULTIPATH_MUX_TIMEOUT', message)
}
