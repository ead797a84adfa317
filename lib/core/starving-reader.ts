// SPDX-License-Identifier: Apache-2.0
/** Tells a peer of ours when our reader waits for a missing frame alone: later ones have come, and all before it is taken. */
import type { Millis } from '../clock.js'
import { encodeStarving } from '../wire/starving-frame.js'
import { isUsable } from './graceful-close.js'
import type { Peer } from './peer-profile.js'
import type { ReorderWindow } from './reorder.js'
import type { Subflow } from './subflow.js'

/**
 * The peer hears of a wait after this time, milliseconds: half of the delay after which it takes a frame for late. Between paths of
 * different length, shorter waits are common.
 */
const PATIENCE_MS = 5

export class StarvingReader {
  readonly #peer: Peer
  readonly #received: ReorderWindow
  /** The subflow that brought data last: what is said on another would make that one seem alive. */
  #bringer: Subflow | undefined
  /** The frame that the reader waits for, and when the peer is to hear of it next; `undefined` where it waits for none. */
  #waiting: { readonly frame: number; readonly sayAt: Millis; readonly isSaid: boolean } | undefined
  #hasNews = false

  constructor(peer: Peer, received: ReorderWindow) {
    this.#peer = peer
    this.#received = received
  }

  /** A word waits to be sent. */
  get hasNews(): boolean {
    return this.#hasNews
  }

  /** When it is said, even if nothing comes in until then; Infinity for never. */
  get dueAt(): Millis {
    return this.#waiting?.isSaid === false ? this.#waiting.sayAt : Infinity
  }

  /** All that was due has left. */
  flushed(): void {
    this.#hasNews = false
  }

  /** Data has come, or been taken. @param bringer - the subflow that brought it */
  review(bringer: Subflow | undefined, now: Millis): void {
    if (bringer !== undefined) this.#bringer = bringer
    const { unreadBytes, outOfOrderBytes, nextFrame } = this.#received
    if (unreadBytes > 0 || outOfOrderBytes === 0 || !this.#peer.profile.feedsStarving)
      this.#waiting = undefined
    else if (nextFrame !== this.#waiting?.frame)
      this.#waiting = { frame: nextFrame, sayAt: now + PATIENCE_MS, isSaid: false }
    else if (now >= this.#waiting.sayAt) this.#say(nextFrame, now)
  }

  /** Time has come to what {@link dueAt} said. */
  tick(now: Millis): void {
    if (now >= this.dueAt) this.#say(this.#waiting!.frame, now)
  }

  /** Again with data that comes a round trip later: the word may die with its subflow. */
  #say(frame: number, now: Millis): void {
    const teller = this.#bringer
    const canTell = teller !== undefined && isUsable(teller)
    this.#waiting = { frame, sayAt: now + (canTell ? teller.smoothedRttMs : PATIENCE_MS), isSaid: true }
    if (!canTell) return
    this.#hasNews = true
    teller.acks.addBytes(encodeStarving(frame))
  }
}
