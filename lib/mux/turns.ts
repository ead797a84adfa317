// SPDX-License-Identifier: Apache-2.0
/**
 * Whose turn it is to send. Round robin, one frame a turn; who had nothing to send is served before those who
 * always have, so that a small message is not behind a thousand large ones. Who has been served so waits among the
 * rest, even with nothing to send, before it can be first again.
 *
 * @see RFC 8290, section 4.1: lists of new and of old flows
 */
export class Turns<Item> {
  readonly #fresh = new Set<Item>()
  readonly #others = new Set<Item>()

  /** No other waits behind the one whose turn it is. */
  get isAlone(): boolean {
    return this.#fresh.size + this.#others.size <= 1
  }

  get isEmpty(): boolean {
    return this.#fresh.size + this.#others.size === 0
  }

  /** `item` has something to send. */
  add(item: Item): void {
    if (!this.#others.has(item)) this.#fresh.add(item)
  }

  delete(item: Item): void {
    this.#fresh.delete(item)
    this.#others.delete(item)
  }

  /** @returns the next one that `isReady`; it keeps its place behind all others for its next turn */
  next(isReady: (item: Item) => boolean): Item | undefined {
    for (const item of this.#fresh) {
      this.#fresh.delete(item)
      if (!isReady(item)) continue
      this.#others.add(item)
      return item
    }
    for (const item of this.#others) {
      // Taken out and put back, a set is made anew every few turns, as garbage of the slow kind.
      if (this.#others.size === 1 && isReady(item)) return item
      this.#others.delete(item)
      if (!isReady(item)) continue
      this.#others.add(item)
      return item
    }
    return undefined
  }
}
