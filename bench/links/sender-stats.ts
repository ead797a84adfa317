// SPDX-License-Identifier: Apache-2.0
/** What the sender itself counted: ours as data, Go's out of the lines of its FormatStats. */
import { sum } from '../shared/figures.js'
import type { WorkerEvent } from '../shared/worker.js'
import { linkOf } from './network.js'

/** A path's counters as MultipathDialer.stats() names them. */
interface PathCounters {
  /** Where its dialer was given none, it names both addresses. */
  readonly label?: string
  /** For the first time, and copies. */
  readonly sentBytes?: number
  readonly retransmittedBytes?: number
}

export function resentShare(done: WorkerEvent): { readonly resent?: number } {
  if (Array.isArray(done.paths)) {
    const paths = done.paths as PathCounters[]
    return share(
      sum(paths.map((path) => path.sentBytes ?? 0)),
      sum(paths.map((path) => path.retransmittedBytes ?? 0)),
    )
  }
  if (!Array.isArray(done.lines)) return {}
  const lines = done.lines as string[]
  const frames = (name: string): number =>
    sum(lines.map((line) => Number(new RegExp(`${name}:\\s*(\\d+)/`).exec(line)?.[1])))
  return share(frames('SENT'), frames('RT'))
}

/** Payload bytes that each link's path has carried; nothing where the sender has no such counters. */
export function bytesByPath(done: WorkerEvent, links: number): { readonly perPath?: readonly number[] } {
  if (!Array.isArray(done.paths)) return {}
  const perPath = Array.from({ length: links }, () => 0)
  for (const { label = '', sentBytes = 0, retransmittedBytes = 0 } of done.paths as PathCounters[])
    perPath[linkOf(label)] = (perPath[linkOf(label)] ?? 0) + sentBytes + retransmittedBytes
  return { perPath }
}

function share(sent: number, resent: number): { readonly resent?: number } {
  return sent > 0 ? { resent: resent / sent } : {}
}

export function suspicions(done: WorkerEvent): { readonly suspected?: number } {
  const events = done.events as Readonly<Record<string, number>> | undefined
  return events ? { suspected: events['subflow-suspect'] ?? 0 } : {}
}
