// SPDX-License-Identifier: Apache-2.0
/** Waits for the connection of `multipath nc --listen`. */
import { localAddresses, MultipathListener } from '../index.js'
import { FirstComer } from './first-comer.js'
import { clientSession } from './live/client-session.js'
import { listenOnAll } from './listen-on-all.js'
import type { NcListen } from './nc-options.js'
import type { Opened, Surroundings } from './opened.js'
import { CONN_OPTIONS } from './opened.js'
import { reportSubflows } from './report-subflows.js'

/** The listener stays open beside the connection, so that lost subflows can come back. @throws {CliError} */
export async function openByListening(
  options: NcListen,
  { io, log, registry }: Surroundings,
): Promise<Opened> {
  const hosts = options.isAutoBound
    ? localAddresses({ family: options.family, includeVirtual: true }).map(({ address }) => address)
    : [wildcardOf(options.family)]
  const { port, servers } = await listenOnAll(hosts, options.port, (failure) =>
    log.warn('listen-failed', `one address is left out: ${failure}`),
  )
  const comer = new FirstComer()
  const listener = new MultipathListener(
    servers,
    servers.map(() => comer.tracker),
    { ...CONN_OPTIONS, ...options.tuning, peer: options.peer },
  )
  if (options.port === 0) log.info('listening', `listening on port ${port}`, { place: `:${port}` })
  const shown = hosts.map((host) => host ?? 'every address').join(', ')
  log.detail('listening', `listening on ${shown}, port ${port}`)
  reportSubflows(listener, (label, message) => log.detail('subflow', message, { label }))
  const close = (): Promise<void> => listener.close()
  try {
    const conn = await comer.takeFrom(listener, io.signal)
    const live = registry.add(clientSession(conn, log))
    live.open(`${live.client} is connected`)
    const onOther: Opened['onOther'] = (take) => {
      comer.onOther = take
    }
    return { conn, onOther, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** `undefined`: both families, as far as the system has them. */
function wildcardOf(family: NcListen['family']): string | undefined {
  if (family === 0) return undefined
  return family === 4 ? '0.0.0.0' : '::'
}
