// SPDX-License-Identifier: Apache-2.0
/** Lookups of names under way, including those that are no longer waited for: the system's resolver cannot be stopped. */
import type { LookupAddress } from 'node:dns'
import { lookup as dnsLookup } from 'node:dns/promises'
import type { Resolve } from './dial-target.js'
import { TargetError } from './dial-target.js'

/** Names that one client may have looked up at the same time. */
export const MAX_LOOKUPS = 256

export class Lookups {
  readonly #resolve: Resolve
  readonly #most: number
  #underWay = 0

  /** @param maxClients - how many may look up as many names as they may, whether they have left since or not */
  constructor(maxClients: number, resolve: Resolve = dnsLookup) {
    this.#resolve = resolve
    this.#most = maxClients * MAX_LOOKUPS
  }

  /** For one client: streams that ask for the same name at the same time share one lookup. */
  forClient(): Resolve {
    const shared = new Map<string, Promise<LookupAddress[]>>()
    return (host, options) => {
      const same = shared.get(host)
      if (same !== undefined) return same
      if (shared.size >= MAX_LOOKUPS || this.#underWay >= this.#most)
        return Promise.reject(new TargetError('limit', 'too many names are being looked up'))
      const lookup = this.#resolve(host, options)
      shared.set(host, lookup)
      this.#underWay++
      const ended = (): void => {
        shared.delete(host)
        this.#underWay--
      }
      lookup.then(ended, ended)
      return lookup
    }
  }
}
