// SPDX-License-Identifier: Apache-2.0
/** Waits for the connections of `multipath nc --listen`. */
import { ignore } from '../ignore.js'
import type { MultipathConn, MultipathError } from '../index.js'
import { localAddresses, MultipathListener } from '../index.js'
import { Arrivals } from './arrivals.js'
import { oneLine } from './cli-error.js'
import { explain } from './explain.js'
import { clientSession, shortAddress } from './live/client-session.js'
import { listenOnAll } from './listen-on-all.js'
import type { NcListen } from './nc-options.js'
import type { Opened, Surroundings } from './opened.js'
import { CONN_OPTIONS, GREETING_MS } from './opened.js'
import { reportSubflows } from './report-subflows.js'
import { reportUnproven } from './report-unproven.js'
import { greetAsServer, isAuthError } from './streams/greet.js'

export interface Door {
  /** No more connections; resolves once the listener is closed. */
  readonly close: () => Promise<void>
}

/**
 * The first connection whose dialer answers and, with a token, proves that it knows it. The listener stays open beside it, so that
 * lost subflows can come back.
 *
 * @throws {CliError}; the reason of `io.signal`
 */
export async function openByListening(options: NcListen, surroundings: Surroundings): Promise<Opened> {
  const { signal } = surroundings.io
  let door: Door | undefined
  try {
    return await new Promise<Opened>((resolve, reject) => {
      const signalOnAbort = (): void => reject(signal.reason as Error)
      signal.addEventListener('abort', signalOnAbort, { once: true })
      if (signal.aborted) signalOnAbort()
      let isTaken = false
      const arrivals = new Arrivals((conn) => {
        void admitted(conn, options, surroundings).then((live) => {
          if (live === undefined) return
          if (isTaken) {
            conn.resetAndDestroy()
            return
          }
          isTaken = true
          signal.removeEventListener('abort', signalOnAbort)
          arrivals.close((other) => other.resetAndDestroy())
          const onOther: Opened['onOther'] = (take) => {
            arrivals.turnAway = take
          }
          resolve({ conn, live, onOther, close: () => door!.close() })
        }, reject)
      })
      // With a token, a stranger is reported, and a peer that knows the token may still connect.
      const onForeign = options.token === undefined ? (error: Error): void => reject(explain(error)) : ignore
      openDoor(arrivals, options, surroundings, onForeign).then((opened) => (door = opened), reject)
    })
  } catch (error) {
    await door?.close()
    throw error
  }
}

/** Every connection, one beside the other, until `close`. @throws {CliError} */
export function listenForAll(
  options: NcListen,
  surroundings: Surroundings,
  serve: (opened: Pick<Opened, 'conn' | 'live'>) => void,
): Promise<Door> {
  const { log } = surroundings
  const arrivals = new Arrivals((conn) => {
    admitted(conn, options, surroundings).then(
      (live) => live && serve({ conn, live }),
      (error: unknown) => log.warn('client-refused', oneLine(error)),
    )
  })
  return openDoor(arrivals, options, surroundings)
}

/** @throws {CliError} for the connection that was waited for, if it has failed already */
async function admitted(
  conn: MultipathConn,
  { token }: NcListen,
  { log, registry }: Surroundings,
): Promise<Opened['live'] | undefined> {
  if (conn.errored !== null) throw explain(conn.errored)
  if (token !== undefined) {
    const client = shortAddress(conn.remoteAddress ?? 'a client')
    try {
      await greetAsServer(conn, token, { timeoutMs: GREETING_MS, kind: 'bytes' }, ignore)
    } catch (error) {
      if (!isAuthError(error))
        log.warnOnce('client-refused', `refused ${client}: ${oneLine(error)}`, { client })
      conn.resetAndDestroy()
      return undefined
    }
  }
  const live = registry.add(clientSession(conn, log))
  live.open(`${live.client} is connected`)
  return live
}

/** @param onForeign - gets the error of a peer that is not ours, where only ours are accepted: it need not come to a connection */
async function openDoor(
  arrivals: Arrivals,
  options: NcListen,
  { log }: Surroundings,
  onForeign: (error: Error) => void = ignore,
): Promise<Door> {
  const hosts = options.isAutoBound
    ? localAddresses({ family: options.family, includeVirtual: true }).map(({ address }) => address)
    : [wildcardOf(options.family)]
  const { port, servers } = await listenOnAll(
    hosts,
    options.port,
    (failure) => log.warn('listen-failed', `one address is left out: ${failure}`),
    options.serverTls,
  )
  const listener = new MultipathListener(
    servers,
    servers.map(() => arrivals.tracker),
    { ...CONN_OPTIONS, ...options.tuning, peer: options.peer, secret: options.token },
  )
  const over = options.serverTls === undefined ? '' : ', over TLS'
  log.info('listening', `listening on port ${port}${over}`, { place: `:${port}` })
  const shown = hosts.map((host) => host ?? 'every address').join(', ')
  log.detail('listening', `listening on ${shown}, port ${port}`)
  reportUnproven(listener, options.token, (message, client) =>
    log.warnOnce('client-refused', message, { client }),
  )
  reportSubflows(listener, (label, message) => log.detail('subflow', message, { label }))
  listener.on('subflow-close', ({ error }) => {
    if ((error as Partial<MultipathError> | undefined)?.multipathCode === 'ERR_MULTIPATH_PEER')
      onForeign(error!)
  })
  void arrivals.takeFrom(listener)
  return { close: () => listener.close() }
}

/** `undefined`: both families, as far as the system has them. */
function wildcardOf(family: NcListen['family']): string | undefined {
  if (family === 0) return undefined
  return family === 4 ? '0.0.0.0' : '::'
}
