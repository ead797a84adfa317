// SPDX-License-Identifier: Apache-2.0
/** What the kernel lets this process do. */
import { readFileSync } from 'node:fs'

/** Of linux/capability.h. */
export const NET_ADMIN = 12
export const SYS_ADMIN = 21

/** Whether this process has all of them, by their numbers. Linux only. */
export function hasCapabilities(...numbers: readonly number[]): boolean {
  const [, bits = '0'] = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1')) ?? []
  return numbers.every((number) => ((BigInt(`0x${bits}`) >> BigInt(number)) & 1n) === 1n)
}
