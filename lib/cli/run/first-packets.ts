// SPDX-License-Identifier: Apache-2.0
/** First packets of flows, which come to the port for all, and the lines about them: each packet is to go where its own line says, or is lost. */
import type { RemoteInfo } from 'node:dgram'
import { REPEATED_BYTES, type Traced } from './udp-trace.js'

/** Of a monotonic clock. */
type Millis = number

/** Packets that wait for their line, which comes a millisecond later; and lines that wait for their packet. */
const MAX_WAITING = 64
/** So long, milliseconds: of a packet that comes later, an old line may tell where another one was to go. */
const WAITING_MS = 1000

interface Waiting<Item> {
  readonly at: Millis
  readonly key: string
  readonly item: Item
}

export class FirstPackets {
  #packets: Waiting<Buffer>[] = []
  #lines: Waiting<Traced>[] = []

  /** A line came. @returns the packet that it is about, if that has come; otherwise the line waits for it */
  traced(traced: Traced, now: Millis): Buffer | undefined {
    this.#expire(now)
    const key = keyOf(traced.clientAddress, traced.clientPort, traced.bytes, traced.beginning)
    const at = this.#packets.findIndex((waiting) => waiting.key === key)
    const [found] = at < 0 ? [] : this.#packets.splice(at, 1)
    if (found === undefined)
      this.#lines = [...this.#lines.slice(1 - MAX_WAITING), { at: now, key, item: traced }]
    return found?.item
  }

  /** A packet came. @returns the line about it, if that has come; otherwise the packet waits for it */
  came(
    { address, port }: Pick<RemoteInfo, 'address' | 'port'>,
    packet: Buffer,
    now: Millis,
  ): Traced | undefined {
    this.#expire(now)
    const key = keyOf(address, port, packet.length, packet.toString('hex', 0, REPEATED_BYTES))
    const lines = this.#lines.filter((waiting) => waiting.key === key)
    if (lines.length === 0) {
      this.#packets = [...this.#packets.slice(1 - MAX_WAITING), { at: now, key, item: packet }]
      return undefined
    }
    // Packets that look alike cannot be told apart: they are dropped.
    if (new Set(lines.map(({ item }) => `${item.address}|${item.port}`)).size > 1) return undefined
    this.#lines = this.#lines.filter((waiting) => waiting !== lines[0])
    return lines[0]!.item
  }

  #expire(now: Millis): void {
    const isFresh = ({ at }: Waiting<unknown>): boolean => now - at <= WAITING_MS
    this.#packets = this.#packets.filter(isFresh)
    this.#lines = this.#lines.filter(isFresh)
  }
}

function keyOf(address: string, port: number, bytes: number, beginning: string): string {
  return `${address}|${port}|${bytes}|${beginning}`
}
