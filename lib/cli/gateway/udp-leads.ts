// SPDX-License-Identifier: Apache-2.0
/**
 * Where packets that come to the port of the gateway go. All packets of a flow come from the same address and port, and the kernel tells of
 * the first one as it was sent. The kernel changes the port of a client that already has a flow to another place.
 */
import type { HostPort } from '../parse.js'
import { formatHostPort } from '../parse.js'
import { REPEATED_BYTES, type Traced } from '../run/udp-trace.js'
import { setNewest } from '../set-newest.js'

/** Flows whose destination is remembered; the one that was used longest ago is forgotten. */
const MAX_LED = 4096
/** Packets that wait for their line, and lines that wait for their packet. */
const MAX_UNLED = 256
/** A line comes a millisecond after its packet, or before it. Those that stay alone are dropped after this time, milliseconds. */
const ALONE_MS = 1000
/** So long, milliseconds, a packet of a known flow waits for a line that would say that it is another flow. */
const LINE_MS = 100
/** A flow that was idle for longer may be another one: the kernel forgets one without an answer after 30 s. */
const SURE_MS = 25_000

export interface Led {
  /** As the socket of the gateway sees it. */
  readonly client: HostPort
  /** An address and a port. */
  readonly destination: HostPort
}

interface Known extends Led {
  readonly at: number
}

interface Unled<Item> {
  /** Equal for a packet and the line about it. */
  readonly look: string
  readonly item: Item
  /** When it need not wait any longer. */
  readonly until: number
}

interface Packet {
  readonly client: HostPort
  readonly bytes: Buffer
}

export class UdpLeads {
  readonly #lead: (led: Led, packet: Buffer) => void
  readonly #known = new Map<string, Known>()
  #packets: Unled<Packet>[] = []
  #lines: Unled<Traced>[] = []

  /** @param lead - told of each packet whose destination is known, once */
  constructor(lead: (led: Led, packet: Buffer) => void) {
    this.#lead = lead
  }

  /** When {@link tick} is to be called; Infinity for never. */
  get dueAt(): number {
    return Math.min(...this.#packets.map(({ until }) => until), this.#lines[0]?.until ?? Infinity)
  }

  /** A packet came. `client.host` is an address in canonical form. Times are milliseconds. */
  came(client: HostPort, bytes: Buffer, now: number): void {
    const known = this.#known.get(formatHostPort(client))
    if (known !== undefined && now - known.at < SURE_MS) {
      this.#go(known, bytes, now)
      return
    }
    const look = lookOf(client.host, bytes.length, bytes.toString('hex', 0, REPEATED_BYTES))
    const until = now + (known === undefined ? ALONE_MS : LINE_MS)
    this.#packets = [...this.#packets.slice(1 - MAX_UNLED), { look, item: { client, bytes }, until }]
    this.#match(look, now)
  }

  /** The kernel told of the first packet of a flow. */
  traced(line: Traced, now: number): void {
    const look = lookOf(line.clientAddress, line.bytes, line.beginning)
    this.#lines = [...this.#lines.slice(1 - MAX_UNLED), { look, item: line, until: now + ALONE_MS }]
    this.#match(look, now)
  }

  /** Time has come to what {@link dueAt} said. */
  tick(now: number): void {
    const isOver = ({ until }: Unled<unknown>): boolean => until <= now
    const alone = this.#packets.filter(isOver)
    this.#packets = this.#packets.filter((packet) => !isOver(packet))
    this.#lines = this.#lines.filter((line) => !isOver(line))
    for (const { item } of alone) {
      const known = this.#known.get(formatHostPort(item.client))
      if (known !== undefined) this.#go(known, item.bytes, now)
    }
  }

  /** Flows whose packets look alike are told apart by their ports alone, as far as the kernel has kept them. */
  #match(look: string, now: number): void {
    for (;;) {
      const clients = new Map<number, HostPort>()
      for (const { look: own, item } of this.#packets)
        if (own === look) clients.set(item.client.port, item.client)
      const lines = this.#lines.filter((line) => line.look === look)
      const line = lines.find(({ item }) => clients.has(item.clientPort)) ?? lines[0]
      if (line === undefined) return
      const [only, ...others] = clients.values()
      const isSure = lines.length === 1 && others.length === 0
      const client = clients.get(line.item.clientPort) ?? (isSure ? only : undefined)
      if (client === undefined) return
      this.#lines = this.#lines.filter((other) => other !== line)
      this.#learn({ client, destination: { host: line.item.address, port: line.item.port } }, now)
    }
  }

  /** All packets of a flow go that have waited for this. */
  #learn(led: Led, now: number): void {
    const key = formatHostPort(led.client)
    const isOwn = ({ item }: Unled<Packet>): boolean => formatHostPort(item.client) === key
    const waiting = this.#packets.filter(isOwn)
    this.#packets = this.#packets.filter((packet) => !isOwn(packet))
    for (const { item } of waiting) this.#go(led, item.bytes, now)
  }

  #go({ client, destination }: Led, bytes: Buffer, now: number): void {
    setNewest(this.#known, formatHostPort(client), { client, destination, at: now }, MAX_LED)
    this.#lead({ client, destination }, bytes)
  }
}

function lookOf(address: string, bytes: number, beginning: string): string {
  return `${address}|${bytes}|${beginning}`
}
