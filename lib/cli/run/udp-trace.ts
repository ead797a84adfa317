// SPDX-License-Identifier: Apache-2.0
/**
 * Lines of `nft monitor trace`. A rule of the namespace leads UDP to one port, and the socket there does not learn which port was meant. The rule
 * marks the first packet of each flow, of which the kernel then tells as it was sent.
 */
import { parseAddress } from '../streams/host.js'

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
  / multipath lead packet: .*\bip6? saddr (\S+) ip6? daddr (\S+) .*\budp sport (\d+) udp dport (\d+) udp length (\d+)(?: @th,64,\d+ 0x([0-9a-f]+))?/
const HEADER_BYTES = 8

/** `undefined`: the line tells of something else. */
export function parseTrace(line: string): Traced | undefined {
  const found = PACKET.exec(line)
  if (found === null) return undefined
  const [from, to] = [parseAddress(found[1]!), parseAddress(found[2]!)]
  const [clientPort, port, length] = found.slice(3, 6).map(Number) as [number, number, number]
  const bytes = length - HEADER_BYTES
  if (from === undefined || to === undefined || !isPort(clientPort) || !isPort(port) || bytes < 0)
    return undefined
  // A number without the zeros in front of it.
  const beginning = (found[6] ?? '').padStart(2 * Math.min(bytes, REPEATED_BYTES), '0')
  return { clientAddress: from.address, clientPort, address: to.address, port, bytes, beginning }
}

function isPort(number: number): boolean {
  return number > 0 && number < 65_536
}
