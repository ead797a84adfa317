// SPDX-License-Identifier: Apache-2.0
/** What Linux tells everybody of TCP in a network namespace. */
import { readFileSync } from 'node:fs'

const FILE = '/proc/self/net/netstat'

/**
 * Segments that TCP has sent again in the network namespace of this process because later ones had arrived, of all
 * connections together. Probes for the last segment and timeouts do not count: a busy machine causes them without a loss.
 * It takes about 0.1 ms. @returns `undefined` where the system does not tell
 */
export function kernelRetransmits(): number | undefined {
  // Deno would ask its user whether the file may be read.
  if (process.platform !== 'linux' || 'Deno' in globalThis) return undefined
  try {
    return parseRetransmits(readFileSync(FILE, 'latin1'))
  } catch {
    return undefined
  }
}

/** `TCPFastRetrans` of a line of names and one of values. */
export function parseRetransmits(netstat: string): number | undefined {
  const [names = [], values = []] = netstat
    .split('\n')
    .filter((line) => line.startsWith('TcpExt: '))
    .map((line) => line.split(' '))
  const value = values[names.indexOf('TCPFastRetrans')]
  return value !== undefined && /^\d+$/.test(value) ? Number(value) : undefined
}
