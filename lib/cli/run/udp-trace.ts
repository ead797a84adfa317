// SPDX-License-Identifier: Apache-2.0
/**
 * Lines of `nft monitor trace`. A rule leads UDP to one port, and the socket there does not learn which place was meant. The rule
 * marks the first packet of each flow, of which the kernel then tells as it was sent.
 */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { parseAddress } from '../streams/host.js'
import { TRACE_MONITOR } from './setup.js'

/** A line repeats this many bytes from the start of a packet. */
export const REPEATED_BYTES = 12

/** What a line tells about the first packet of a flow. */
export interface Traced {
  readonly clientAddress: string
  readonly clientPort: number
  readonly address: string
  readonly port: number
  /** Bytes of the packet, and its first twelve, in hexadecimal. */
  readonly bytes: number
  readonly beginning: string
}

const PACKET =
  / (\S+ \S+) packet: .*\bip6? saddr (\S+) ip6? daddr (\S+) .*\budp sport (\d+) udp dport (\d+) udp length (\d+)(?: @th,64,\d+ 0x([0-9a-f]+))?/
const HEADER_BYTES = 8

/** Those of `run`. */
const CHAINS = ['multipath lead', 'multipath again']

/** @param chains - their tables and names, as a line writes them; default: those of `run`. @returns `undefined`: the line tells of something else */
export function parseTrace(line: string, chains: readonly string[] = CHAINS): Traced | undefined {
  const found = PACKET.exec(line)
  if (found === null || !chains.includes(found[1]!)) return undefined
  const [from, to] = [parseAddress(found[2]!), parseAddress(found[3]!)]
  const [clientPort, port, length] = found.slice(4, 7).map(Number) as [number, number, number]
  const bytes = length - HEADER_BYTES
  if (from === undefined || to === undefined || !isPort(clientPort) || !isPort(port) || bytes < 0)
    return undefined
  // A number without the zeros in front of it.
  const beginning = (found[7] ?? '').padStart(2 * Math.min(bytes, REPEATED_BYTES), '0')
  return { clientAddress: from.address, clientPort, address: to.address, port, bytes, beginning }
}

/** Tells of first packets of flows in `chain` until it is closed. @param onEnd - the kernel cannot tell, or no longer does */
export function followTrace(
  chain: string,
  onTraced: (traced: Traced) => void,
  onEnd: () => void,
): () => void {
  const [command, ...words] = TRACE_MONITOR
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` }
  const monitor = spawn(command, words, { stdio: ['ignore', 'pipe', 'ignore'], env })
  let isOpen = true
  const end = (): void => {
    process.off('exit', close)
    if (isOpen) onEnd()
    isOpen = false
  }
  monitor.on('error', end).on('exit', end)
  // Without descriptors for it, there is no output, and an error follows.
  const input = monitor.stdout as Readable | undefined
  if (input !== undefined)
    createInterface({ input }).on('line', (line) => {
      const traced = parseTrace(line, [chain])
      if (traced !== undefined && isOpen) onTraced(traced)
    })
  const close = (): void => {
    isOpen = false
    process.off('exit', close)
    monitor.kill()
  }
  process.once('exit', close)
  return close
}

function isPort(number: number): boolean {
  return number > 0 && number < 65_536
}
