// SPDX-License-Identifier: Apache-2.0
/** Answers queries of names: those of the rules with addresses that stand for them, others by asking a name server. */
import type { Socket } from 'node:dgram'
import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { HostPort } from '../parse.js'
import { formatHostPort } from '../parse.js'
import { answerQuery, askedName } from '../run/dns-message.js'
import type { NameTable } from '../run/name-table.js'
import type { Log } from '../streams/log.js'
import { onPacket, sendPacket } from '../udp/bound-socket.js'
import { bindUdp } from '../udp/udp-port.js'

export interface NameRelayInit {
  readonly binds: readonly HostPort[]
  /** Name servers for what is not ours; one that is silent or out of reach hands over to the next. */
  readonly servers: () => readonly HostPort[]
  readonly names: NameTable
  /** Whether a canonical name is ours. */
  readonly takes: (name: string) => boolean
  readonly log: Log
}

/** Queries that wait for a name server. Each has a socket, and so a port that no stranger knows. */
const MAX_RELAYED = 256
const RELAY_MS = 4000
const HEAD_BYTES = 12

export class NameRelay {
  readonly #init: NameRelayInit
  readonly #sockets: Socket[] = []
  readonly #waiting = new Set<Socket>()
  #server = 0

  constructor(init: NameRelayInit) {
    this.#init = init
  }

  /** @throws {CliError} where a port cannot be had */
  async open(): Promise<void> {
    for (const bind of this.#init.binds) {
      const socket = await bindUdp(bind)
      this.#sockets.push(socket)
      onPacket(socket, (query, { address, port }) =>
        this.#take(query, (answer) => sendPacket(socket, answer, { address, port })),
      )
      const place = formatHostPort({ host: bind.host, port: socket.address().port })
      this.#init.log.info('listening', `listening on udp ${place} for queries of names`, { place })
    }
  }

  close(): void {
    for (const socket of [...this.#sockets.splice(0), ...this.#waiting]) socket.close()
    this.#waiting.clear()
  }

  #take(query: Buffer, reply: (answer: Buffer) => void): void {
    const { names, takes } = this.#init
    const name = askedName(query)
    if (name === undefined || !takes(name)) {
      this.#relay(query, reply)
      return
    }
    const answer = answerQuery(query, () => ({ ipv4: names.addressesOf(name).ipv4 }))
    if (answer !== undefined) reply(answer)
  }

  /** One that cannot be asked for is lost, and asked again by its client. */
  #relay(query: Buffer, reply: (answer: Buffer) => void): void {
    const servers = this.#init.servers()
    const turn = this.#server
    const server = servers[turn % servers.length]
    if (query.length < HEAD_BYTES || server === undefined || this.#waiting.size >= MAX_RELAYED) return
    const socket = createSocket(isIPv6(server.host) ? 'udp6' : 'udp4')
    this.#waiting.add(socket)
    const end = (): void => {
      clearTimeout(timer)
      if (this.#waiting.delete(socket)) socket.close()
    }
    // Once, however many queries wait for it.
    const handOver = (): void => {
      this.#server = Math.max(this.#server, turn + 1)
      end()
    }
    const timer = setTimeout(handOver, RELAY_MS)
    socket.on('error', handOver)
    socket.on('message', (answer) => {
      if (answer.length < HEAD_BYTES || answer.readUInt16BE(0) !== query.readUInt16BE(0)) return
      reply(answer)
      end()
    })
    // Where there is no route, it is told so here, and not as an event.
    socket.connect(server.port, server.host, (error?: Error) => {
      if (error !== undefined) handOver()
      else if (this.#waiting.has(socket)) sendPacket(socket, query)
    })
  }
}
