// SPDX-License-Identifier: Apache-2.0
/** Takes datagrams in: acks each, and hands on what is neither a copy nor late, in the order of arrival. */
import type { Millis } from '../../clock.js'
import { decodeDatagram, encodeDatagramAck, STAMPS } from '../../wire/datagram.js'
import { ackerFor } from '../graceful-close.js'
import type { Perishable } from './perishable-queue.js'
import { PerishableQueue } from './perishable-queue.js'
import { SeenNumbers } from './seen-numbers.js'
import type { Subflow } from '../subflow.js'
import { Transit } from './transit.js'

/** What waits before the application has asked for datagrams: one of the largest. */
const UNASKED_BYTES = 65_536

export class DatagramReceiver {
  readonly queue: PerishableQueue<Perishable> = new PerishableQueue(UNASKED_BYTES)
  readonly #subflows: readonly Subflow[]
  readonly #seen = new SeenNumbers()
  readonly #transit = new Transit(STAMPS)
  #received = 0
  #duplicates = 0
  #old = 0
  #expired = 0

  constructor(subflows: readonly Subflow[]) {
    this.#subflows = subflows
  }

  /** How many have been handed on. */
  get received(): number {
    return this.#received
  }

  /** How many came again. */
  get duplicates(): number {
    return this.#duplicates
  }

  /** How many came late, or became late before they were taken. */
  get late(): number {
    return this.#old + this.expired
  }

  /** Of these, the ones whose time was over. The others are too old to be told from copies. */
  get expired(): number {
    return this.#expired + this.queue.expired
  }

  /** A frame came with a datagram. @throws {RemoteProtocolError} where it carries none */
  heard(subflow: Subflow, frame: Uint8Array, now: Millis): void {
    const { number, stamp, lifeMs, bytes } = decodeDatagram(frame)
    ackerFor(subflow, this.#subflows).acks.addBytes(encodeDatagramAck(number))
    subflow.traffic.received(bytes.length)
    const tookMs = this.#transit.took(stamp, now, this.#leastMs())
    const sight = this.#seen.see(number)
    const expiresAt = lifeMs === 0 ? Infinity : now + lifeMs - tookMs
    if (sight === 'known') this.#duplicates++
    else if (sight === 'old') this.#old++
    else if (expiresAt <= now) this.#expired++
    else if (this.queue.push({ bytes, priority: 0, expiresAt })) return
    // It was a copy or late, or an older one that was not read made room for it.
    subflow.waste.add(bytes.length)
  }

  /** The next one for the application, which is its own. */
  take(now: Millis): Uint8Array | undefined {
    const next = this.queue.first(now)
    if (next === undefined) return undefined
    this.queue.remove(next)
    this.#received++
    return next.bytes
  }

  /** What the fastest path takes, milliseconds. */
  #leastMs(): number {
    const least = Math.min(...this.#subflows.map(({ rtt }) => rtt.min))
    return least === Infinity ? 0 : least / 2
  }
}
