// SPDX-License-Identifier: Apache-2.0
/** Descriptors: who takes more sockets than the process can hold starves what it opens itself. */
import { readFileSync } from 'node:fs'

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

function readOwnLimits(): string {
  return readFileSync('/proc/self/limits', 'latin1')
}
