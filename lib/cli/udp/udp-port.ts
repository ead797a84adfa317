// SPDX-License-Identifier: Apache-2.0
/** A UDP port on this side: the packets of each address and port that sends to it are a flow. */
import type { Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { CliError } from '../cli-error.js'
import type { HostPort } from '../parse.js'
import { formatHostPort } from '../parse.js'
import type { ClientContext } from '../streams/run-client.js'
import type { StreamRequest } from '../streams/stream-request.js'
import { boundSocket, onPacket, sendPacket } from './bound-socket.js'
import type { Flow } from './flow.js'
import { FlowTable } from './flow-table.js'
import { openFlow } from './open-flow.js'

/** What the kernel keeps of a burst until this process reads it, bytes. */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024

export interface UdpPort {
  readonly bind: HostPort
  /** For the log: what it leads to. */
  readonly leadsTo: string
  readonly request: StreamRequest
}

/** @returns what closes all of them. @throws {CliError} where one cannot be had: then none is left open */
export async function listenAllUdp(ports: readonly UdpPort[], context: ClientContext): Promise<() => void> {
  const closers: (() => void)[] = []
  const close = (): void => {
    for (const closeOne of closers.splice(0)) closeOne()
  }
  try {
    for (const port of ports) closers.push(await listenUdp(port, context))
    return close
  } catch (error) {
    close()
    throw error
  }
}

/** @returns what closes it, with all its flows. @throws {CliError} */
async function listenUdp({ bind, leadsTo, request }: UdpPort, context: ClientContext): Promise<() => void> {
  const socket = await bindUdp(bind)
  const flows = new FlowTable<Flow>()
  onPacket(socket, (packet, { address, port }) => {
    const key = `${address}|${port}`
    const flow = flows.use(key, () =>
      openFlow(context, {
        target: leadsTo,
        request,
        onPacket: (answer) => sendPacket(socket, answer, { address, port }),
        onClose: (closed) => flows.delete(key, closed),
      }),
    )
    flow.send(packet)
  })
  const { address, port } = socket.address()
  const place = formatHostPort({ host: address, port })
  context.log.info('listening', `listening on udp ${place} for ${leadsTo}`, { place })
  return () => {
    socket.close()
    flows.clear()
  }
}

/** @throws {CliError} */
export async function bindUdp({ host, port }: HostPort): Promise<Socket> {
  try {
    const socket = await boundSocket({ type: isIPv6(host) ? 'udp6' : 'udp4' }, port, host)
    widen(socket)
    return socket
  } catch (error) {
    throw new CliError(
      `cannot listen on udp ${formatHostPort({ host, port })}: ${(error as Error).message}`,
      {
        cause: error,
        hint: 'check that no other program uses the port',
      },
    )
  }
}

/** As far as the system allows. */
export function widen(socket: Socket): void {
  try {
    socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES)
  } catch {
    // It has what it has.
  }
}
