// SPDX-License-Identifier: Apache-2.0
/** SOCKS5 UDP ASSOCIATE: a UDP port for one program, for as long as its TCP connection stands. */
import type { Socket } from 'node:net'
import type { HostPort } from '../parse.js'
import { formatHostPort } from '../parse.js'
import { placeOf } from '../streams/allow-list.js'
import { parseAddress } from '../streams/host.js'
import type { ClientContext } from '../streams/run-client.js'
import { onPacket, sendPacket } from './bound-socket.js'
import type { Flow } from './flow.js'
import { FlowTable } from './flow-table.js'
import { openFlow } from './open-flow.js'
import { decodeSocksPacket, encodeSocksHead } from './socks-packet.js'
import { bindUdp } from './udp-port.js'

export interface Association {
  /** The TCP connection that asked for it. */
  readonly socket: Socket
  /** The answer with the place that the program sends to. */
  readonly words: (bound: HostPort) => Uint8Array
}

/** Resolves when the connection is closed. @throws {CliError} where no port can be had */
export async function associate({ socket, words }: Association, context: ClientContext): Promise<void> {
  const udp = await bindUdp({ host: socket.localAddress ?? '127.0.0.1', port: 0 })
  const flows = new FlowTable<Flow>()
  /** The first that sends from the program's address is the program. */
  let program: { readonly address: string; readonly port: number } | undefined
  const expected = parseAddress(socket.remoteAddress ?? '')?.address
  onPacket(udp, (packet, { address, port }) => {
    if (parseAddress(address)?.address !== expected) return
    program ??= { address, port }
    if (port === program.port) pass(packet)
  })
  const pass = (packet: Buffer): void => {
    const { host, port, payload } = decodeSocksPacket(packet) ?? {}
    const place = host === undefined || port === undefined ? undefined : placeOf(host, port)
    if (place === undefined || payload === undefined) return
    const target = formatHostPort(place)
    const head = encodeSocksHead(place)
    const flow = flows.use(target, () =>
      openFlow(context, {
        target,
        request: { kind: 'udp', ...place },
        onPacket: (answer) => sendPacket(udp, Buffer.concat([head, answer]), program),
        onClose: (closed) => flows.delete(target, closed),
      }),
    )
    flow.send(payload)
  }
  const { address, port } = udp.address()
  socket.write(words({ host: address, port }))
  // Whatever it says means nothing; its end is the end.
  socket.resume()
  await new Promise<void>((resolve) => {
    socket.once('end', () => socket.end())
    socket.once('close', () => resolve())
    if (socket.closed) resolve()
  })
  udp.close()
  flows.clear()
}
