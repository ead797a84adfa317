// SPDX-License-Identifier: Apache-2.0
/** All paths are gone for a while. */
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { MultipathConn } from '../../lib/index.js'
import type { PathRelay } from './path-relay.js'

/** Everything is reset and refused, or swallowed. */
export type OutageWay = 'refused' | 'silent'

export class Outage {
  readonly way: OutageWay
  readonly #relays: readonly PathRelay[]
  readonly #seconds: number

  /** @param relays - what each path passes through */
  constructor(relays: readonly PathRelay[], way: OutageWay, seconds: number) {
    this.#relays = relays
    this.way = way
    this.#seconds = seconds
  }

  /** Resolves once the paths are back: not before all of `noticed`, since a busy machine forgives silence. */
  async pass(noticed: readonly Promise<unknown>[]): Promise<void> {
    for (const relay of this.#relays) this.#begin(relay)
    await Promise.all([delay(this.#seconds * 1000), ...noticed])
    for (const relay of this.#relays) this.#end(relay)
  }

  #begin(relay: PathRelay): void {
    if (this.way === 'silent') relay.freeze()
    else {
      relay.refuse(true)
      relay.reset()
    }
  }

  #end(relay: PathRelay): void {
    if (this.way === 'silent') relay.thaw()
    else relay.refuse(false)
  }
}

/** How soon a dialer has to give up silent paths, so that a silence of a few seconds suspends its connections. */
export const OUTAGE_DEAD_MS = 5000

/** One of each kind, of so many seconds. */
export function outages(relays: readonly PathRelay[], seconds: number): Outage[] {
  return (['refused', 'silent'] as const).map((way) => new Outage(relays, way, seconds))
}

/** Resolves once `conn` is suspended, which it may be already: a busy machine is late. */
export async function suspended(conn: MultipathConn): Promise<void> {
  if (!conn.isSuspended) await once(conn, 'suspended')
}
