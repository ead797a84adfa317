// SPDX-License-Identifier: Apache-2.0
/**
 * Limits what subflows bring without progress for their connection: copies, dropped frames, pings, and acks of nothing. Much
 * of it is honest. A scheduler may send everything twice, and a path that was frozen brings what others have brought since.
 * A Go peer sends its whole window again while our reader is slow: hundreds of megabytes may precede the one missing frame.
 * A subflow therefore has what its connection's progress has earned, and beyond that a share of what all of them may take
 * together: one alone is hardly slowed down, and a hundred cost a tenth of one.
 */
import type { Millis } from '../clock.js'
import type { ResolvedConnOptions } from './options.js'

/** What a frame costs beside its bytes: a header takes us about as long as this many bytes of payload. */
export const FRAME_COST_BYTES = 64
/** What an ack of a frame of ours is worth beside the frame's bytes: a Go peer sends much again between its acks. */
export const ACK_WORTH_BYTES = 65_536
/** So much of each subflow before anything is earned. */
const FREE_BYTES = 256 * 1024
/** Each byte of progress pays for so many. */
const PER_PROGRESS = 2
/** The share of each of `n` is the nth part to this power: all together have the less, the more there are. */
const CROWDING = 1.5
/** Of the time that a subflow is left unread, at most this share is left out. */
const MOST_SPREAD = 0.25
/** Of a share of the whole: its multiples, less their whole part, lie far from each other. */
const GOLDEN_RATIO = 0.618
/** Progress pays for at most so much that is yet to come, bytes: what the kernels of a path hold when it thaws. */
const MOST_EARNED_BYTES = 16 * 1024 * 1024

/** What all subflows together may bring, of all connections that have the same one. */
export class AbuseLimiter {
  readonly perMs: number
  #throttled = 0
  /** 0 to 1, each far from those before. */
  #spread = 0

  constructor({ maxWasteBytesPerSecond }: Pick<ResolvedConnOptions, 'maxWasteBytesPerSecond'>) {
    this.perMs = maxWasteBytesPerSecond / 1000
  }

  /** Subflows that are left unread for now. */
  get throttled(): number {
    return this.#throttled
  }

  /** One more is left unread, or one is read again. */
  count(change: 1 | -1): void {
    this.#throttled += change
  }

  /** Those that came at the same time are not read again at the same time. What is not paid for yet stays a debt. */
  spread(throttleMs: Millis): Millis {
    const share = 1 - MOST_SPREAD * this.#spread
    this.#spread = (this.#spread + GOLDEN_RATIO) % 1
    return throttleMs * share
  }
}

export class AbuseMeter {
  readonly #allowance: AbuseLimiter
  /** Brought since the last charge. */
  #uncharged = 0
  /** What is not paid for by time; below zero, what progress has paid in advance. */
  #debt = 0
  #chargedAt: Millis
  #progress = 0
  #isThrottled = false

  constructor(allowance: AbuseLimiter, now: Millis) {
    this.#allowance = allowance
    this.#chargedAt = now
  }

  /** The subflow is left unread, and has a share. */
  set isThrottled(isThrottled: boolean) {
    if (isThrottled !== this.#isThrottled) this.#allowance.count(isThrottled ? 1 : -1)
    this.#isThrottled = isThrottled
  }

  /** A frame with a payload of `bytes` brought nothing. */
  add(bytes: number): void {
    this.#uncharged += bytes + FRAME_COST_BYTES
  }

  /**
   * @param progress - of the connection so far, bytes: what its reader took, what the peer acked, a little for each frame kept
   * @returns how long the subflow should not be read, milliseconds; at most `most`
   */
  charge(now: Millis, progress: number, most: Millis): Millis {
    const { perMs, throttled } = this.#allowance
    if (this.#uncharged === 0 || perMs === Infinity) return 0
    const share = perMs / (this.#isThrottled ? throttled : throttled + 1) ** CROWDING
    const paid = (now - this.#chargedAt) * share
    const earned = PER_PROGRESS * (progress - this.#progress)
    this.#debt = Math.max(Math.min(this.#debt, 0), this.#debt - paid)
    this.#debt = Math.max(-MOST_EARNED_BYTES, this.#debt - earned) + this.#uncharged
    this.#chargedAt = now
    this.#progress = progress
    this.#uncharged = 0
    const throttleMs = (this.#debt - FREE_BYTES) / share
    return throttleMs <= 0 ? 0 : this.#allowance.spread(Math.min(throttleMs, most))
  }
}
