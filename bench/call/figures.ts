// SPDX-License-Identifier: Apache-2.0
/** Figures of one call. */

/** When a message left, and how long it took, milliseconds. */
export type Took = readonly [at: number, ms: number]

/** Beyond the shortest delay of all links, a message is late, milliseconds. */
export const SLACK_MS = 20

export interface Figures {
  /** Share of the messages that arrived within the shortest delay and {@link SLACK_MS}. */
  readonly inTime: number
  /** Share that never arrived. */
  readonly lost: number
  /** Milliseconds, of those that arrived. */
  readonly p50: number
  readonly p99: number
  readonly worst: number
  /** Bytes of TCP or UDP payload that the sender's side sent, divided by those of the call. */
  readonly payload: number
  /** The same with the headers of IP, TCP and UDP, divided by those of the call over plain UDP. */
  readonly wire: number
}

export interface Call extends Figures {
  readonly peer: string
  readonly links: string
  /** Number of the link that falls silent. */
  readonly flaps: number
  readonly seconds: number
  /** Of the library. */
  readonly build: string | undefined
}

export interface Observed {
  readonly took: readonly Took[]
  readonly given: number
  /** Of each message. */
  readonly bytes: number
  readonly bestMs: number
  readonly payloadBytes: number
  readonly wireBytes: number
}

const UDP_HEADERS = 28

export function figuresOf({ took, given, bytes, bestMs, payloadBytes, wireBytes }: Observed): Figures {
  const sorted = took.map(([, ms]) => ms).toSorted((a, b) => a - b)
  const quantile = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN
  return {
    inTime: sorted.filter((ms) => ms <= bestMs + SLACK_MS).length / given,
    lost: 1 - sorted.length / given,
    ...{ p50: quantile(0.5), p99: quantile(0.99), worst: quantile(1) },
    payload: payloadBytes / (given * bytes),
    wire: wireBytes / (given * (bytes + UDP_HEADERS)),
  }
}
