// SPDX-License-Identifier: Apache-2.0
/**
 * /proc/net/tcp and tcp6. A rule of the namespace leads all ports to one, so that an accepted socket does not know which
 * port was meant. The socket of the program, which is in the same namespace, does: its row has the port as dialled.
 */
import { addressBytes } from './address-bytes.js'

/** An accepted socket: the addresses of its peer, and its own. */
export interface Accepted {
  readonly clientAddress: string
  readonly clientPort: number
  readonly serverAddress: string
}

const ROW = /^ *\d+: ([0-9A-F]+:[0-9A-F]{4}) ([0-9A-F]+):([0-9A-F]{4}) /gm
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255]
const IPV4_BYTES = 4

/** Which ports the sockets of the tables have dialled. */
export class DialledPorts {
  readonly #ports = new Map<string, number>()

  /** @param tables - the text of both files */
  constructor(tables: readonly string[]) {
    for (const table of tables)
      for (const [, from, to, port] of table.matchAll(ROW))
        this.#ports.set(`${from} ${to}`, Number.parseInt(port!, 16))
  }

  /** The port that the peer of an accepted socket has dialled; `undefined`: its socket is not in the tables. */
  of({ clientAddress, clientPort, serverAddress }: Accepted): number | undefined {
    const [client, server] = [addressBytes(clientAddress), addressBytes(serverAddress)]
    if (client === undefined || server === undefined) return undefined
    const port = hex(clientPort, 4)
    const portOf = (from: number[], to: number[]): number | undefined =>
      this.#ports.get(`${asKernel(from)}:${port} ${asKernel(to)}`)
    const found = portOf(client, server)
    if (found !== undefined || client.length > IPV4_BYTES) return found
    // An IPv6 socket may dial an IPv4 address.
    return portOf([...MAPPED, ...client], [...MAPPED, ...server])
  }
}

/** The kernel prints 32 bits at a time, in the order of the machine. */
function asKernel(bytes: readonly number[]): string {
  return [...new Uint32Array(Uint8Array.from(bytes).buffer)].map((word) => hex(word, 8)).join('')
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0')
}
