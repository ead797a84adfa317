// SPDX-License-Identifier: Apache-2.0
/** socket.setTimeout(): tells once nothing was read or written for a while. Node: net.Socket, 'timeout'. */
import { OptionError } from '../errors.js'

export class IdleTimeout {
  readonly #onIdle: () => void
  #ms = 0
  #timer: NodeJS.Timeout | undefined

  constructor(onIdle: () => void) {
    this.#onIdle = onIdle
  }

  /** 0 where none is set. */
  get ms(): number {
    return this.#ms
  }

  /** @throws {OptionError} unless `ms` is a number from 0 to 2^31 - 1 */
  set(ms: number): void {
    if (!(ms >= 0 && ms < 2 ** 31))
      throw new OptionError(`timeout must be from 0 to 2147483647 ms, got ${String(ms)}`)
    this.#ms = ms
    this.stop()
    if (ms > 0) this.#timer = setTimeout(this.#onIdle, ms).unref()
  }

  /** Something was read or written. */
  refresh(): void {
    this.#timer?.refresh()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
