// SPDX-License-Identifier: Apache-2.0
/** A listener's part in a cluster: its CIDs say whose they are, and subflows of others are handed over. */
import cluster from 'node:cluster'
import { Socket } from 'node:net'
import type { Hello } from '../conn/hello-io.js'
import { MultipathError, OptionError, RemoteProtocolError } from '../errors.js'
import type { IncomingStream } from '../transport/transport.js'
import { encodeHello, isZeroCid } from '../wire/hello.js'
import { giveAddresses } from './addresses.js'
import { newCid } from './cids.js'
import type { Handover, HandoverRefused } from './handover.js'
import { isHandover, isHandoverRefused, stopReading, tagOf } from './handover.js'
import { assertPlain } from './servers.js'
import { ignore } from '../ignore.js'

/** The last two bytes of a CID are the tag. Of a UUIDv4, 106 random bits are left. */
const TAG_AT = 14

export interface ClusterHooks {
  /** Takes a subflow of ours that came to another worker; its hello is still to be read. Calls `refused` where it is. */
  readonly takeOver: (stream: Socket, server: number, refused: () => void) => void
  /** A subflow that we have passed on was refused: its address pays here, too. */
  readonly charge: (address: string | undefined) => void
}

/** The one listener of this process that belongs to the cluster. */
let current: ClusterMember | undefined
let isHeard = false

/** @throws {OptionError} where there is a TLS server, and as the constructor */
export function memberFor(
  servers: readonly object[],
  isInCluster: boolean | undefined,
  hooks: ClusterHooks,
): ClusterMember | undefined {
  if (isInCluster !== true) return undefined
  assertPlain(servers, 'cluster')
  return new ClusterMember(hooks)
}

export class ClusterMember {
  readonly #tag: number
  /** @internal */
  readonly hooks: ClusterHooks

  /** @throws {OptionError} outside of a worker, and for a second listener in it */
  constructor(hooks: ClusterHooks) {
    if (cluster.worker === undefined) throw new OptionError('cluster is for workers of node:cluster')
    if (current !== undefined) throw new OptionError('cluster is for one listener of a worker')
    this.#tag = tagOf(cluster.worker.id)
    this.hooks = hooks
    join(this)
  }

  newCid(): Uint8Array {
    const cid = newCid()
    new DataView(cid.buffer, cid.byteOffset).setUint16(TAG_AT, this.#tag)
    return cid
  }

  /** It belongs to another worker. One that was handed over to us, so that another is told of refusals, has none any more. */
  isForeign(cid: Uint8Array, tellRefused: () => void): boolean {
    return tellRefused === nobody && !isZeroCid(cid) && tagIn(cid) !== this.#tag
  }

  /**
   * Gives the stream away. Resolves when it has left this process.
   *
   * @param server - number of the server that brought it
   * @param signal - closes it while it waits for its turn
   * @throws ERR_MULTIPATH_UNEXPECTED_CID for a stream that cannot be handed over; what the channel says
   */
  handOver(stream: IncomingStream, { cid, head }: Hello, server: number, signal: AbortSignal): Promise<void> {
    if (!(stream instanceof Socket) || 'encrypted' in stream)
      throw new RemoteProtocolError(
        'a subflow of another worker, which only a plain socket can be handed to',
        'ERR_MULTIPATH_UNEXPECTED_CID',
      )
    stopReading(stream)
    const chunks = [encodeHello(cid), head]
    for (let more: unknown; (more = stream.read()) !== null; ) chunks.push(more as Buffer)
    const { remoteAddress, remotePort, localAddress, localPort } = stream
    const message: Handover = {
      type: 'multipath-net:handover',
      from: cluster.worker!.id,
      tag: tagIn(cid),
      server,
      read: Buffer.concat(chunks).toString('base64'),
      addresses: { remoteAddress, remotePort, localAddress, localPort } as Handover['addresses'],
    }
    signal.addEventListener('abort', () => stream.destroy(), { once: true })
    return send(message, stream)
  }

  close(): void {
    if (current === this) current = undefined
  }

  /** @internal */
  take({ from, read, server, addresses }: Handover, socket: Socket): void {
    giveAddresses(socket, addresses)
    socket.unshift(Buffer.from(read, 'base64'))
    this.hooks.takeOver(socket, server, () => {
      const message: HandoverRefused = {
        type: 'multipath-net:refused',
        to: from,
        address: addresses.remoteAddress,
      }
      if (process.connected) process.send?.(message, undefined, {}, () => {})
    })
  }
}

function join(member: ClusterMember): void {
  current = member
  // Stays: after close() too, what is sent to us has to be closed.
  if (!isHeard) process.on('message', processOnMessage)
  isHeard = true
}

function tagIn(cid: Uint8Array): number {
  return new DataView(cid.buffer, cid.byteOffset).getUint16(TAG_AT)
}

function send(message: Handover, stream: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    if (stream.destroyed || process.send === undefined || !process.connected) {
      reject(new MultipathError('ERR_MULTIPATH_HANDSHAKE', 'a subflow could not be handed over'))
      return
    }
    // Otherwise Node asks the primary at each close of the server whether it has the socket still, and gets no answer.
    Object.assign(stream, { server: null })
    process.send(message, stream, {}, (error) => {
      stream.destroy()
      if (error) reject(error)
      else resolve()
    })
  })
}

function processOnMessage(message: unknown, socket: unknown): void {
  if (isHandoverRefused(message)) current?.hooks.charge(message.address)
  if (!isHandover(message) || !(socket instanceof Socket)) return
  socket.on('error', ignore)
  if (current === undefined) socket.destroy()
  else current.take(message, socket)
}

/** Whom to tell that a stream was refused which no other worker has passed on. */
export function nobody(): void {}
