// SPDX-License-Identifier: Apache-2.0
/** A queue with a limit, of what is worth nothing once it is late: what matters more leaves first, and the oldest is dropped first. */
import type { Millis } from '../../clock.js'

/** What each costs beside its bytes: objects, and the place in a queue. */
const OVERHEAD_BYTES = 64

export interface Perishable {
  readonly bytes: Uint8Array
  /** A higher one leaves first. */
  readonly priority: number
  /** Worth nothing from then on; Infinity for never. */
  readonly expiresAt: Millis
}

export class PerishableQueue<Item extends Perishable> {
  /** Bytes that it holds at most; the newest stays, however long it is. */
  maxBytes: number
  /** In the order of their priorities, the lowest first; none is empty. */
  #rows: { readonly priority: number; readonly items: Set<Item> }[] = []
  #bytes = 0
  #dropped = 0
  #expired = 0

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  /** What it holds, with what that costs. */
  get bytes(): number {
    return this.#bytes
  }

  get isEmpty(): boolean {
    return this.#rows.length === 0
  }

  /** How many had to make room for others. */
  get dropped(): number {
    return this.#dropped
  }

  /** How many became late in it. */
  get expired(): number {
    return this.#expired
  }

  /** Adds `item`; the oldest of the lowest priority make room, which `item` itself may be. @returns whether all had room */
  push(item: Item): boolean {
    this.#rowOf(item.priority).add(item)
    this.#bytes += costOf(item)
    let hasRoom = true
    while (this.#bytes > this.maxBytes) {
      const [oldest] = this.#rows[0]!.items
      if (this.#rows.length === 1 && this.#rows[0]!.items.size === 1) break
      this.remove(oldest!)
      this.#dropped++
      hasRoom = false
    }
    return hasRoom
  }

  /** The next one that is not late; it stays. Those that are late are gone. */
  first(now: Millis): Item | undefined {
    for (let row = this.#rows.at(-1); row !== undefined; row = this.#rows.at(-1)) {
      const [item] = row.items
      if (item!.expiresAt > now) return item
      this.remove(item!)
      this.#expired++
    }
    return undefined
  }

  /** Takes out one that it holds. */
  remove(item: Item): void {
    const at = this.#rows.findIndex(({ priority }) => priority === item.priority)
    const { items } = this.#rows[at]!
    items.delete(item)
    this.#bytes -= costOf(item)
    if (items.size === 0) this.#rows.splice(at, 1)
  }

  clear(): void {
    this.#rows = []
    this.#bytes = 0
  }

  #rowOf(priority: number): Set<Item> {
    let at = this.#rows.findIndex((row) => row.priority >= priority)
    if (at < 0) at = this.#rows.length
    if (this.#rows[at]?.priority !== priority) this.#rows.splice(at, 0, { priority, items: new Set() })
    return this.#rows[at]!.items
  }
}

function costOf({ bytes }: Perishable): number {
  return bytes.length + OVERHEAD_BYTES
}
