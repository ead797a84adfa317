// SPDX-License-Identifier: Apache-2.0
/** Whether a listener may take one more socket, told of now and then where it may not. */
import type { Clock, Millis } from '../clock.js'
import { debug } from '../debug.js'
import { DescriptorReserve } from './descriptors.js'

/** What there is too much of. */
export type FullOf = 'sockets' | 'descriptors'

export interface CapacityInit {
  readonly clock: Clock
  readonly maxSockets: number
  /** Told once a minute at most. @param most - that may be open */
  readonly onFull: (most: number, of: FullOf) => void
  /** For tests. Default: that of this process. */
  readonly reserve?: DescriptorReserve
}

/** A flood of sockets is told of this often. */
const FULL_EVERY_MS = 60_000

export class Capacity {
  readonly #init: CapacityInit
  readonly #reserve: DescriptorReserve
  #toldAt: Millis = -Infinity

  constructor(init: CapacityInit) {
    this.#init = init
    this.#reserve = init.reserve ?? new DescriptorReserve()
  }

  /** Whether a socket that has just come is to be closed unread, since the process has few descriptors left. */
  isExceeded(): boolean {
    if (!this.#reserve.isTouched) return false
    this.#tell(this.#reserve.limit, 'descriptors')
    return true
  }

  /** A server has closed a socket, as it had as many as it may. */
  dropped(): void {
    this.#tell(this.#init.maxSockets, 'sockets')
  }

  #tell(most: number, of: FullOf): void {
    const { clock, onFull } = this.#init
    if (clock.now() - this.#toldAt < FULL_EVERY_MS) return
    this.#toldAt = clock.now()
    debug('%d %s are open: further sockets are closed unread', most, of)
    onFull(most, of)
  }
}
