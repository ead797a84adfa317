// SPDX-License-Identifier: Apache-2.0
/** What has come, grouped by the address that it came from: where there is too much, the address that has most pays. */

export class ByAddress<Item> {
  /** The oldest of each address first. */
  readonly #groups = new Map<string | undefined, Set<Item>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  get groups(): ReadonlySet<Item>[] {
    return [...this.#groups.values()]
  }

  /** Those of all addresses; the list is the caller's. */
  get all(): Item[] {
    return this.groups.flatMap((group) => [...group])
  }

  /** The same, each behind its address. */
  get entries(): [address: string | undefined, item: Item][] {
    return [...this.#groups].flatMap(([address, group]) =>
      [...group].map((item): [string | undefined, Item] => [address, item]),
    )
  }

  /** How many there are of one address. */
  of(address: string | undefined): number {
    return this.#groups.get(address)?.size ?? 0
  }

  /** @param item - not there yet */
  add(address: string | undefined, item: Item): void {
    const group = this.#groups.get(address)
    if (group === undefined) this.#groups.set(address, new Set([item]))
    else group.add(item)
    this.#size++
  }

  /** @returns whether it was there */
  delete(address: string | undefined, item: Item): boolean {
    const group = this.#groups.get(address)
    if (group?.delete(item) !== true) return false
    this.#size--
    if (group.size === 0) this.#groups.delete(address)
    return true
  }

  /** The oldest of one address. */
  oldestOf(address: string | undefined): Item | undefined {
    const [oldest] = this.#groups.get(address) ?? []
    return oldest
  }

  /** The oldest of the address that has most, and more than `least`. */
  oldestOfMost(least = 0): Item | undefined {
    let most: ReadonlySet<Item> | undefined
    for (const group of this.#groups.values()) if (group.size > (most?.size ?? least)) most = group
    const [oldest] = most ?? []
    return oldest
  }
}
