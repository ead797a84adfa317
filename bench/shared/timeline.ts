// SPDX-License-Identifier: Apache-2.0
/** What a receiving worker reports of one connection, and figures over a window of its timeline. */
import type { WorkerEvent } from './worker.js'

export interface Received {
  readonly bytes: number
  /** Wall clock of the first and last byte, in milliseconds; 0 where nothing came. */
  readonly first: number
  readonly last: number
  /** The address it came in by. */
  readonly local: string
  readonly bucketMs?: number
  readonly buckets?: readonly number[]
  /** Silences of at least 20 ms between two reads. */
  readonly gaps?: readonly (readonly [since: number, ms: number])[]
}

/** From one wall clock time to another, in milliseconds. */
export interface Span {
  readonly from: number
  readonly to: number
}

export function receivedOf(report: WorkerEvent): Received[] {
  return report.connections as Received[]
}

/** Bytes read within the span; a bucket that the border cuts counts in part. */
export function bytesIn(received: Received, span: Span): number {
  const { first, buckets = [], bucketMs = 1 } = received
  let total = 0
  for (const [i, bytes] of buckets.entries()) {
    const start = first + i * bucketMs
    const share = (Math.min(span.to, start + bucketMs) - Math.max(span.from, start)) / bucketMs
    if (share > 0) total += bytes * share
  }
  return total
}

/** Megabits a second within the span. */
export function rateIn(received: Received, span: Span): number {
  return (bytesIn(received, span) * 8) / 1000 / (span.to - span.from)
}

/** The longest time within the span in which the reader got nothing, in milliseconds, from the first byte on. */
export function longestGap(received: Received, span: Span): number {
  if (received.first === 0) return span.to - span.from
  const silences = [...(received.gaps ?? []), [received.last, Number.POSITIVE_INFINITY] as const]
  const within = silences.map(([since, ms]) => Math.min(since + ms, span.to) - Math.max(since, span.from))
  return Math.max(0, ...within)
}
