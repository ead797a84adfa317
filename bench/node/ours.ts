/** Connections of the library under test. */
import type { Server } from 'node:net'
import type { Duplex } from 'node:stream'
import { MultipathDialer, MultipathListener, NullTracker, type SchedulerName, tcpDialer } from 'multipath-net'
import type { BenchDialer } from './endpoints.js'
import type { WorkerOptions } from './options.js'

export function multipathDialers(options: WorkerOptions): BenchDialer[] {
  const { paths, policies, trace } = options
  const dialer = new MultipathDialer(
    'bench',
    paths.map((path, i) => tcpDialer({ ...path, ...policies[i] })),
    { ...schedulerOf(options), ...(trace === '' ? {} : { trace }) },
  )
  return [{ dial: () => dialer.dial(), stats: () => dialer.stats() }]
}

/** Accepts for as long as the process lives. */
export async function acceptMultipath(
  servers: readonly Server[],
  options: WorkerOptions,
  accepted: (conn: Duplex) => void,
): Promise<void> {
  const trackers = servers.map(() => new NullTracker())
  const listener = new MultipathListener(servers, trackers, schedulerOf(options))
  for await (const conn of listener) accepted(conn)
}

/** A name that is none ends the worker with the library's own words. */
function schedulerOf({ scheduler }: WorkerOptions): { readonly scheduler?: SchedulerName } {
  return scheduler === '' ? {} : { scheduler: scheduler as SchedulerName }
}
