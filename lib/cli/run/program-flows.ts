// SPDX-License-Identifier: Apache-2.0
/** UDP of the program, outside: each of its sockets has a flow for each address that it sends to. */
import type { Socket } from 'node:dgram'
import { ignore } from '../../ignore.js'
import { formatHostPort, type HostPort } from '../parse.js'
import { setNewest } from '../set-newest.js'
import type { ClientContext } from '../streams/run-client.js'
import { onPacket, sendPacket } from '../udp/bound-socket.js'
import type { Flow } from '../udp/flow.js'
import { FlowTable } from '../udp/flow-table.js'
import { openFlow } from '../udp/open-flow.js'
import { widen } from '../udp/udp-port.js'
import type { UdpMessage } from './protocol.js'

/** Addresses that the program sends to, each with a socket; the one of which the helper told longest ago is closed. */
const MAX_ADDRESSES = 512
/** Sockets of the program whose destinations at one address are remembered; the one heard of longest ago is forgotten. */
const MAX_CLIENTS = 1024
/** Packets that wait until the helper has told where they go. */
const MAX_HELD = 64

/** An address that the program sends to. */
interface Served {
  readonly socket: Socket
  /** Where its clients mean, by their addresses and ports. */
  readonly destinations: Map<string, { readonly client: HostPort; readonly destination: HostPort }>
  readonly waiting: { readonly client: string; readonly packet: Buffer }[]
}

export class ProgramFlows {
  readonly #context: ClientContext
  readonly #onClosed: (address: string) => void
  readonly #served = new Map<string, Served>()
  readonly #flows = new FlowTable<Flow>()

  /** @param onClosed - told when the socket of an address is closed */
  constructor(context: ClientContext, onClosed: (address: string) => void) {
    this.#context = context
    this.#onClosed = onClosed
  }

  /** The socket at which packets to `address` arrive from now on. */
  opened(address: string, socket: Socket): void {
    widen(socket)
    socket.on('error', ignore)
    const served: Served = { socket, destinations: new Map(), waiting: [] }
    this.#renew(address, served)
    onPacket(socket, (packet, { address: host, port }) => this.#pass(address, { host, port }, packet))
  }

  /** Where packets of a client to an address go, and one of them, if it did not come to the socket of the address. */
  leads({ client, address, destination, packet }: UdpMessage): void {
    const served = this.#served.get(address)
    if (served === undefined) return
    this.#renew(address, served)
    const key = formatHostPort(client)
    setNewest(served.destinations, key, { client, destination }, MAX_CLIENTS)
    if (packet !== undefined) this.#pass(address, client, Buffer.from(packet, 'base64'))
    for (const waiting of served.waiting.splice(0))
      if (waiting.client === key) this.#pass(address, client, waiting.packet)
      else served.waiting.push(waiting)
  }

  close(): void {
    this.#flows.clear()
    for (const { socket } of this.#served.values()) socket.close()
    this.#served.clear()
  }

  #pass(address: string, client: HostPort, packet: Buffer): void {
    const served = this.#served.get(address)
    if (served === undefined) return
    const key = formatHostPort(client)
    const found = served.destinations.get(key)
    if (found !== undefined) this.#flow(address, served, found).send(packet)
    else if (served.waiting.length < MAX_HELD) served.waiting.push({ client: key, packet })
  }

  #flow(
    address: string,
    served: Served,
    { client, destination }: { readonly client: HostPort; readonly destination: HostPort },
  ): Flow {
    const key = `${address}|${formatHostPort(client)}`
    return this.#flows.use(key, () => {
      return openFlow(this.#context, {
        target: formatHostPort(destination),
        request: { kind: 'udp', ...destination },
        onPacket: (answer) => {
          if (this.#served.get(address) === served)
            sendPacket(served.socket, answer, { address: client.host, port: client.port })
        },
        onClose: (flow) => this.#flows.delete(key, flow),
      })
    })
  }

  #renew(address: string, served: Served): void {
    const oldest = setNewest(this.#served, address, served, MAX_ADDRESSES)
    if (oldest === undefined) return
    oldest[1].socket.close()
    this.#onClosed(oldest[0])
  }
}
