// SPDX-License-Identifier: Apache-2.0
/**
 * A map whose entries come and go. V8 rebuilds the table of such a map every few entries. Once the map has become old, each new
 * table is allocated among old objects, and beside the buffers of sockets, that makes V8 mark the whole heap again and again: bulk
 * data took twice the processor time. So the entries move to a new map, which is young, before that.
 */

/** The entries move after this many deletions, or after as many as there are entries, whichever is more. */
const MOVE_AFTER = 64

export class PassingMap<Key, Value> {
  #map = new Map<Key, Value>()
  #gone = 0

  get size(): number {
    return this.#map.size
  }

  get(key: Key): Value | undefined {
    return this.#map.get(key)
  }

  has(key: Key): boolean {
    return this.#map.has(key)
  }

  /** In the order in which they came. */
  values(): MapIterator<Value> {
    return this.#map.values()
  }

  set(key: Key, value: Value): void {
    if (this.#gone > Math.max(MOVE_AFTER, this.#map.size)) {
      this.#map = new Map(this.#map)
      this.#gone = 0
    }
    this.#map.set(key, value)
  }

  /** @returns whether it was there */
  delete(key: Key): boolean {
    const wasThere = this.#map.delete(key)
    if (wasThere) this.#gone++
    return wasThere
  }

  clear(): void {
    this.#map = new Map()
    this.#gone = 0
  }
}
