// SPDX-License-Identifier: Apache-2.0
/** All streams of a session by id, and how many of them there may be. */
import type { Millis } from '../clock.js'
import { MultipathError } from '../errors.js'
import { MAX_UINT32, protocolError } from './frame.js'
import type { MuxRole } from './options.js'
import { StreamCore } from './stream-core.js'

export interface TableLimits {
  readonly maxStreams: number
  readonly maxBacklog: number
  readonly maxOpening: number
}

export class StreamTable {
  readonly #limits: TableLimits
  readonly #parity: number
  readonly #streams = new Map<number, StreamCore>()
  /** Ours that wait for a place among those that open. */
  readonly #waiting = new Set<StreamCore>()
  /** Ours that wait for an ack, the oldest first. */
  readonly #opening = new Set<StreamCore>()
  #incoming = 0
  #remote = 0
  #nextId: number

  /** @param firstId - for tests: where our ids begin */
  constructor(role: MuxRole, limits: TableLimits, firstId: number = role === 'client' ? 1 : 2) {
    this.#limits = limits
    this.#parity = role === 'client' ? 1 : 0
    this.#nextId = firstId
  }

  get size(): number {
    return this.#streams.size
  }

  get(id: number): StreamCore | undefined {
    return this.#streams.get(id)
  }

  values(): IterableIterator<StreamCore> {
    return this.#streams.values()
  }

  isOurs(id: number): boolean {
    return id % 2 === this.#parity
  }

  /** Whether the peer may open a stream of that id. */
  isFree(id: number): boolean {
    return id !== 0 && !this.isOurs(id) && !this.#streams.has(id)
  }

  /** The one that has waited longest for its ack. */
  get oldestOpening(): StreamCore | undefined {
    return this.#opening.size === 0 ? undefined : this.#opening.values().next().value
  }

  /** Those that wait for their ack wait from now on. */
  forgiveOpening(now: Millis): void {
    for (const stream of this.#opening.values()) stream.openingAt = now
  }

  /** @throws ERR_MULTIPATH_MUX_LIMIT once all ids have been used */
  open(now: Millis): StreamCore {
    const id = this.#nextId
    if (id > MAX_UINT32)
      throw new MultipathError(
        'ERR_MULTIPATH_MUX_LIMIT',
        'all stream ids of this session are used: open a new session',
      )
    this.#nextId += 2
    const stream = new StreamCore(id, 'waiting', now)
    this.#streams.set(id, stream)
    this.#waiting.add(stream)
    return stream
  }

  /** @returns streams of ours for which there is a place now: their SYN may leave */
  openMore(now: Millis): StreamCore[] {
    const opened: StreamCore[] = []
    for (const stream of this.#waiting) {
      if (this.#opening.size >= this.#limits.maxOpening) break
      this.#waiting.delete(stream)
      this.#opening.add(stream)
      stream.sendSyn(now)
      opened.push(stream)
    }
    return opened
  }

  /**
   * A SYN of the peer.
   *
   * @returns the stream, or `undefined` where a limit refuses it
   * @throws ERR_MULTIPATH_MUX_PROTOCOL for an id that is not the peer's to use, or that is in use
   */
  admit(id: number, now: Millis): StreamCore | undefined {
    if (id === 0 || this.isOurs(id)) throw protocolError(`the peer opened stream ${id}, an id of this side`)
    if (this.#streams.has(id)) throw protocolError(`the peer opened stream ${id} twice`)
    if (this.#remote >= this.#limits.maxStreams || this.#incoming >= this.#limits.maxBacklog) return undefined
    const stream = new StreamCore(id, 'incoming', now)
    this.#streams.set(id, stream)
    this.#remote++
    this.#incoming++
    return stream
  }

  accepted(stream: StreamCore): void {
    this.#incoming--
    stream.sendAck()
  }

  acked(stream: StreamCore): void {
    this.#opening.delete(stream)
    stream.acked()
  }

  remove(stream: StreamCore): void {
    this.#streams.delete(stream.id)
    this.#waiting.delete(stream)
    this.#opening.delete(stream)
    if (!this.isOurs(stream.id)) this.#remote--
    if (stream.phase === 'incoming') this.#incoming--
    stream.phase = 'over'
  }
}
