// SPDX-License-Identifier: Apache-2.0
/** Those who watch the page: each gets the state four times a second, as server-sent events. */
import type { ServerResponse } from 'node:http'

/** At the same time; one more is refused. */
export const MOST_VIEWERS = 8
const UPDATE_MS = 250
/** One that has not taken a state for so long is cut off, milliseconds. */
const SLOW_MS = 10_000

export class Viewers {
  readonly #state: () => string
  /** Since when each has not taken what was sent, in the time of `performance.now()`; `undefined`: it has. */
  readonly #all = new Map<ServerResponse, number | undefined>()
  #timer: NodeJS.Timeout | undefined

  /** @param state - the state now, in JSON; only asked for while somebody watches */
  constructor(state: () => string) {
    this.#state = state
  }

  get isFull(): boolean {
    return this.#all.size >= MOST_VIEWERS
  }

  get count(): number {
    return this.#all.size
  }

  /** Until it closes. @param response - its head has been sent */
  add(response: ServerResponse): void {
    this.#all.set(response, undefined)
    response.once('close', () => {
      this.#all.delete(response)
      if (this.#all.size === 0) clearInterval(this.#timer)
    })
    if (this.#all.size === 1) {
      this.#timer = setInterval(() => this.#update([...this.#all.keys()]), UPDATE_MS)
      this.#timer.unref()
    }
    this.#update([response])
  }

  /** A state that one cannot take is left out for it, as the next one says all: nothing piles up. */
  #update(viewers: readonly ServerResponse[]): void {
    const ready = viewers.filter((viewer) => !viewer.writableNeedDrain)
    const now = performance.now()
    for (const viewer of ready) this.#all.set(viewer, undefined)
    for (const viewer of viewers.filter((one) => one.writableNeedDrain)) {
      const since = this.#all.get(viewer) ?? now
      this.#all.set(viewer, since)
      if (now - since >= SLOW_MS) viewer.destroy()
    }
    if (ready.length === 0) return
    const event = `data: ${this.#state()}\n\n`
    for (const viewer of ready) viewer.write(event)
  }
}
