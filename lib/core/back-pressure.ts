// SPDX-License-Identifier: Apache-2.0
/** Tells a peer of ours how much our reader takes: by WINDOW, or one of an earlier version by hold and go. */
import type { Millis } from '../clock.js'
import { CODE_GO, CODE_HOLD } from '../wire/limits.js'
import { encodeWindow } from '../wire/window-frame.js'
import { ackerFor, isUsable } from './graceful-close.js'
import type { ResolvedConnOptions } from './options.js'
import type { Peer } from './peer-profile.js'
import { ReceiveWindow } from './receive-window.js'
import type { ReorderWindow } from './reorder.js'
import type { Subflow } from './subflow.js'

/** A round trip counts as at least so long, milliseconds: on loopback it would be each frame. */
const LEAST_ROUND_MS = 10

export class BackPressure {
  readonly #peer: Peer
  readonly #subflows: readonly Subflow[]
  readonly #options: ResolvedConnOptions
  readonly #received: ReorderWindow
  readonly #window: ReceiveWindow
  #isHolding = false
  #heldAt: Millis = 0
  /** Subflows that brought data since the last word, and that live. */
  #bringers: Set<Subflow> | undefined
  /** The subflow on which the last word was. */
  #last: Subflow | undefined
  /** Subflows on which the peer heard the last word, and that live. */
  #toldOn = new Set<Subflow>()
  /** A word waits to be sent. */
  #hasNews = false

  constructor(
    peer: Peer,
    subflows: readonly Subflow[],
    options: ResolvedConnOptions,
    received: ReorderWindow,
  ) {
    this.#peer = peer
    this.#subflows = subflows
    this.#options = options
    this.#received = received
    this.#window = new ReceiveWindow(options)
  }

  get hasNews(): boolean {
    return this.#hasNews
  }

  /** All that was due has left. */
  flushed(): void {
    this.#hasNews = false
  }

  /** Data has come, or been taken. @param bringer - the subflow that brought it */
  announce(bringer: Subflow | undefined, now: Millis): void {
    if (bringer !== undefined) (this.#bringers ??= new Set()).add(bringer)
    const { slowedBy } = this.#peer.profile
    if (slowedBy === 'window') {
      if (this.#window.isDue(this.#received) && this.#subflows.some(isUsable)) this.#open(now)
    } else if (slowedBy === 'hold') this.#holdOrGo(bringer, now)
  }

  /** A subflow is gone, or silent: what was said there and nowhere else is said again. */
  lost(subflow: Subflow): void {
    this.#bringers?.delete(subflow)
    if (this.#last === subflow) this.#last = undefined
    if (!this.#toldOn.delete(subflow) || this.#toldOn.size > 0) return
    const other = quickest(this.#subflows)
    if (other === undefined) return
    if (this.#peer.profile.slowedBy === 'window') this.repeatLimit(other)
    else this.#say(other, this.#isHolding ? CODE_HOLD : CODE_GO)
  }

  /** Says the limit again, on `subflow`: the peer may not have heard it. */
  repeatLimit(subflow: Subflow): void {
    if (this.#window.limitBytes > 0) this.#sayLimit(subflow)
  }

  /** Beside the acks of what the peer sends: heard elsewhere, it would make a path seem alive that brings nothing any more. */
  #open(now: Millis): void {
    this.#window.raise(this.#received, now, this.#longestRttMs())
    this.#received.promise(this.#window.limitBytes)
    const last = this.#last !== undefined && isUsable(this.#last) ? this.#last : undefined
    const subflow = quickest(this.#bringers ?? []) ?? last ?? quickest(this.#subflows)!
    this.#last = subflow
    // Not cleared: of a set that lives for long, V8 allocates an empty table among old objects.
    this.#bringers = undefined
    this.#toldOn = new Set()
    this.#sayLimit(subflow)
  }

  #sayLimit(subflow: Subflow): void {
    this.#told(subflow)
    subflow.acks.addBytes(encodeWindow({ limitBytes: this.#window.limitBytes }))
  }

  /** A slow reader asks a peer that obeys to hold at a quarter of the budget: what is on its way needs the rest. */
  #holdOrGo(bringer: Subflow | undefined, now: Millis): void {
    const unread = this.#received.unreadBytes
    const { maxUnreadBytes } = this.#options
    if (unread > maxUnreadBytes / 4) {
      if (bringer !== undefined && this.#isHoldDue(bringer, now)) this.#hold(bringer, now)
    } else if (this.#isHolding && unread <= maxUnreadBytes / 8) this.#go()
  }

  /** Said again with what still comes a round trip later: the last one may have died with its subflow. */
  #isHoldDue({ smoothedRttMs }: Subflow, now: Millis): boolean {
    const roundMs = Math.max(LEAST_ROUND_MS, Number.isFinite(smoothedRttMs) ? smoothedRttMs : 0)
    return !this.#isHolding || now - this.#heldAt >= roundMs
  }

  /** On one subflow: on all of them, each little frame would cost as many writes as there are subflows. */
  #hold(bringer: Subflow, now: Millis): void {
    if (!this.#isHolding) this.#toldOn.clear()
    this.#isHolding = true
    this.#heldAt = now
    this.#say(ackerFor(bringer, this.#subflows), CODE_HOLD)
  }

  /** Wherever the peer was told to hold, since the one must not overtake the other, and where it is there soonest. */
  #go(): void {
    this.#isHolding = false
    const soonest = quickest(this.#subflows)
    if (soonest !== undefined) this.#toldOn.add(soonest)
    for (const subflow of this.#toldOn) this.#say(subflow, CODE_GO)
  }

  #say(subflow: Subflow, code: number): void {
    this.#told(subflow)
    subflow.acks.add(code)
  }

  #told(subflow: Subflow): void {
    this.#hasNews = true
    this.#toldOn.add(subflow)
  }

  #longestRttMs(): Millis {
    const known = this.#subflows.filter(isUsable).map(({ smoothedRttMs }) => smoothedRttMs)
    return Math.max(0, ...known.filter(Number.isFinite))
  }
}

function quickest(subflows: Iterable<Subflow>): Subflow | undefined {
  return [...subflows].filter(isUsable).sort((a, b) => a.smoothedRttMs - b.smoothedRttMs)[0]
}
