// SPDX-License-Identifier: Apache-2.0
/** All that the doctor says, as data: what --json prints, and what the text is made of. */
import type { PlannedPath } from '../plan-paths.js'
import type { JudgedRoute } from './check-routes.js'
import type { Finding } from './finding.js'
import { fault, note } from './finding.js'
import type { RouteCheck } from './judge-route.js'
import type { Delivery, LoadFigures } from './load.js'

/** Go's, or one that knows no more than Go's. `unknown`: no frame came. */
export type PeerKind = 'multipath-net' | 'Go' | 'unknown'

/** What was seen of a path. */
export interface PathFacts {
  readonly path: PlannedPath
  readonly route: JudgedRoute
  /** Why the path did not come to be; `undefined`: it did. */
  readonly failure: Failure | undefined
  readonly idleRttMs: number | undefined
  /** `undefined`: not measured. */
  readonly delivery: Delivery | undefined
  /** Why the path went once it stood. */
  readonly lostBy: string | undefined
}

export interface Failure {
  readonly message: string
  /** What came instead of a handshake; `undefined` where nobody was reached. */
  readonly stranger: string | undefined
}

export interface PathDiagnosis {
  readonly label: string
  readonly localAddress: string | undefined
  readonly host: string
  readonly port: number
  readonly route: RouteCheck
  readonly isHandshakeDone: boolean
  readonly idleRttMs: number | undefined
  readonly loadedRttMs: number | undefined
  readonly bytesPerSecond: number | undefined
  readonly findings: readonly Finding[]
}

export interface Together {
  readonly bytesPerSecond: number
  /** Of what each path delivers alone. */
  readonly sumBytesPerSecond: number
}

export interface Diagnosis {
  /** Nothing is wrong: there may be notes. */
  readonly isFine: boolean
  readonly peer: PeerKind
  readonly paths: readonly PathDiagnosis[]
  readonly together: Together | undefined
  /** Of the connection as a whole. */
  readonly findings: readonly Finding[]
}

/** A queue is worth a note when it adds so much, milliseconds, and so many times the idle round trip. */
const BLOAT_MS = 100
const BLOAT_TIMES = 3
/** Together, paths should come near to their sum. */
const SHARED_BELOW = 0.7

/** @param load - `undefined`: not measured */
export function diagnose(
  peer: PeerKind,
  facts: readonly PathFacts[],
  load: LoadFigures | undefined,
): Diagnosis {
  const paths = facts.map(diagnosePath)
  const bytesPerSecond = load?.togetherBytesPerSecond
  const sumBytesPerSecond = paths.reduce((sum, path) => sum + (path.bytesPerSecond ?? 0), 0)
  const together = bytesPerSecond === undefined ? undefined : { bytesPerSecond, sumBytesPerSecond }
  const findings = [...judgeEnd(load), ...judgeTogether(together, paths)]
  const all = [...findings, ...paths.flatMap((path) => path.findings)]
  return { isFine: all.every(({ severity }) => severity === 'note'), peer, paths, together, findings }
}

function diagnosePath({ path, route, failure, idleRttMs, delivery, lostBy }: PathFacts): PathDiagnosis {
  const { label, localAddress, host, port } = path
  return {
    label,
    localAddress,
    host,
    port,
    route: route.check,
    isHandshakeDone: failure === undefined,
    idleRttMs,
    loadedRttMs: delivery?.rttMs,
    bytesPerSecond: delivery?.bytesPerSecond,
    findings: [
      ...route.findings,
      ...(failure === undefined ? [] : [judgeFailure(failure)]),
      ...(lostBy === undefined ? [] : [fault('lost', `the path was lost after its handshake: ${lostBy}`)]),
      ...judgeDelivery(idleRttMs, delivery),
    ],
  }
}

function judgeFailure({ message, stranger }: Failure): Finding {
  if (stranger === undefined) return fault('unreachable', `no connection: ${message}`)
  return fault('not-multipath', `the peer is not a multipath listener: it ${stranger} (${message})`)
}

function judgeDelivery(idleRttMs: number | undefined, delivery: Delivery | undefined): Finding[] {
  if (delivery === undefined) return []
  if (delivery.bytesPerSecond === 0)
    return [fault('delivers-nothing', 'the peer acknowledged no data on this path alone')]
  const { rttMs = 0 } = delivery
  const idle = idleRttMs ?? rttMs
  if (rttMs - idle < BLOAT_MS || rttMs < BLOAT_TIMES * idle) return []
  const added = Math.round(rttMs - idle)
  return [
    note(
      'bufferbloat',
      `the queue grows by ${added} ms under load: the bottleneck link buffers too much; use a shaper there (cake, fq_codel)`,
    ),
  ]
}

function judgeEnd(load: LoadFigures | undefined): Finding[] {
  if (load?.endedBy === 'stopped-reading')
    return [
      fault(
        'stopped-reading',
        'the peer stopped reading, so the remaining measurements were skipped: use a peer that reads, such as multipath nc -l -b',
      ),
    ]
  if (load?.endedBy === 'lost') {
    const why = load.error === undefined ? 'the peer closed it' : load.error
    return [
      fault(
        'lost',
        `the connection was lost: ${why} (multipath nc -l serves only one connection: check that it does not serve a different one)`,
      ),
    ]
  }
  return []
}

function judgeTogether(together: Together | undefined, paths: readonly PathDiagnosis[]): Finding[] {
  if (together === undefined || paths.length < 2) return []
  const { bytesPerSecond, sumBytesPerSecond } = together
  if (bytesPerSecond >= SHARED_BELOW * sumBytesPerSecond) return []
  return [
    note(
      'shared-bottleneck',
      'together the paths deliver much less than the sum of their separate rates: they share a link, or one end is busy',
    ),
  ]
}
