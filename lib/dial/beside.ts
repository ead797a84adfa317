// SPDX-License-Identifier: Apache-2.0
/** Opens a subflow of a path beside those that it has: a standby, or a further one that shares the load. */
import type { PeerCloseDetector } from '../conn/peer-close-detector.js'
import type { Duplex } from 'node:stream'
import { sleep } from '../clock.js'
import type { MultipathConn } from '../conn/multipath-conn.js'
import type { Subflow } from '../core/subflow.js'
import { discard, ignore } from '../ignore.js'
import type { DialPath } from './dial-path.js'
import type { PathKeeperInit } from './path-keeper-init.js'
import { backoffMs } from './redial.js'
import type { Release, Semaphore } from './semaphore.js'

interface BesideInit {
  readonly peerClose: PeerCloseDetector
  readonly slots: Semaphore
  /** It takes only what paths without a subflow can do without. Default: no. */
  readonly isSpare?: boolean
  readonly open: () => Promise<Duplex | undefined>
  readonly join: (stream: Duplex, slot: Release) => Promise<unknown>
}

/**
 * Does without it where there is no slot, where it cannot be opened, or its hello fails: the path has others.
 *
 * @returns whether there was a slot
 */
export async function openBeside({
  peerClose,
  slots,
  isSpare = false,
  open,
  join,
}: BesideInit): Promise<boolean> {
  const slot = isSpare ? slots.tryTakeSpare() : slots.tryTake()
  if (slot === undefined) return false
  try {
    const stream = await open()
    if (stream !== undefined && !peerClose.isOn) await join(stream, slot)
    else {
      slot()
      if (stream !== undefined) discard(stream)
    }
  } catch {
    slot()
  }
  return true
}

/** The subflows of a path that share its load: as many as whichever side wants more, and the path may have. */
export class Siblings {
  readonly #path: DialPath
  readonly #conn: MultipathConn
  readonly #besides: BesideInit
  readonly #wantedBy = { us: 1, peer: 1 }
  /** More than one has been wanted. */
  #isShared = false
  /** Not joined yet. */
  #opening = 0
  #isRefilling = false
  readonly #policy: PathKeeperInit['policy']
  readonly #signal: AbortSignal

  /** @param signal - aborted when the path is no longer used */
  constructor(
    { path, conn, slots, peerClose, policy }: PathKeeperInit,
    signal: AbortSignal,
    join: BesideInit['join'],
  ) {
    this.#path = path
    this.#conn = conn
    this.#policy = policy
    this.#signal = signal
    const open = (): Promise<Duplex | undefined> => path.tryOpen(signal, conn.refs, Infinity)
    this.#besides = { peerClose, slots, open, join }
  }

  /** The path has a new subflow, after all were lost: who wanted more has forgotten it. */
  forget(): void {
    this.#wantedBy.us = 1
    this.#wantedBy.peer = 1
  }

  want(by: 'us' | 'peer', count: number, live: readonly Subflow[]): void {
    this.#wantedBy[by] = count
    this.adjust(live)
  }

  /**
   * Opens what is missing of `live`, or gives up the newest of them. What fails is not tried again by itself; while one
   * is silent, it is unknown which is needed.
   */
  adjust(live: readonly Subflow[]): void {
    if (live.length === 0 || live.some(({ state }) => state === 'suspect')) return
    const { leastSubflows, mostSubflows } = this.#path.policy
    const { us, peer } = this.#wantedBy
    const wanted = Math.min(Math.max(leastSubflows, us, peer), mostSubflows)
    // A standby is no sibling: it stays.
    this.#isShared ||= wanted > 1
    if (!this.#isShared) return
    const staying = live.filter(({ gracefulClose }) => gracefulClose === undefined)
    for (const subflow of staying.slice(wanted)) this.#conn.retireSubflow(subflow, 'surplus')
    for (let n = staying.length + this.#opening; n < wanted; n++) void this.#openOne(n >= leastSubflows)
  }

  /** One of several is gone that the path is always to have: another is opened, though not at once, until there are enough. */
  refill(live: () => readonly Subflow[], attempts = 1): void {
    const isShort = live().length > 0 && live().length < this.#path.policy.leastSubflows
    if (!isShort || this.#isRefilling) return
    this.#isRefilling = true
    const adjust = (): void => {
      this.#isRefilling = false
      this.adjust(live())
      this.refill(live, attempts + 1)
    }
    sleep(this.#policy.clock, backoffMs(this.#policy, attempts), this.#signal).then(adjust, ignore)
  }

  async #openOne(isSpare: boolean): Promise<void> {
    this.#opening++
    await openBeside({ ...this.#besides, isSpare })
    this.#opening--
  }
}
