// SPDX-License-Identifier: Apache-2.0
/** Whether a frame may leave on a subflow now and, if not, why not: the one place where that is decided. */
import type { Millis } from '../clock.js'
import type { SentFrame } from './flight.js'
import type { InFlight } from './in-flight.js'
import type { Subflow } from './subflow.js'

/** Keeps a subflow out of the choice: it is not up, or its path may not be used. */
export type Exclusion =
  /** Nothing has come from the peer on it yet. */
  | 'probing'
  /** It owes an answer. */
  | 'suspect'
  | 'closed'
  /** Its path was removed, and another carries the data. */
  | 'removed'
  /** Its path is paused. */
  | 'paused'
  /** Its path has sent all that `maxBytes` allows. */
  | 'byte-cap'

/** Keeps a subflow from taking a frame at this moment. */
export type Busyness =
  /** The buffer of its socket is full. */
  | 'blocked'
  /** As much is in flight as the path holds. */
  | 'window-full'
  /** `maxBytesPerSecond` of its path. */
  | 'rate-cap'
  /** Its window is being spread over a round trip. */
  | 'paced'

/** What decides about the next new frame on a subflow. */
export type Eligibility =
  | 'eligible'
  | Exclusion
  | Busyness
  /** Paths of the tiers before that of its path suffice; or, of a backup, are there. */
  | 'tier'
  /** The peer takes no new data: its reader lags behind. */
  | 'peer-full'
  /** As much is unacked as the connection may hold. */
  | 'send-window-full'

/**
 * The primary paths are full when what waits would take it so long, milliseconds: as long as a kernel
 * hardly sends while it measures its RTT (BBR), which is no reason to use a dearer path.
 */
const FULL_MS = 200

/** Why `subflow` is out of the choice; `undefined` where it is a candidate. */
function exclusionOf({ state, path, gracefulClose }: Subflow): Exclusion | undefined {
  if (state !== 'up') return state
  if (gracefulClose?.isWithdrawn === true) return 'removed'
  if (path.isPaused) return 'paused'
  return path.leftBytes > 0 ? undefined : 'byte-cap'
}

export const isCandidate = (subflow: Subflow): boolean => exclusionOf(subflow) === undefined

/** What a candidate is full of, whatever the time; `undefined` where it is not. */
function fullnessOf({ isBlocked, inFlightBytes, window }: Subflow): Busyness | undefined {
  if (isBlocked) return 'blocked'
  return inFlightBytes >= window.bytes ? 'window-full' : undefined
}

/** Why a candidate takes no frame at `now`; `undefined` where it has room. */
function busynessOf(subflow: Subflow, now: Millis): Busyness | undefined {
  const { path, window } = subflow
  const fullness = fullnessOf(subflow)
  if (fullness !== undefined) return fullness
  if (path.readyAt(now) > now) return 'rate-cap'
  return window.readyAt(now) > now ? 'paced' : undefined
}

/** When time alone lets a candidate take its next frame; Infinity where it would not. */
export function heldUntil(subflow: Subflow, now: Millis): Millis {
  if (fullnessOf(subflow) !== undefined) return Infinity
  const at = Math.max(subflow.path.readyAt(now), subflow.window.readyAt(now))
  return at > now ? at : Infinity
}

const hasRoomAt = (subflow: Subflow, now: Millis): boolean =>
  subflow.path.leftBytes > 0 && busynessOf(subflow, now) === undefined

/** Who may carry data, for the sender. */
export class Choice {
  readonly #subflows: readonly Subflow[]
  readonly #inFlight: InFlight
  #candidates: readonly Subflow[] = []
  #newcomers: readonly Subflow[] = []
  #pausedUntil: Millis = -Infinity
  #now: Millis = 0
  /** Bytes that were acked, and may still lie in sockets that are stuck. */
  #stuckBytes = 0

  constructor(subflows: readonly Subflow[], inFlight: InFlight) {
    this.#subflows = subflows
    this.#inFlight = inFlight
  }

  /** Those that are up on paths that may be used. */
  get candidates(): readonly Subflow[] {
    return this.#candidates
  }

  /** Candidates that were none at the review before. */
  get newcomers(): readonly Subflow[] {
    return this.#newcomers
  }

  /** Until when data waited for paused paths alone; Infinity while it does. */
  get pausedUntil(): Millis {
    return this.#pausedUntil
  }

  /** Looks at all subflows anew. */
  review(now: Millis): void {
    this.#now = now
    const before = this.#candidates
    this.#candidates = this.#subflows.filter(isCandidate)
    this.#stuckBytes = this.#subflows.reduce((sum, { ackedInSocket }) => sum + ackedInSocket, 0)
    this.#newcomers = this.#candidates.filter((subflow) => !before.includes(subflow))
    const isAllPaused =
      this.#candidates.length === 0 && this.#subflows.some((subflow) => exclusionOf(subflow) === 'paused')
    if (isAllPaused) this.#pausedUntil = Infinity
    else if (this.#pausedUntil === Infinity) this.#pausedUntil = now
  }

  /** Whether a candidate takes a frame now. */
  readonly hasRoom = (subflow: Subflow): boolean => hasRoomAt(subflow, this.#now)

  /** A rate cap may hold it up. */
  readonly arrivalMs = (subflow: Subflow, bytes: number): Millis =>
    subflow.forecast.arrivalMs(bytes, this.#now) + Math.max(0, subflow.path.readyAt(this.#now) - this.#now)

  /** Candidates that could carry more: of what `isWaiting` now, or, where nothing is, as far as their windows go. */
  unused(isWaiting: boolean): readonly Subflow[] {
    return this.#candidates.filter(isWaiting ? this.hasRoom : (one) => fullnessOf(one) === undefined)
  }

  /** No new data may leave, on whatever subflow. */
  get closedBy(): 'peer-full' | 'send-window-full' | undefined {
    const { peerWindow, count, peerRoomBytes } = this.#inFlight
    if (!peerWindow.allows(count) || peerRoomBytes === 0) return 'peer-full'
    return this.#inFlight.hasRoomBeside(this.#stuckBytes) ? undefined : 'send-window-full'
  }

  /** Subflows of the tiers in use on which `frame` may leave again: those on which it is not under way. */
  ableToResend({ fn, size }: SentFrame): readonly Subflow[] {
    const able = this.#candidates.filter(({ path }) => path.leftBytes >= size)
    return this.inUse(able, Infinity).filter(({ flights }) => !flights.has(fn))
  }

  /** Whether a candidate carries `frame`. */
  isUnderWay({ fn }: SentFrame): boolean {
    return this.#candidates.some(({ flights }) => flights.has(fn))
  }

  /** Of `subflows`, those whose tiers are in use while `queuedBytes` wait. */
  inUse(subflows: readonly Subflow[], queuedBytes: number): readonly Subflow[] {
    return openTiers(subflows, queuedBytes, this.hasRoom)
  }

  /** Of the tiers in use, the subflow with the lowest RTT whose cap has room for `bytes`, whatever its window says. */
  fastestFor(bytes: number): Subflow | undefined {
    const able = this.#candidates.filter(({ isBlocked, path }) => !isBlocked && path.leftBytes >= bytes)
    return fastest(this.inUse(able, 0))
  }

  /** Whether a new frame may leave on `subflow` at `now`, and if not, why not. */
  of(subflow: Subflow, queuedBytes: number, now: Millis): Eligibility {
    const exclusion = exclusionOf(subflow)
    if (exclusion !== undefined) return exclusion
    const candidates = this.#subflows.filter(isCandidate)
    if (!openTiers(candidates, queuedBytes, (each) => hasRoomAt(each, now)).includes(subflow)) return 'tier'
    return this.closedBy ?? busynessOf(subflow, now) ?? 'eligible'
  }
}

/**
 * The primary subflows, and the secondary ones while the primary ones are full; where there is neither, the backups, as
 * of MPTCP (RFC 8684, 3.3.8): they may cost money. Subflows whose rate is still being found are not full.
 *
 * @param queuedBytes - bytes that wait to be sent; Infinity while the application waits for room
 */
export function openTiers(
  subflows: readonly Subflow[],
  queuedBytes: number,
  hasRoom: (subflow: Subflow) => boolean,
): readonly Subflow[] {
  const first = subflows[0]?.path.tier
  if (subflows.every(({ path }) => path.tier === first)) return subflows
  const primary = subflows.filter(({ path }) => path.tier === 'primary')
  if (primary.length > 0 && !isFull(primary, queuedBytes, hasRoom)) return primary
  return subflows.filter(({ path }) => path.tier !== 'backup')
}

function isFull(
  open: readonly Subflow[],
  queuedBytes: number,
  hasRoom: (subflow: Subflow) => boolean,
): boolean {
  if (open.some((subflow) => hasRoom(subflow) || isGrowing(subflow))) return false
  const bytesPerMs = open.reduce((sum, subflow) => sum + subflow.bytesPerMs, 0)
  return queuedBytes > bytesPerMs * FULL_MS
}

/** A window still being found says nothing of the path, unless a cap is what holds it. */
function isGrowing(subflow: Subflow): boolean {
  return subflow.isStartup && subflow.bytesPerMs < subflow.path.bytesPerMs
}

export function fastest(subflows: readonly Subflow[]): Subflow | undefined {
  return subflows.toSorted((a, b) => a.smoothedRttMs - b.smoothedRttMs)[0]
}
