/** Connections of the library under test. */
import type { Server } from 'node:net'
import type { Duplex } from 'node:stream'
import { MultipathDialer, MultipathListener, NullTracker, tcpDialer } from 'multipath-net'
import type { BenchDialer } from './endpoints.js'
import type { WorkerOptions } from './options.js'

export function multipathDialers(options: WorkerOptions): BenchDialer[] {
  const dialer = new MultipathDialer(
    'bench',
    options.paths.map((path) => tcpDialer(path)),
  )
  return [{ dial: () => dialer.dial(), stats: () => dialer.stats() }]
}

/** Accepts for as long as the process lives. */
export async function acceptMultipath(
  servers: readonly Server[],
  accepted: (conn: Duplex) => void,
): Promise<void> {
  const trackers = servers.map(() => new NullTracker())
  for await (const conn of new MultipathListener(servers, trackers)) accepted(conn)
}
