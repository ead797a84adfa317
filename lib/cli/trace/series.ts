// SPDX-License-Identifier: Apache-2.0
/** Lines of a chart out of the samples of a connection. */
import type { TracedConnection } from './read-trace.js'
import type { SampleLine, SubflowFigures } from './trace-line.js'

export interface Point {
  /** Milliseconds since the connection began. */
  readonly t: number
  readonly value: number
}

/** What stays as it is until its next point. */
export interface Series {
  readonly label: string
  readonly points: readonly Point[]
  /** Drawn with dashes: the other quantity of the panel. */
  readonly isDashed: boolean
}

/** As many bins as the rate has at most. */
const BINS = 200
/** A sample tells of no more than so many milliseconds: one after a pause tells of its end. */
const SAMPLE_MS = 20

/** Labels of the paths, in the order in which they joined. */
export function labelsOf({ changes }: TracedConnection): string[] {
  return [...new Set(changes.map(({ label }) => label))]
}

/** Bytes sent on each path, in megabits per second. */
export function rates(connection: TracedConnection): Series[] {
  const from = connection.begun.t
  const ms = Math.max(SAMPLE_MS, connection.endedAt - from)
  const count = Math.min(BINS, Math.ceil(ms / SAMPLE_MS))
  const labels = labelsOfIds(connection)
  const bins = new Map(labelsOf(connection).map((label) => [label, Array<number>(count).fill(0)]))
  let before = from
  for (const { t, subs } of connection.samples) {
    const span = { from: Math.max(before, t - SAMPLE_MS) - from, to: t - from }
    for (const { id, sent } of subs) {
      const into = bins.get(labels.get(id) ?? '')
      if (sent > 0 && into !== undefined) spread(sent, span, into, ms / count)
    }
    before = t
  }
  const mbits = (bytes: number): number => (bytes * 8) / 1000 / (ms / count)
  return [...bins].map(([label, sums]) => ({
    label,
    isDashed: false,
    points: [
      ...sums.map((bytes, bin) => ({ t: (bin * ms) / count, value: mbits(bytes) })),
      { t: ms, value: 0 },
    ],
  }))
}

/** Shares `bytes` among the bins that the span touches. */
function spread(
  bytes: number,
  { from, to }: { from: number; to: number },
  bins: number[],
  width: number,
): void {
  const binOf = (t: number): number => Math.min(bins.length - 1, Math.floor(t / width))
  const first = binOf(from)
  const last = binOf(to)
  for (let bin = first; bin <= last; bin++) {
    const begin = Math.max(from, bin * width)
    const end = bin === last ? to : Math.min(to, (bin + 1) * width)
    bins[bin]! += to > from ? (bytes * (end - begin)) / (to - from) : bytes
  }
}

/** Each subflow's bytes in flight, and its window. */
export function flights(connection: TracedConnection): Series[] {
  return [
    ...ofSubflows(connection, false, ({ flight }) => flight),
    ...ofSubflows(connection, true, ({ window }) => window),
  ]
}

/** Each subflow's smoothed RTT, milliseconds, once it is known. */
export function roundTrips(connection: TracedConnection): Series[] {
  return ofSubflows(connection, false, ({ rtt }) => (rtt === 0 ? undefined : rtt))
}

/** Bytes so far: acked by the peer, and read by the application. */
export function progress({ begun, samples, endedAt }: TracedConnection): Series[] {
  const points = (value: (sample: SampleLine) => number): Point[] => {
    const all = samples.map((sample) => ({ t: sample.t - begun.t, value: value(sample) }))
    return [{ t: 0, value: 0 }, ...all, { t: endedAt - begun.t, value: all.at(-1)?.value ?? 0 }]
  }
  return [
    { label: 'acked', isDashed: false, points: points(({ acked }) => acked) },
    { label: 'read', isDashed: true, points: points(({ read }) => read) },
  ]
}

/** A line for each subflow, from its first sample to its end. */
function ofSubflows(
  connection: TracedConnection,
  isDashed: boolean,
  valueOf: (figures: SubflowFigures) => number | undefined,
): Series[] {
  const from = connection.begun.t
  const lines = new Map<number, Point[]>()
  for (const { t, subs } of connection.samples) {
    for (const figures of subs) {
      const value = valueOf(figures)
      if (value === undefined) continue
      const points = lines.get(figures.id) ?? []
      points.push({ t: t - from, value })
      lines.set(figures.id, points)
    }
  }
  const labels = labelsOfIds(connection)
  const closed = connection.changes.filter(({ state }) => state === 'closed')
  return [...lines].map(([id, points]) => {
    const end = (closed.find((change) => change.id === id)?.t ?? connection.endedAt) - from
    return {
      label: labels.get(id) ?? `subflow ${id}`,
      isDashed,
      points: [...points, { t: end, value: points.at(-1)!.value }],
    }
  })
}

function labelsOfIds({ changes }: TracedConnection): ReadonlyMap<number, string> {
  return new Map(changes.map(({ id, label }) => [id, label]))
}
