// SPDX-License-Identifier: Apache-2.0
/** The pings of one subflow: when they left, and which of them are answered. Pongs come in the order of their pings. */
import type { Millis } from '../clock.js'

/** Pings whose answers are awaited at the same time. */
const MAX_PINGS = 64

export class Pings {
  /** When the newest left. */
  lastAt: Millis = -Infinity
  /** When the newest left that has been answered, and when its answer came. */
  answeredSentAt: Millis = -Infinity
  answeredAt: Millis = -Infinity
  /** Silence until the next keep-alive, milliseconds; drawn once after each ping, by failure-detector.ts. */
  keepAliveMs: Millis | undefined
  #sentAt: Millis[] = []

  /** When the oldest unanswered one left. */
  get owedSince(): Millis | undefined {
    return this.#sentAt[0]
  }

  /** @returns whether one leaves now; none does while MAX_PINGS are unanswered */
  leave(now: Millis): boolean {
    this.lastAt = now
    this.keepAliveMs = undefined
    if (this.#sentAt.length === MAX_PINGS) return false
    this.expect(now)
    return true
  }

  /** A pong is to come for what left at `sentAt`: a ping, or the listener's hello. */
  expect(sentAt: Millis): void {
    this.#sentAt.push(sentAt)
  }

  /** @returns when the answered one left; `undefined` where none was to come */
  answered(now: Millis): Millis | undefined {
    const sentAt = this.#sentAt.shift()
    if (sentAt === undefined) return undefined
    // An array keeps the room that it had, and most of the time nothing is awaited.
    if (this.#sentAt.length === 0) this.#sentAt = []
    this.answeredSentAt = sentAt
    this.answeredAt = now
    return sentAt
  }
}
