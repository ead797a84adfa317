// SPDX-License-Identifier: Apache-2.0
/** One subflow as a trace sees it: what has changed since it was last told of. */
import type { Eligibility } from '../core/eligibility.js'
import type { Path, Tier } from '../core/path.js'
import type { Subflow } from '../core/subflow.js'

/** What is counted of a subflow. */
interface Counted {
  readonly sent: number
  readonly copied: number
  readonly resent: number
  readonly acked: number
  readonly received: number
}

/** How a subflow stands: bytes, milliseconds, bytes per second. */
interface Standing {
  readonly flight: number
  readonly window: number
  readonly rtt: number
  readonly rate: number
}

/** As in a line: what was counted since the sample before, and how it stands. A number that is 0 is left out. */
export type SubflowSample = {
  readonly id: number
  /** Why no new frame may leave on it; left out where one may. */
  readonly why?: Eligibility
} & Partial<Counted & Standing>

/** A path's policy in a line; a cap that there is not is left out. */
export interface PolicySample {
  readonly label: string
  readonly tier: Tier
  readonly weight: number
  readonly maxBytes: number | undefined
  readonly maxBytesPerSecond: number | undefined
}

export class SubflowWatch {
  readonly subflow: Subflow
  /** At the last sample. */
  #told: Counted = { sent: 0, copied: 0, resent: 0, acked: 0, received: 0 }
  #toldFlight = 0
  #policy: Pick<Path, 'tier' | 'weight' | 'maxBytes' | 'bytesPerMs'>

  constructor(subflow: Subflow) {
    this.subflow = subflow
    const { tier, weight, maxBytes, bytesPerMs } = subflow.path
    this.#policy = { tier, weight, maxBytes, bytesPerMs }
  }

  /** How it stands and what has been counted since the last call; `undefined` where nothing has happened. */
  take(eligibility: Eligibility): SubflowSample | undefined {
    const { id, counters, window, rtt, inFlightBytes: flight } = this.subflow
    const told = this.#told
    const hasSent = counters.bytesSent !== told.sent || counters.bytesRetransmitted !== told.resent
    const hasReceived = counters.bytesReceived !== told.received || counters.bytesAcked !== told.acked
    if (!hasSent && !hasReceived && flight === this.#toldFlight) return undefined
    const counted = countedOf(this.subflow)
    this.#told = counted
    this.#toldFlight = flight
    return {
      id,
      ...(eligibility === 'eligible' ? {} : { why: eligibility }),
      ...withoutZeros({
        sent: counted.sent - told.sent,
        copied: counted.copied - told.copied,
        resent: counted.resent - told.resent,
        acked: counted.acked - told.acked,
        received: counted.received - told.received,
        flight,
        window: Math.round(window.bytes),
        rtt: Math.round((rtt.smoothed ?? 0) * 100) / 100,
        rate: Math.round(window.rate * 1000),
      }),
    }
  }

  /** The path's policy where it is another than at the last call. */
  takePolicy(): PolicySample | undefined {
    const { tier, weight, maxBytes, bytesPerMs } = this.subflow.path
    const was = this.#policy
    const isSame = tier === was.tier && weight === was.weight
    if (isSame && maxBytes === was.maxBytes && bytesPerMs === was.bytesPerMs) return undefined
    this.#policy = { tier, weight, maxBytes, bytesPerMs }
    return {
      label: this.subflow.label,
      tier,
      weight,
      maxBytes: finite(maxBytes),
      maxBytesPerSecond: finite(Math.round(bytesPerMs * 1000)),
    }
  }
}

/** Numbers of a line. */
export function withoutZeros<Key extends string>(numbers: Record<Key, number>): { [K in Key]?: number } {
  const kept: { [K in Key]?: number } = {}
  for (const key in numbers) if (numbers[key] !== 0) kept[key] = numbers[key]
  return kept
}

function finite(value: number): number | undefined {
  return value === Infinity ? undefined : value
}

function countedOf({ counters }: Subflow): Counted {
  return {
    sent: counters.bytesSent,
    copied: counters.bytesCopied,
    resent: counters.bytesRetransmitted,
    acked: counters.bytesAcked,
    received: counters.bytesReceived,
  }
}
