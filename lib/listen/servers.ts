// SPDX-License-Identifier: Apache-2.0
/** What a listener asks of the servers that it is given. */
import { OptionError } from '../errors.js'
import type { SubflowServer } from '../transport/transport.js'

/** @throws {OptionError} unless there is a server, and a tracker for each or none at all */
export function assertServers(servers: unknown, trackers: unknown): void {
  if (!Array.isArray(servers) || servers.length === 0)
    throw new OptionError('servers must be an array of at least one server')
  servers.forEach((server: Partial<SubflowServer> | null | undefined, index) => {
    if ([server?.on, server?.off, server?.close].some((method) => typeof method !== 'function'))
      throw new OptionError(`servers[${index}] must be a net.Server, or another SubflowServer`)
  })
  if (!Array.isArray(trackers)) throw new OptionError('trackers must be an array')
  if (trackers.length > 0 && trackers.length !== servers.length)
    throw new OptionError(
      `trackers must have one element for each server: ${servers.length}, got ${trackers.length}`,
    )
}

/**
 * What comes before TLS cannot be read here; nor can a TLS socket be passed on.
 *
 * @throws {OptionError}
 */
export function assertPlain(servers: readonly object[], option: string): void {
  servers.forEach((server, index) => {
    if ('setSecureContext' in server)
      throw new OptionError(`${option} takes no TLS servers, and servers[${index}] is one: docs/fleet.md`)
  })
}
