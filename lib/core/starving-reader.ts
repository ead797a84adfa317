// SPDX-License-Identifier: Apache-2.0
/** Tells a peer of ours when our reader waits for a missing frame alone: later ones have come, and all before it is taken. */
import type { Millis } from '../clock.js'
import { encodeStarving } from '../wire/starving-frame.js'
import { isUsable } from './graceful-close.js'
import type { Peer } from './peer-profile.js'
import type { ReorderWindow } from './reorder.js'
import type { Subflow } from './subflow.js'

export class StarvingReader {
  readonly #peer: Peer
  readonly #received: ReorderWindow
  /** The subflow that brought data last: what is said on another would make that one seem alive. */
  #bringer: Subflow | undefined
  #frame = 0
  #saidAt: Millis = -Infinity
  #hasNews = false

  constructor(peer: Peer, received: ReorderWindow) {
    this.#peer = peer
    this.#received = received
  }

  /** A word waits to be sent. */
  get hasNews(): boolean {
    return this.#hasNews
  }

  /** All that was due has left. */
  flushed(): void {
    this.#hasNews = false
  }

  /** Data has come, or been taken. @param bringer - the subflow that brought it */
  review(bringer: Subflow | undefined, now: Millis): void {
    if (bringer !== undefined) this.#bringer = bringer
    const { unreadBytes, outOfOrderBytes, nextFrame } = this.#received
    if (unreadBytes > 0 || outOfOrderBytes === 0 || !this.#peer.profile.feedsStarving) return
    const teller = this.#bringer
    if (teller === undefined || !isUsable(teller)) return
    // Once for each frame and round trip: the word may die with its subflow.
    if (nextFrame === this.#frame && now - this.#saidAt < teller.smoothedRttMs) return
    this.#frame = nextFrame
    this.#saidAt = now
    this.#hasNews = true
    teller.acks.addBytes(encodeStarving(nextFrame))
  }
}
