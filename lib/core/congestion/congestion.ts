// SPDX-License-Identifier: Apache-2.0
/** What decides how much a subflow carries at a time, as the sender sees it, and the phases of the one there is. */
import type { Millis } from '../../clock.js'
import type { Delivery, DeliveryStamp } from './delivery-rate.js'

/** Window before the first rate sample: what a kernel sends in its first flight (RFC 6928); more would wait there. */
const INITIAL_BYTES = 10 * 1400
const MIN_BYTES = 8 * 1024
/** Four packets, as BBR has them while it measures its RTT. */
const DRAIN_BYTES = 4 * 1400
export const DRAIN_GAIN: number = 1 / 2
export const STEADY_GAIN = 1.3

/** The circumstances of an ack. */
export interface Landing {
  readonly now: Millis
  /** It left after the last silence: its times tell of the path. */
  readonly isTrusted: boolean
}

/** What decides how much a subflow carries at a time. */
export interface CongestionController {
  /** Bytes that may be in flight. */
  readonly bytes: number
  /** Delivery rate, bytes per millisecond; 0 while unknown. */
  readonly rate: number
  /** Milliseconds that `bytes` take at the rate; 0 while only a lower bound of it is known. */
  transferMs(bytes: number): Millis
  /** When the newest ack came, or the first frame left since nothing was in flight. */
  readonly deliveredAt: Millis
  /** The path is still being filled for the first time. */
  readonly isStartup: boolean
  /** Payload of a frame for this path. */
  frameBytes(maxFrameBytes: number): number
  /** When pacing lets the next frame leave: at once, or later than `now`. */
  readyAt(now: Millis): Millis
  /** A flight of `bytes` begins; `inFlight` bytes are under way already. */
  stamp(now: Millis, inFlight: number, bytes: number): DeliveryStamp
  /** There was room and nothing to fill it with. */
  markAppLimited(inFlight: number): void
  /** A flight's ack came back on its subflow; the RTT has been sampled. */
  acked(flight: Delivery, landing: Landing): void
  /** What was known of the rate is old: begins anew, as the kernel below does after a silence. */
  restart(): void
  /** The last delivery is too long ago for its rate to count. */
  isStale(now: Millis): boolean
}

/** What the phases decide by. */
export interface PhaseFigures {
  readonly startupGain: number
  /** For repairs of losses, where there were any since it began. */
  readonly startupSlackMs: number
  /** The path brings no more than before. */
  readonly isFull: boolean
  readonly steadySlackMs: number
  /** Of the rate, what the last rounds brought, at most 1: a path that got slower shows it long before its rate is forgotten. */
  readonly recentShare: number
  /** What the bunches of acks ask for. */
  readonly bunchSlackMs: number
  /** As much of what {@link steadySlackMs} asks for as has been filled again. */
  readonly refillSlackMs: number
  /** The bunches ask for more than the steady window has. */
  readonly isBunched: boolean
  /** What left since the review began is being acked. */
  readonly isReviewed: boolean
  readonly isDrained: boolean
  readonly isRefilled: boolean
  isMinRttDoubtful(now: Millis): boolean
  isRepairOver(now: Millis): boolean
  /** TCP repairs losses again and again. */
  isLossy(now: Millis): boolean
}

export type PhaseName = 'startup' | 'steady' | 'repair' | 'review' | 'drain' | 'refill'

/** The window is `gain` pipes and `slack` milliseconds of the rate, and at least `floor` bytes. */
interface Phase {
  readonly gain: (of: PhaseFigures) => number
  readonly slack: (of: PhaseFigures) => number
  readonly floor: number
  /** The phase that an ack ends this one for; @see PhasedWindow for what each is told. */
  readonly next: (of: PhaseFigures, now: Millis) => PhaseName | undefined
}

const noSlack = (): number => 0

/** Each phase, with what it does and what ends it. */
export const PHASES: Readonly<Record<PhaseName, Phase>> = {
  /** The path is being filled for the first time. */
  startup: {
    gain: (of) => of.startupGain,
    slack: (of) => of.startupSlackMs,
    floor: INITIAL_BYTES,
    next: (of) => (of.isFull ? 'steady' : undefined),
  },
  /** The pipe, and what keeps it full between acks. */
  steady: {
    gain: () => 1,
    slack: (of) => of.steadySlackMs,
    floor: MIN_BYTES,
    next: (of, now) => (of.isMinRttDoubtful(now) ? 'drain' : of.isBunched ? 'repair' : undefined),
  },
  /** Acks come in bunches: TCP repairs losses, or the path has jitter. */
  repair: {
    gain: () => 1,
    slack: (of) => Math.max(of.steadySlackMs, of.bunchSlackMs),
    floor: MIN_BYTES,
    next: (of, now) => {
      if (of.isMinRttDoubtful(now)) return 'drain'
      return of.isRepairOver(now) ? (of.isLossy(now) ? 'review' : 'drain') : undefined
    },
  },
  /** The window is a pipe again, by the rate of now: the losses may have been of its own making. */
  review: {
    gain: (of) => of.recentShare,
    slack: (of) => of.steadySlackMs,
    floor: MIN_BYTES,
    next: (of) => (of.isReviewed ? 'steady' : undefined),
  },
  /** The queue is emptied, so that the minimum RTT and the bunches are measured without what we add to them. */
  drain: {
    gain: (of) => DRAIN_GAIN * of.recentShare,
    slack: noSlack,
    floor: DRAIN_BYTES,
    next: (of) => (of.isDrained ? 'refill' : undefined),
  },
  /** The window opens as it drains: a burst of half a pipe would overflow a short queue. */
  refill: {
    gain: () => DRAIN_GAIN,
    slack: (of) => of.refillSlackMs,
    floor: MIN_BYTES,
    next: (of) => (of.isRefilled ? 'steady' : undefined),
  },
}
