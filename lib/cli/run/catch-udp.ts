// SPDX-License-Identifier: Apache-2.0
/**
 * UDP of the namespace. The first packets to an address come to a socket for all; then the address has a socket of its own, so that answers come from
 * it. The command gets that socket.
 */
import type { RemoteInfo, Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { ignore } from '../../ignore.js'
import { parseAddress } from '../streams/host.js'
import { boundSocket, onPacket } from '../udp/bound-socket.js'
import { FirstPackets } from './first-packets.js'
import type { NameTable } from './name-table.js'
import type { FromInside } from './protocol.js'
import { CATCH_PORT } from './setup.js'
import type { Traced } from './udp-trace.js'
import { parseTrace } from './udp-trace.js'

export interface CatchUdpInit {
  readonly names: NameTable
  readonly tell: (message: FromInside, socket?: Socket, onSent?: () => void) => void
}

export class UdpCatcher {
  readonly #init: CatchUdpInit
  readonly #first = new FirstPackets()
  /** Of the trace: a line that has not ended. */
  #rest = ''
  /** Addresses whose sockets the command has, or is about to have. */
  readonly #served = new Map<string, Promise<void>>()

  constructor(init: CatchUdpInit) {
    this.#init = init
  }

  /** Without IPv6, its packets are lost. */
  open(): void {
    for (const address of ['0.0.0.0', '::'])
      void listen(address).then((socket) => {
        onPacket(socket, (packet, client) => void this.#caught(packet, client))
      }, ignore)
  }

  /** The command has closed the socket of an address. */
  closed(address: string): void {
    this.#served.delete(address)
  }

  /** @param text - the next of nftables' trace; without it, packets are lost */
  traced(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop()!
    for (const line of lines) {
      const traced = parseTrace(line)
      if (traced !== undefined) void this.#lead(traced, this.#first.traced(traced, performance.now()))
    }
  }

  async #caught(packet: Buffer, { address, port }: RemoteInfo): Promise<void> {
    const client = { address: parseAddress(address)?.address ?? address, port }
    const traced = this.#first.came(client, packet, performance.now())
    if (traced !== undefined) await this.#lead(traced, packet)
  }

  async #lead({ clientAddress, clientPort, address, port }: Traced, packet?: Buffer): Promise<void> {
    const { names, tell } = this.#init
    let served = this.#served.get(address)
    if (served === undefined) {
      served = this.#serve(address)
      this.#served.set(address, served)
    }
    await served
    const destination = { host: names.nameOf(address) ?? address, port }
    const client = { host: clientAddress, port: clientPort }
    tell({ kind: 'udp', client, address, destination, packet: packet?.toString('base64') })
  }

  async #serve(address: string): Promise<void> {
    const socket = await listen(address).catch(ignore)
    if (socket === undefined) this.#served.delete(address)
    else this.#init.tell({ kind: 'udp-socket', address }, socket, () => socket.close())
  }
}

/** @throws the error of the system */
function listen(address: string): Promise<Socket> {
  const isV6 = isIPv6(address)
  // An address has its socket beside the one for all.
  const options = { type: isV6 ? 'udp6' : 'udp4', reuseAddr: true, ipv6Only: isV6 } as const
  return boundSocket(options, CATCH_PORT, address)
}
