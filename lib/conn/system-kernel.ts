// SPDX-License-Identifier: Apache-2.0
/** What Linux tells everybody of TCP in a network namespace. */
import { readFileSync } from 'node:fs'
import type { KernelView } from '../core/init.js'

const COUNTS = '/proc/self/net/netstat'
const CONGESTION_CONTROL = '/proc/sys/net/ipv4/tcp_congestion_control'
/** A congestion control that was read is taken for what it is for this long, milliseconds. */
const FRESH_MS = 1000

/**
 * Segments that TCP has sent again in the network namespace of this process because later ones had arrived, of all
 * connections together. Probes for the last segment and timeouts do not count: a busy machine causes them without a loss.
 * It takes about 0.1 ms. @returns `undefined` where the system does not tell
 */
export function kernelRetransmits(): number | undefined {
  const counts = read(COUNTS)
  return counts === undefined ? undefined : parseRetransmits(counts)
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

/** @param congestionControl - its name */
export function isModelBasedName(congestionControl: string): boolean {
  return congestionControl.startsWith('bbr')
}

const MODEL_BASED: KernelView = { isModelBased: true, retransmits: kernelRetransmits }
const LOSS_BASED: KernelView = { isModelBased: false, retransmits: kernelRetransmits }
let known = LOSS_BASED
let readAt = -Infinity

/** The TCP of the network namespace of this process, with the congestion control that new sockets get. */
export function systemKernel(): KernelView {
  const now = performance.now()
  if (now - readAt < FRESH_MS) return known
  readAt = now
  return (known = isModelBasedName(read(CONGESTION_CONTROL) ?? '') ? MODEL_BASED : LOSS_BASED)
}

/** @returns `undefined` where the system does not tell */
function read(file: string): string | undefined {
  // Deno would ask its user whether the file may be read.
  if (process.platform !== 'linux' || 'Deno' in globalThis) return undefined
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return undefined
  }
}
