// SPDX-License-Identifier: Apache-2.0
/** The library's own view of a run: counters of each path, and events of subflows. */
import type { Duplex } from 'node:stream'
import type { BenchDialer } from './endpoints.js'
import { say } from './output.js'
import type { WorkerOptions } from './options.js'

/** Events of a connection that are counted. */
const EVENTS = ['subflow-open', 'subflow-suspect', 'subflow-recovered', 'subflow-close'] as const

/** Statistics of a connection's live subflows, where its kind has any. */
interface WithSubflows {
  subflows?: () => unknown
}

/** Starts to watch; the result gives what was seen by the time it is called. */
export function watch(
  options: WorkerOptions,
  all: readonly BenchDialer[],
  conns: readonly Duplex[],
): () => Record<string, unknown> {
  if (options.kind === 'plain' || options.count > 1) return () => ({})
  const events: Record<string, number> = {}
  for (const conn of conns) {
    for (const name of EVENTS) {
      conn.on(name, (...args: unknown[]) => {
        events[name] = (events[name] ?? 0) + 1
        if (options.statsEvery > 0) say('subflow', { name, args: args.map(briefly) })
      })
    }
  }
  const snapshot = (): Record<string, unknown> => ({
    paths: all[0]?.stats(),
    subflows: (conns[0] as WithSubflows | undefined)?.subflows?.(),
  })
  if (options.statsEvery > 0) setInterval(() => say('stats', snapshot()), options.statsEvery)
  return () => ({ ...snapshot(), events })
}

/** Event arguments may hold whole objects: one level of them is enough to read. */
function briefly(value: unknown): unknown {
  if (value instanceof Error) return String(value)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => typeof inner !== 'object'))
}
