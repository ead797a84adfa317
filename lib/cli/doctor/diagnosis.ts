// SPDX-License-Identifier: Apache-2.0
/** All that the doctor says, as data: what --json prints, and what the text is made of. */
import type { Rates } from '../measure/figures.js'
import { sumOf } from '../measure/figures.js'
import type { PathPair } from '../plan-paths.js'
import type { JudgedRoute } from './check-routes.js'
import type { Finding } from './finding.js'
import { fault, note } from './finding.js'
import type { RouteCheck } from './judge-route.js'
import type { Delivery, Measured } from '../measure/measure.js'

/** Go's, or one that knows no more than Go's. `unknown`: no frame came. */
export type PeerKind = 'multipath-net' | 'Go' | 'unknown'

/** What was seen of a path. */
export interface PathFacts {
  readonly path: PathPair
  readonly route: JudgedRoute
  /** Why the path did not come to be; `undefined`: it did. */
  readonly failure: Failure | undefined
  readonly idleRttMs: number | undefined
  /** `undefined`: not measured. */
  readonly delivery: Delivery | undefined
  /** Why no connection over this path alone could be opened. */
  readonly unopened?: string | undefined
  /** Why the path went once it stood. */
  readonly lostBy: string | undefined
}

export interface Failure {
  readonly message: string
  /** What came instead of a handshake; `undefined` where the path did not get that far. */
  readonly stranger: string | undefined
  /** What is wrong, and the option that corrects it, where that is known. */
  readonly fault?: string | undefined
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
  /** Alone, one direction at a time, and both; `undefined`: not measured. */
  readonly oneWay: Rates | undefined
  readonly bothWays: Rates | undefined
  readonly findings: readonly Finding[]
}

export interface Together {
  readonly oneWay: Rates
  readonly bothWays: Rates | undefined
  /** Of what each path delivers alone in one direction at a time, where each was measured. */
  readonly sum: Rates
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
export function diagnose(peer: PeerKind, facts: readonly PathFacts[], load: Measured | undefined): Diagnosis {
  const paths = facts.map(diagnosePath)
  const together = load?.together && {
    oneWay: load.together.oneWay,
    bothWays: load.together.bothWays,
    sum: sumOf(paths.flatMap(({ isHandshakeDone, oneWay }) => (isHandshakeDone ? [oneWay] : []))),
  }
  const findings = [...judgeEnd(load), ...judgeTogether(together, paths)]
  const all = [...findings, ...paths.flatMap((path) => path.findings)]
  return { isFine: all.every(({ severity }) => severity === 'note'), peer, paths, together, findings }
}

function diagnosePath(facts: PathFacts): PathDiagnosis {
  const { path, route, failure, idleRttMs, delivery, unopened, lostBy } = facts
  const { label, localAddress, host, port } = path
  return {
    label,
    localAddress,
    host,
    port,
    route: route.check,
    isHandshakeDone: failure === undefined,
    idleRttMs,
    loadedRttMs: delivery?.rttMs.get(label),
    oneWay: delivery?.oneWay,
    bothWays: delivery?.bothWays,
    findings: [
      ...route.findings,
      ...(failure === undefined ? [] : [judgeFailure(failure)]),
      ...(lostBy === undefined ? [] : [fault('lost', `the path was lost after its handshake: ${lostBy}`)]),
      ...(unopened === undefined
        ? []
        : [note('not-measured', `the path alone was not measured: ${unopened}`)]),
      ...judgeDelivery(idleRttMs, delivery, label),
    ],
  }
}

function judgeFailure({ message, stranger, fault: known }: Failure): Finding {
  if (known !== undefined) return fault('unreachable', `no connection: ${known}`)
  if (stranger === undefined) return fault('unreachable', `no connection: ${message}`)
  return fault('not-multipath', `the peer is not a multipath listener: it ${stranger} (${message})`)
}

function judgeDelivery(
  idleRttMs: number | undefined,
  delivery: Delivery | undefined,
  label: string,
): Finding[] {
  if (delivery === undefined) return []
  const ways = [
    ['download', delivery.oneWay.downBytesPerSecond ?? delivery.bothWays?.downBytesPerSecond],
    ['upload', delivery.oneWay.upBytesPerSecond ?? delivery.bothWays?.upBytesPerSecond],
  ] as const
  const [dead] = ways.find(([, rate]) => rate === 0) ?? []
  if (dead !== undefined) return [fault('delivers-nothing', `this path alone carried no data (${dead})`)]
  const rttMs = delivery.rttMs.get(label) ?? 0
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

function judgeEnd(load: Measured | undefined): Finding[] {
  if (load?.endedBy === 'refused')
    return [fault('refused', `the peer could not be measured: ${load.error ?? 'it refused'}`)]
  if (load?.endedBy === 'stopped-reading')
    return [
      fault(
        'stopped-reading',
        'the peer stopped reading, so the remaining measurements were skipped: use a peer that reads, such as multipath speed serve',
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
  const { oneWay, sum } = together
  const isNearDown = isNear(oneWay.downBytesPerSecond, sum.downBytesPerSecond)
  if (isNearDown && isNear(oneWay.upBytesPerSecond, sum.upBytesPerSecond)) return []
  return [
    note(
      'shared-bottleneck',
      'together the paths deliver much less than the sum of their separate rates: they share a link, or one end is busy',
    ),
  ]
}

function isNear(rate: number | undefined, sum: number | undefined): boolean {
  return rate === undefined || sum === undefined || rate >= SHARED_BELOW * sum
}
