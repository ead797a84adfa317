// SPDX-License-Identifier: Apache-2.0
/** Two mux sessions over one connection. */
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { onTestFinished } from 'vitest'
import type { MuxOptions, MuxStream } from '../../lib/mux/index.js'
import { MuxSession } from '../../lib/mux/index.js'
import { listening, portOf } from './tcp.js'

export type SessionOptions = Omit<MuxOptions, 'role'>

/** Two ends of one connection in memory. */
export function duplexPair(): [Duplex, Duplex] {
  const ends: MemoryEnd[] = [new MemoryEnd(), new MemoryEnd()]
  ends[0]!.peer = ends[1]
  ends[1]!.peer = ends[0]
  return [ends[0]!, ends[1]!]
}

class MemoryEnd extends Duplex {
  peer: MemoryEnd | undefined
  #taken: (() => void) | undefined

  override _read(): void {
    const taken = this.#taken
    this.#taken = undefined
    taken?.()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    const peer = this.peer!
    const copy = Buffer.from(chunk)
    setImmediate(() => {
      peer.#taken = callback
      peer.push(copy)
    })
  }

  override _final(callback: () => void): void {
    setImmediate(() => {
      this.peer!.push(null)
      callback()
    })
  }
}

/** Two ends of a TCP connection. */
export async function tcpPair(): Promise<[Socket, Socket]> {
  const server = await listening(createServer({ allowHalfOpen: true }))
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const near = connect({ port: portOf(server), host: '127.0.0.1', allowHalfOpen: true })
  await once(near, 'connect')
  const [far] = await accepted
  server.close()
  return [near, far]
}

/** A client and a server session, destroyed when the spec is over. */
export function sessions(
  [near, far]: readonly [Duplex, Duplex] = duplexPair(),
  options: SessionOptions = {},
  farOptions: SessionOptions = options,
): [client: MuxSession, server: MuxSession] {
  const pair = [
    new MuxSession(near, { ...options, role: 'client' }),
    new MuxSession(far, { ...farOptions, role: 'server' }),
  ] as const
  onTestFinished(() => {
    for (const session of pair) session.destroy()
  })
  return [...pair]
}

/** A stream and its other end. */
export async function streamPair(
  client: MuxSession,
  server: MuxSession,
): Promise<[near: MuxStream, far: MuxStream]> {
  const near = client.open()
  const far = await server.accept()
  onTestFinished(() => {
    for (const end of [near, far]) end.on('error', () => {}).destroy()
  })
  return [near, far]
}

/** All that comes until the end. The stream stays as it is: an iteration would destroy it. */
export function text(stream: Duplex): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.once('end', () => {
      resolve(String(Buffer.concat(chunks)))
    })
    stream.once('error', reject)
  })
}
