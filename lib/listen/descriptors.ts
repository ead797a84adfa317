// SPDX-License-Identifier: Apache-2.0
/** Descriptors: who takes more sockets than the process can hold starves what it opens itself. */
import { closeSync, openSync, readFileSync } from 'node:fs'

/**
 * How many descriptors this process may have open (RLIMIT_NOFILE): `Infinity` for no limit, `undefined` where the system
 * cannot be asked, as without /proc.
 *
 * @param readLimits - gives the text of /proc/self/limits; for tests
 */
export function descriptorLimit(readLimits: () => string = readOwnLimits): number | undefined {
  let text: string
  try {
    text = readLimits()
  } catch {
    return undefined
  }
  const soft = /^Max open files +(\w+)/m.exec(text)?.[1]
  return soft === 'unlimited' ? Infinity : Number(soft) || undefined
}

/**
 * A part of all descriptors of this process, at least one: for sockets of peers, so that the rest is left for files and
 * for sockets that lead elsewhere. `Infinity` where the limit is not known.
 *
 * @param part - between 0 and 1
 */
export function descriptorShare(part: number, readLimits?: () => string): number {
  const limit = descriptorLimit(readLimits)
  return limit === undefined ? Infinity : Math.max(1, Math.floor(limit * part))
}

/** Of all descriptors, so that the last are not those of sockets of strangers. */
const FREE_PART = 1 / 16

/** Tells when few descriptors are left, whatever holds them: the system accepts sockets until it has no more. */
export class DescriptorReserve {
  readonly #limit: number
  readonly #lowestFree: () => number

  /** @param lowestFree - the number of the next descriptor, Infinity if no more can be opened; for tests */
  constructor(limit: number = descriptorLimit() ?? Infinity, lowestFree: () => number = ownLowestFree) {
    this.#limit = Math.floor(limit * (1 - FREE_PART))
    this.#lowestFree = lowestFree
  }

  /** As many may be open before it is touched. Infinity where the limit is not known. */
  get limit(): number {
    return this.#limit
  }

  /** Whether it has been touched. Some microseconds. */
  get isTouched(): boolean {
    return this.#limit !== Infinity && this.#lowestFree() >= this.#limit
  }
}

/** The system gives the lowest number that is free: where that is high, all below it are open. */
function ownLowestFree(): number {
  try {
    const descriptor = openSync('/dev/null', 'r')
    closeSync(descriptor)
    return descriptor
  } catch {
    return Infinity
  }
}

function readOwnLimits(): string {
  return readFileSync('/proc/self/limits', 'latin1')
}
