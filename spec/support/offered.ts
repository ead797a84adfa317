// SPDX-License-Identifier: Apache-2.0
/** An application that writes at a steady rate, in virtual time. */
import type { CoreHost } from './core-host.js'
import type { CorePair } from './core-pair.js'

const STEP_MS = 5

/** Writes `mbps` for `ms` milliseconds, every 5 ms what is due. */
export function offers(
  { near, advance }: Pick<CorePair, 'near' | 'advance'>,
  mbps: number,
  ms: number,
): void {
  for (let passed = 0; passed < ms; passed += STEP_MS) {
    near.write((mbps * 1000 * STEP_MS) / 8)
    advance(STEP_MS)
  }
}

/** Payload bytes that a host has sent on each label, first sends, copies and repeats. */
export function sentBy(host: CoreHost): Record<string, number> {
  const sent: Record<string, number> = {}
  for (const { label, counters } of host.joined)
    sent[label] = (sent[label] ?? 0) + counters.bytesSent + counters.bytesRetransmitted
  return sent
}

/** Shares of {@link sentBy} between two moments. */
export function sharesSince(host: CoreHost, before: Record<string, number>): Record<string, number> {
  const grown = Object.entries(sentBy(host)).map(
    ([label, bytes]) => [label, bytes - (before[label] ?? 0)] as const,
  )
  const sum = grown.reduce((total, [, bytes]) => total + bytes, 0)
  return Object.fromEntries(grown.map(([label, bytes]) => [label, bytes / sum]))
}
