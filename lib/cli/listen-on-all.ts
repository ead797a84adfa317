// SPDX-License-Identifier: Apache-2.0
/** One TCP server for each local address, all on the same port. */
import { once } from 'node:events'
import type { AddressInfo, Server } from 'node:net'
import { createServer } from 'node:net'
import type { TlsOptions } from 'node:tls'
import { createServer as createTlsServer } from 'node:tls'
import { CliError } from './cli-error.js'

export interface Listening {
  readonly port: number
  readonly servers: readonly Server[]
}

/** A handshake may take so long, milliseconds: Node's own default is two minutes. */
const TLS: TlsOptions = { ALPNProtocols: ['multipath/0'], handshakeTimeout: 10_000 }
/** How many ports are tried until one is free on every address. */
const RANDOM_PORTS_TRIED = 10

/**
 * @param hosts - local addresses; `undefined` is every address
 * @param port - 0 picks one that is free on all of them
 * @param report - told why each address was left out, while others are left
 * @param tls - `undefined`: plain TCP
 * @throws {CliError} when no address is left
 */
export async function listenOnAll(
  hosts: readonly (string | undefined)[],
  port: number,
  report: (failure: string) => void,
  tls?: TlsOptions,
): Promise<Listening> {
  const places = hosts.length === 0 ? [undefined] : hosts
  for (let tries = 1; ; tries++) {
    const { servers, failures } = await listenOnce(places, port, tls)
    const isLast = port !== 0 || tries === RANDOM_PORTS_TRIED
    if (failures.length === 0 || (isLast && servers.length > 0)) {
      for (const failure of failures) report(failure)
      return { port: portOf(servers[0]!), servers }
    }
    for (const server of servers) server.close()
    if (isLast)
      throw new CliError(`cannot listen: ${failures.join('; ')}`, {
        hint: 'if another program uses the port, choose a different one with -p, or omit -p',
      })
  }
}

async function listenOnce(
  hosts: readonly (string | undefined)[],
  wanted: number,
  tls: TlsOptions | undefined,
): Promise<{ servers: Server[]; failures: string[] }> {
  const servers: Server[] = []
  const failures: string[] = []
  let port = wanted
  // One after another: the first decides on the port of the others.
  for (const host of hosts) {
    const server = tls === undefined ? createServer() : createTlsServer({ ...tls, ...TLS })
    try {
      server.listen({ port, ipv6Only: host === '::', ...(host !== undefined && { host }) })
      await once(server, 'listening')
      port = portOf(server)
      servers.push(server)
    } catch (error) {
      failures.push((error as Error).message)
    }
  }
  return { servers, failures }
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}
