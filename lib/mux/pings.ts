// SPDX-License-Identifier: Apache-2.0
/** Pings of ours: the round trip, and whether the peer is still there. */
import type { Millis } from '../clock.js'
import { MAX_UINT32 } from './frame.js'

/**
 * A round trip is measured again after this long, ms, while receive windows move. Often, since what counts is the one
 * under load: windows that fit an idle connection are too small for its buffers once they are full.
 */
const RTT_MAX_AGE_MS = 100

export interface PingLimits {
  readonly maxPings: number
  readonly keepAliveMs: number
  readonly keepAliveTimeoutMs: number
}

export class Pings {
  readonly #limits: PingLimits
  /** When each was sent, the oldest first. */
  readonly #sentAt = new Map<number, Millis>()
  #nextId = 0
  #heardAt: Millis
  #rttMs: Millis | undefined
  #measuredAt = -Infinity

  constructor(limits: PingLimits, now: Millis) {
    this.#limits = limits
    this.#heardAt = now
  }

  /** The last round trip; `undefined` until there is one. */
  get rttMs(): Millis | undefined {
    return this.#rttMs
  }

  get isFull(): boolean {
    return this.#sentAt.size >= this.#limits.maxPings
  }

  /** Whether the round trip is worth a new ping. */
  isStale(now: Millis): boolean {
    return this.#sentAt.size === 0 && now - this.#measuredAt > RTT_MAX_AGE_MS
  }

  /** @returns the opaque value of a new ping */
  send(now: Millis): number {
    const id = this.#nextId
    this.#nextId = id === MAX_UINT32 ? 0 : id + 1
    this.#sentAt.set(id, now)
    return id
  }

  /** Bytes came, whatever they are. */
  heard(now: Millis): void {
    this.#heardAt = now
  }

  /** Nothing could come or go until now: silence means nothing, and what was asked is asked from now on. */
  forgive(now: Millis): void {
    this.#heardAt = now
    for (const id of this.#sentAt.keys()) this.#sentAt.set(id, now)
  }

  /** @returns the round trip; `undefined` for an answer to nothing, which is ignored as Go does */
  answered(id: number, now: Millis): Millis | undefined {
    const sentAt = this.#sentAt.get(id)
    if (sentAt === undefined) return undefined
    this.#sentAt.delete(id)
    this.#measuredAt = now
    return (this.#rttMs = now - sentAt)
  }

  /** When {@link isSilent}, {@link expire} or {@link isDue} may change. */
  get nextAt(): Millis {
    const oldest = this.#sentAt.size === 0 ? undefined : this.#sentAt.values().next().value
    return oldest === undefined
      ? this.#heardAt + this.#limits.keepAliveMs
      : oldest + this.#limits.keepAliveTimeoutMs
  }

  /** Whether it is time to ask the peer for a sign of life. */
  isDue(now: Millis): boolean {
    return this.#sentAt.size === 0 && now >= this.#heardAt + this.#limits.keepAliveMs
  }

  /** Whether a ping is overdue and nothing else has come since it left. */
  isSilent(now: Millis): boolean {
    const [oldest] = this.#sentAt.values()
    if (oldest === undefined || now < oldest + this.#limits.keepAliveTimeoutMs) return false
    return this.#heardAt <= oldest
  }

  /** Forgets pings that are overdue though the peer is there. @returns their values */
  expire(now: Millis): number[] {
    const expired: number[] = []
    for (const [id, sentAt] of this.#sentAt) {
      if (now < sentAt + this.#limits.keepAliveTimeoutMs) break
      this.#sentAt.delete(id)
      expired.push(id)
    }
    return expired
  }
}
