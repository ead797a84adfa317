// SPDX-License-Identifier: Apache-2.0
/** Packets of many flows as datagrams of one connection: each behind the number of its flow, which is that of its stream. */
import type { DatagramStream, MultipathConn } from '../../index.js'
import { readVarInt, varIntLen, writeVarInt } from '../../index.js'
import { ignore } from '../../ignore.js'

/** The largest packet that UDP carries. */
export const MAX_PACKET_BYTES = 65_507
/** A packet is worth something for so long on each way, milliseconds: programs for UDP ask again after a second or more. */
const EXPIRES_MS = 2000

/** A connection that has datagrams. */
export type DatagramCarrier = Pick<MultipathConn, 'datagrams'>

/** One end of a flow. */
export interface FlowEnd {
  /** Sends a packet, which may be lost. */
  readonly send: (packet: Uint8Array) => void
  readonly close: () => void
}

export class FlowHub {
  readonly #datagrams: DatagramStream
  readonly #takers = new Map<number, (packet: Buffer) => void>()

  /** @param copies - further paths on which each packet leaves at once */
  constructor(conn: DatagramCarrier, copies = 0) {
    this.#datagrams = conn.datagrams({ expiresMs: EXPIRES_MS, copies })
    // Of the connection, or of a peer that takes none: then packets are lost, as UDP allows.
    this.#datagrams.on('error', ignore)
    this.#datagrams.on('data', (message: Buffer) => this.#take(message))
  }

  /** @param id - that no other flow has. @param onPacket - gets what comes for it */
  open(id: number, onPacket: (packet: Buffer) => void): FlowEnd {
    this.#takers.set(id, onPacket)
    return { send: (packet) => this.#send(id, packet), close: () => void this.#takers.delete(id) }
  }

  #send(id: number, packet: Uint8Array): void {
    const message = new Uint8Array(varIntLen(id) + packet.length)
    message.set(packet, writeVarInt(message, id))
    const { destroyed, writable, isTaken } = this.#datagrams
    if (!destroyed && writable && isTaken !== false) this.#datagrams.send(message)
  }

  #take(message: Buffer): void {
    const found = packetOf(message)
    if (found !== undefined) this.#takers.get(found.id)?.(found.packet)
  }
}

/** `undefined` for what is no packet of a flow. */
export function packetOf(message: Buffer): { readonly id: number; readonly packet: Buffer } | undefined {
  try {
    const id = readVarInt(message)
    if (id === undefined || message.length - id.size > MAX_PACKET_BYTES) return undefined
    return { id: id.value, packet: message.subarray(id.size) }
  } catch {
    return undefined
  }
}
