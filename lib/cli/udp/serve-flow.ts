// SPDX-License-Identifier: Apache-2.0
/** The serving side of flows: each has a socket of its own, which is connected to its target, so that only that can answer. */
import type { Socket } from 'node:dgram'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { MuxStream } from '../../mux/index.js'
import { messages } from '../../mux/index.js'
import { ignore } from '../../ignore.js'
import type { OpenStreams } from '../live/open-streams.js'
import type { Place } from '../streams/allow-list.js'
import type { DialTargetOptions, TargetError } from '../streams/dial-target.js'
import { reachTarget } from '../streams/dial-target.js'
import type { Address } from '../streams/host.js'
import type { Log } from '../streams/log.js'
import { answer, refuse } from '../streams/take-request.js'
import { sendPacket } from './bound-socket.js'
import { IDLE_MS } from './flow.js'
import type { FlowHub } from './flow-hub.js'
import { MAX_PACKET_BYTES } from './flow-hub.js'
import { widen } from './udp-port.js'

/** Flows of one session. Each has a descriptor. */
const MAX_SERVED = 1024

export interface ServeFlowsInit extends Omit<DialTargetOptions, 'signal'> {
  /** Made with the first flow. */
  readonly hub: () => FlowHub
  readonly streams?: OpenStreams | undefined
  readonly log: Log
}

/** The flows of one session. */
export class ServedFlows {
  readonly #init: ServeFlowsInit
  readonly #streams = new Set<MuxStream>()
  #hub: FlowHub | undefined

  constructor(init: ServeFlowsInit) {
    this.#init = init
  }

  /** Serves the flow that `stream` asks for, to its end. Never rejects. */
  async serve(stream: MuxStream, place: Place, target: string): Promise<void> {
    const { log } = this.#init
    if (this.#streams.size >= MAX_SERVED) {
      log.warn('refused', `refused ${target}: ${MAX_SERVED} flows are open`, { target })
      refuse(stream, 'limit')
      return
    }
    this.#streams.add(stream)
    stream.once('close', () => this.#streams.delete(stream))
    const left = new AbortController()
    stream.once('close', () => left.abort())
    try {
      const socket = await reachTarget(place, { ...this.#init, signal: left.signal }, ([address]) =>
        connected(address!, place.port),
      )
      this.#join(stream, socket, target)
    } catch (error) {
      const { refusal, isForbidden, message } = error as TargetError
      if (stream.destroyed) return
      log[isForbidden ? 'warn' : 'detail']('refused', `refused ${target}: ${message}`, {
        ...{ target, outcome: refusal },
      })
      refuse(stream, refusal)
    }
  }

  close(): void {
    for (const stream of this.#streams) stream.destroy()
  }

  #join(stream: MuxStream, socket: Socket, target: string): void {
    if (stream.destroyed) {
      socket.close()
      return
    }
    const { log, streams } = this.#init
    const counts = { bytesRead: 0, bytesWritten: 0 }
    const idle = setTimeout(() => stream.destroy(), IDLE_MS)
    const toTarget = (packet: Buffer): void => {
      idle.refresh()
      counts.bytesRead += packet.length
      sendPacket(socket, packet)
    }
    const flow = (this.#hub ??= this.#init.hub()).open(stream.id, toTarget)
    socket.on('message', (packet) => {
      idle.refresh()
      counts.bytesWritten += packet.length
      flow.send(packet)
    })
    const end = streams?.add(target, counts)
    stream.once('close', () => {
      clearTimeout(idle)
      flow.close()
      socket.close()
      end?.()
      const { bytesRead: sentBytes, bytesWritten: receivedBytes } = counts
      log.detail('stream-end', `${target}: closed, ${sentBytes} bytes to it, ${receivedBytes} from it`, {
        ...{ target, sentBytes, receivedBytes },
      })
    })
    log.detail('stream', `${target}: open`, { target })
    answer(stream, 'ok')
    // Those that came before our answer.
    const early = messages(stream, { maxMessageBytes: MAX_PACKET_BYTES })
    early.on('error', ignore)
    early.on('data', toTarget)
    early.once('end', () => stream.destroy())
  }
}

/** @throws the error of the system */
async function connected({ address, family }: Address, port: number): Promise<Socket> {
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4')
  try {
    socket.connect(port, address)
    await once(socket, 'connect')
  } catch (error) {
    socket.on('error', ignore).close()
    throw error
  }
  // Such as a refusal of the target: that is the loss of a packet.
  socket.on('error', ignore)
  widen(socket)
  return socket
}
