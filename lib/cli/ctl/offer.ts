// SPDX-License-Identifier: Apache-2.0
/** Opens what others may watch and steer a command by: its socket, and its metrics where they are asked for. */
import { Option } from 'commander'
import type { CliIo } from '../cli-io.js'
import type { Controlled } from '../live/controlled.js'
import { showMonitor } from '../monitor/inside.js'
import { statusOf } from '../live/status.js'
import { serveMetrics } from '../metrics/metrics-server.js'
import type { HostPort } from '../parse.js'
import { parseBind } from '../streams/parse-places.js'
import { CtlServer } from './ctl-server.js'
import { ownPlace } from './socket-place.js'

export interface CtlFlags {
  readonly ctl: boolean
  readonly metrics?: HostPort | undefined
  readonly monitor?: true
}

export const CTL_OPTIONS = (): Option[] => [
  new Option(
    '--metrics <[host:]port>',
    'serve /metrics for Prometheus, /healthz and /readyz over HTTP, on loopback unless HOST is given',
  ).argParser(parseBind),
  new Option('--no-ctl', 'do not open the socket for multipath status, ctl and monitor'),
]

/** Of a command that does not use standard input and output. */
export const MONITOR_OPTION = (): Option =>
  new Option('--monitor', 'show the monitor in this terminal: q leaves it, and the command goes on')

/**
 * @returns what closes them
 * @throws {CliError} where the port of the metrics cannot be opened; without its socket, a command works all the same
 */
export async function offerCtl(
  { ctl, metrics, monitor }: CtlFlags,
  parts: Omit<Controlled, 'name' | 'stop' | 'startedAt'>,
  io: CliIo,
): Promise<() => void> {
  const controlled: Controlled = {
    ...parts,
    name: `${parts.command}-${process.pid}`,
    startedAt: performance.now(),
    stop: (isAtOnce) => io.stop(isAtOnce),
  }
  const closeMetrics = metrics === undefined ? undefined : await openMetrics(metrics, controlled)
  const closeSocket = ctl ? await openSocket(controlled, io) : undefined
  const closeMonitor = monitor === undefined ? undefined : showMonitor(controlled, io)
  return () => {
    closeMonitor?.()
    closeMetrics?.()
    closeSocket?.()
  }
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

/** One that dials needs a path; one that listens has its ports. */
function isReady(controlled: Controlled): boolean {
  if (controlled.dialer === undefined) return true
  return statusOf(controlled).sessions.some(({ suspendedMs }) => suspendedMs === null)
}

async function openSocket(controlled: Controlled, io: CliIo): Promise<(() => void) | undefined> {
  try {
    const server = await CtlServer.listen(controlled, ownPlace(controlled.command, io.env).path)
    return () => server.close()
  } catch (error) {
    controlled.log.warn('ctl-failed', `cannot open the control socket: ${(error as Error).message}`)
    return undefined
  }
}
