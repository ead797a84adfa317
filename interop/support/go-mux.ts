// SPDX-License-Identifier: Apache-2.0
/** A session of hashicorp/yamux in the Go peer, and the one of Node at its other end. */
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { MuxSession, type MuxOptions as NodeMuxOptions } from '../../lib/mux/index.js'
import { GoConn, type GoPeer } from './go-peer.js'
import { openPair } from './pair.js'
import type { MuxOptions } from './peer-protocol.js'

export class GoSession {
  readonly #peer: GoPeer
  readonly #id: number

  constructor(peer: GoPeer, id: number) {
    this.#peer = peer
    this.#id = id
  }

  async open(): Promise<GoConn> {
    return new GoConn(this.#peer, (await this.#peer.request('muxOpen', { session: this.#id })).conn)
  }

  async accept(): Promise<GoConn> {
    return new GoConn(this.#peer, (await this.#peer.request('muxAccept', { session: this.#id })).conn)
  }

  /** Accepts every stream from now on and writes back what it brings. */
  async echo(): Promise<void> {
    await this.#peer.request('muxEcho', { session: this.#id })
  }

  async ping(): Promise<number> {
    return (await this.#peer.request('muxPing', { session: this.#id })).ms
  }

  streams(): Promise<{ streams: number; closed: boolean }> {
    return this.#peer.request('muxStreams', { session: this.#id })
  }

  async goAway(): Promise<void> {
    await this.#peer.request('muxGoAway', { session: this.#id })
  }

  /** Closes the connection below, without a go away. */
  async close(): Promise<void> {
    await this.#peer.request('muxClose', { session: this.#id })
  }
}

export type Below = 'plain TCP' | 'a multipath connection'

export interface MuxPair extends AsyncDisposable {
  readonly node: MuxSession
  readonly go: GoSession
}

/** A session of each side over one connection. */
export async function openMuxPair(
  peer: GoPeer,
  below: Below,
  goOptions: MuxOptions,
  nodeOptions: Omit<NodeMuxOptions, 'role'> = {},
): Promise<MuxPair> {
  const role = goOptions.role === 'client' ? 'server' : 'client'
  const { stream, target, close } = await (below === 'plain TCP' ? overTcp() : overMultipath(peer))
  const [duplex, { session }] = await Promise.all([stream, peer.request('mux', { ...goOptions, ...target })])
  const node = new MuxSession(duplex, { ...nodeOptions, role })
  return {
    node,
    go: new GoSession(peer, session),
    async [Symbol.asyncDispose]() {
      node.destroy()
      await close()
    },
  }
}

interface BelowPair {
  readonly stream: Promise<Duplex>
  /** How Go gets its end. */
  readonly target: { addr: string } | { conn: number }
  close(): Promise<void>
}

async function overTcp(): Promise<BelowPair> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'connection') as Promise<[Socket]>
  return {
    stream: accepted.then(([socket]) => socket),
    target: { addr: `127.0.0.1:${(server.address() as AddressInfo).port}` },
    async close() {
      server.close()
      await once(server, 'close')
    },
  }
}

async function overMultipath(peer: GoPeer): Promise<BelowPair> {
  const pair = await openPair(peer, { dials: 'Node', paths: 2 })
  return {
    stream: Promise.resolve(pair.node),
    target: { conn: pair.go.id },
    async close() {
      await pair[Symbol.asyncDispose]()
    },
  }
}
