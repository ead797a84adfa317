// SPDX-License-Identifier: Apache-2.0
/** socket.setTimeout(): tells once nothing was read or written for a while. Node: net.Socket, 'timeout'. */
import { OptionError } from '../errors.js'

/** What a timer of Node can wait for, milliseconds. */
const MAX_MS = 2 ** 31 - 1

export class IdleTimeout {
  readonly #onIdle: () => void
  readonly #sentBytes: () => number | undefined
  #timer: NodeJS.Timeout | undefined
  /** At the last look, or when something was read or written. */
  #sentBefore: number | undefined

  /**
   * @param sentBytes - while something that was written has not left: the bytes that have. A long write is not idle while it makes
   *   progress
   */
  constructor(onIdle: () => void, sentBytes: () => number | undefined) {
    this.#onIdle = onIdle
    this.#sentBytes = sentBytes
  }

  /** @throws {OptionError} unless `ms` is a number from 0 on: ERR_INVALID_ARG_TYPE or ERR_OUT_OF_RANGE, as net's */
  set(ms: number): void {
    if (typeof ms !== 'number')
      throw new OptionError(
        `timeout must be a number of milliseconds, got ${typeof ms}`,
        'ERR_INVALID_ARG_TYPE',
      )
    if (!(ms >= 0 && ms <= MAX_MS))
      throw new OptionError(`timeout must be from 0 to ${MAX_MS} ms, got ${ms}`, 'ERR_OUT_OF_RANGE')
    this.stop()
    if (ms === 0) return
    this.#timer = setTimeout(() => this.#look(), ms).unref()
    this.#sentBefore = this.#sentBytes()
  }

  #look(): void {
    const sent = this.#sentBytes()
    if (sent === undefined || sent === this.#sentBefore) this.#onIdle()
    else this.refresh()
  }

  /** Something was read or written. */
  refresh(): void {
    if (this.#timer === undefined) return
    this.#timer.refresh()
    this.#sentBefore = this.#sentBytes()
  }

  /** Some of what was written has left: with the last of it, a new time begins. */
  progressed(): void {
    if (this.#sentBefore !== undefined && this.#sentBytes() === undefined) this.refresh()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#sentBefore = undefined
  }
}
