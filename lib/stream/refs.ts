// SPDX-License-Identifier: Apache-2.0
/** Whether what is under way keeps the process up: said once, for all that is there and all that is to come. */
import type { EventEmitter } from 'node:events'

/** A socket, a request, or anything else that may have `ref` and `unref`. */
export type Refable = EventEmitter & { ref?(): unknown; unref?(): unknown }

export class Refs {
  readonly #handles = new Set<Refable>()
  readonly #onNew: (handle: Refable) => void
  #isRefed = true

  /** @param onNew - called with each handle that is added, once */
  constructor(onNew: (handle: Refable) => void = () => {}) {
    this.#onNew = onNew
  }

  /** Holds for `handle`, too, until it is closed. */
  add(handle: Refable): void {
    if (this.#handles.has(handle)) return
    this.#handles.add(handle)
    const apply = (): void => {
      if (!this.#isRefed) handle.unref?.()
    }
    const forget = (): void => {
      this.#handles.delete(handle)
      // A socket that tries one address after another gets a new handle for each.
      for (const event of NEW_HANDLE) handle.off(event, apply)
      handle.off('close', forget)
    }
    for (const event of NEW_HANDLE) handle.on(event, apply)
    handle.on('close', forget)
    apply()
    this.#onNew(handle)
  }

  set(isRefed: boolean): void {
    this.#isRefed = isRefed
    for (const handle of this.#handles) {
      if (isRefed) handle.ref?.()
      else handle.unref?.()
    }
  }
}

/** Of `net.Socket`. */
const NEW_HANDLE = ['connectionAttempt', 'connect']
