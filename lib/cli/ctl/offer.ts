// SPDX-License-Identifier: Apache-2.0
/** Opens what others may watch and steer a command by: its socket, and its metrics and its page where they are asked for. */
import { randomBytes } from 'node:crypto'
import { Option } from 'commander'
import { ignore } from '../../ignore.js'
import type { CliIo } from '../cli-io.js'
import type { Controlled } from '../live/controlled.js'
import { showMonitor } from '../monitor/inside.js'
import { statusOf } from '../live/status.js'
import { serveMetrics } from '../metrics/metrics-server.js'
import type { HostPort } from '../parse.js'
import { isLoopback } from '../streams/host.js'
import { parseBind } from '../streams/parse-places.js'
import { exposures, loadToken } from '../streams/secrets.js'
import { usage } from '../streams/usage.js'
import { serveWeb } from '../web/web-server.js'
import { CtlServer } from './ctl-server.js'
import { perform } from './perform.js'
import { ownPlace } from './socket-place.js'

/** Of a token that is made here. */
const TOKEN_BYTES = 24

export interface CtlFlags {
  readonly ctl: boolean
  readonly metrics?: HostPort | undefined
  readonly web?: HostPort | undefined
  readonly webTokenFile?: string | undefined
  readonly monitor?: true
}

export const CTL_OPTIONS = (): Option[] => [
  new Option(
    '--metrics <[host:]port>',
    'serve /metrics for Prometheus, /healthz and /readyz over HTTP, on loopback unless HOST is given',
  ).argParser(parseBind),
  new Option(
    '--web <[host:]port>',
    'serve a page with live charts and buttons over HTTP, on loopback unless HOST is given; its URL, with a new token, is reported at the start',
  ).argParser(parseBind),
  new Option(
    '--web-token-file <file>',
    'file with a secret of at least 16 bytes that --web asks for instead; it is not reported',
  ),
  new Option('--no-ctl', 'do not open the socket for multipath status, ctl and monitor'),
]

/** Of a command that does not use standard input and output. */
export const MONITOR_OPTION = (): Option =>
  new Option('--monitor', 'show the monitor in this terminal: q leaves it, and the command continues')

/**
 * @returns what closes them
 * @throws {CliError} where the port of the metrics or of the page cannot be opened; without its socket, a command works all the same
 */
export async function offerCtl(
  { ctl, metrics, web, webTokenFile, monitor }: CtlFlags,
  parts: Omit<Controlled, 'name' | 'stop' | 'startedAt'>,
  io: CliIo,
): Promise<() => void> {
  const controlled: Controlled = {
    ...parts,
    name: `${parts.command}-${process.pid}`,
    startedAt: performance.now(),
    stop: (isAtOnce) => io.stop(isAtOnce),
  }
  if (webTokenFile !== undefined && web === undefined) throw usage('--web-token-file needs --web')
  const opened: (() => void)[] = []
  const close = (): void => {
    for (const closeOne of opened.splice(0).toReversed()) closeOne()
  }
  try {
    if (metrics !== undefined) opened.push(await openMetrics(metrics, controlled))
    if (web !== undefined) opened.push(await openWeb(web, webTokenFile, controlled))
    if (ctl) opened.push(await openSocket(controlled, io))
    if (monitor !== undefined) opened.push(showMonitor(controlled, io))
  } catch (error) {
    close()
    throw error
  }
  return close
}

async function openWeb(
  bind: HostPort,
  tokenFile: string | undefined,
  controlled: Controlled,
): Promise<() => void> {
  const { log } = controlled
  const token =
    (tokenFile && loadToken(tokenFile, {})) || Buffer.from(randomBytes(TOKEN_BYTES).toString('base64url'))
  if (!/^[!-~]+$/.test(token.toString()))
    throw usage('the token of --web-token-file must consist of ASCII characters without spaces')
  for (const warning of exposures([tokenFile])) log.warn('exposed', warning)
  const { place, close } = await serveWeb({
    bind,
    token,
    status: () => statusOf(controlled),
    perform: (request) => perform(controlled, request),
  })
  const how = tokenFile === undefined ? `#token=${token.toString()}` : `, with the token in ${tokenFile}`
  log.info('listening', `page on http://${place}/${how}`, { place })
  if (!isLoopback(bind.host))
    log.warn(
      'insecure',
      '--web: other machines can reach the page, and the network can read it and its token',
    )
  return close
}

async function openMetrics(bind: HostPort, controlled: Controlled): Promise<() => void> {
  const { server, place } = await serveMetrics(
    bind,
    () => statusOf(controlled),
    () => isReady(controlled),
  )
  controlled.log.info('listening', `metrics on http://${place}/metrics`, { place })
  return () => {
    server.close()
    server.closeAllConnections()
  }
}

/** Each part that dials needs a path; one that listens has its ports. */
function isReady(controlled: Controlled): boolean {
  return controlled.parts.every(
    (part) =>
      part.dialer === undefined ||
      statusOf({ ...controlled, parts: [part] }).sessions.some(({ suspendedMs }) => suspendedMs === null),
  )
}

async function openSocket(controlled: Controlled, io: CliIo): Promise<() => void> {
  try {
    const server = await CtlServer.listen(controlled, ownPlace(controlled.command, io.env).path)
    return () => server.close()
  } catch (error) {
    controlled.log.warn('ctl-failed', `cannot open the control socket: ${(error as Error).message}`)
    return ignore
  }
}
