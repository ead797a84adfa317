// SPDX-License-Identifier: Apache-2.0
/** How the HTTP servers of a command, those of --metrics and --web, begin to listen. */
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CliError } from './cli-error.js'
import type { HostPort } from './parse.js'
import { formatHostPort } from './parse.js'

/** Time limit for a request, and between two of them, milliseconds. */
export const REQUEST_MS = 10_000

/**
 * @param option - that names another port
 * @returns where it listens
 * @throws {CliError} where it cannot listen
 */
export async function listenHttp(server: Server, bind: HostPort, option: string): Promise<string> {
  try {
    server.listen(bind)
    await once(server, 'listening')
  } catch (error) {
    throw new CliError(`cannot listen on ${formatHostPort(bind)}: ${(error as Error).message}`, {
      cause: error,
      hint: `choose a different port with ${option}`,
    })
  }
  const { address, port } = server.address() as AddressInfo
  return formatHostPort({ host: address, port })
}
