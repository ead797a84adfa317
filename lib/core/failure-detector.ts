// SPDX-License-Identifier: Apache-2.0
/** Judges from silence which subflows still live: names the next deadline of a subflow and its meaning. */
import type { Millis } from '../clock.js'
import type { ResolvedConnOptions } from './options.js'
import type { Peer } from './peer-profile.js'
import type { Subflow } from './subflow.js'

/** Pings of a suspect subflow: its return should be seen soon. */
const SUSPECT_PING_MS = 250
/** On a short path, silence is asked about after this part of the time that makes it suspect. */
const ASK_SHARE = 6
/** A ping on an otherwise idle subflow gets this much time, milliseconds, or three round trips. */
const IDLE_PING_MS = 1000

/**
 * An idle subflow is pinged again if its smoothed RTT exceeds the minimum by more than this share: the delay of its last data may
 * be over.
 */
const DELAYED_SHARE = 1 / 16
/** The pause before each of these pings: milliseconds, or round trips on long paths. */
const ASK_AGAIN_MS = 100
const ASK_AGAIN_ROUNDS = 2
/** The pings end this many pauses after the last data; about a tenth of the delay is left in the smoothed RTT then. */
const ASK_AGAIN_TIMES = 32

/** A subflow gets so long to prove itself, milliseconds. */
const PROOF_MS = 10_000

/** What silence says about a subflow. */
export type Finding =
  /** Ask whether the peer is there. */
  | 'ping'
  /** The peer answers, and yet does not ack: it has no room. */
  | 'peer-full'
  /** Silent for longer than the path's jitter explains. */
  | 'suspect'
  /** Whatever it says, it has not proved itself. */
  | 'unproven'
  /** Silent for the dead time. */
  | 'dead'
  /** Left unread for long enough. */
  | 'unthrottle'

/** What is to be done with a subflow, and when, should nothing come in until then. */
export interface Deadline {
  readonly at: Millis
  readonly finding: Finding
}

export class FailureDetector {
  readonly #options: ResolvedConnOptions
  readonly #peer: Peer
  /** 0 to 1, decides the jitter of keep-alives. */
  readonly #random: () => number

  constructor(options: ResolvedConnOptions, peer: Peer, random: () => number) {
    this.#options = options
    this.#peer = peer
    this.#random = random
  }

  /** No deadline of `subflow` comes sooner. While acks come in, this says enough, and costs little. */
  notBefore(subflow: Subflow): Millis {
    const { state, lastHeardAt, isUnproven, throttledUntil, gracefulClose, pings, oldestFlight } = subflow
    const isUsual =
      state === 'up' && !isUnproven && throttledUntil === undefined && gracefulClose === undefined
    if (!isUsual || oldestFlight === undefined || pings.answeredSentAt > oldestFlight.sentAt) return -Infinity
    return lastHeardAt + Math.min(this.#options.suspectMs / ASK_SHARE, this.#options.deadMs)
  }

  next(subflow: Subflow): Deadline {
    if (subflow.isUnproven)
      return earliest(this.#heard(subflow), { at: subflow.joinedAt + PROOF_MS, finding: 'unproven' })
    return this.#heard(subflow)
  }

  #heard(subflow: Subflow): Deadline {
    // Whoever does not listen can say nothing about silence.
    if (subflow.throttledUntil !== undefined) return { at: subflow.throttledUntil, finding: 'unthrottle' }
    const endedAt = subflow.gracefulClose?.endedAt
    if (endedAt !== undefined) return this.#gone(subflow, endedAt)
    const { owedSince } = subflow
    if (owedSince === Infinity) return earliest(this.#keepAlive(subflow), this.#askAgain(subflow))
    const dead: Deadline = {
      at: Math.max(owedSince, subflow.lastHeardAt) + this.#options.deadMs,
      finding: 'dead',
    }
    if (subflow.state === 'probing') return dead
    if (subflow.state === 'suspect')
      return earliest(dead, {
        at: subflow.pings.lastAt + this.#scaled(subflow, SUSPECT_PING_MS),
        finding: 'ping',
      })
    return earliest(this.#peerFull(subflow), this.#suspect(subflow), this.#ask(subflow), dead)
  }

  /** Its path was removed, our half is closed, and the peer's is not yet. */
  #gone(subflow: Subflow, endedAt: Millis): Deadline {
    const { deadMs, suspectMs } = this.#options
    const patienceMs = this.#peer.profile.resendsLost ? subflow.timeoutMs(suspectMs) : deadMs
    return { at: Math.max(endedAt, subflow.lastHeardAt) + patienceMs, finding: 'dead' }
  }

  #scaled(subflow: Subflow, ms: number): number {
    return Math.max(ms, (subflow.rtt.smoothed ?? 0) / 2)
  }

  /** The oldest frame or ping is overdue, and nothing else came in either. */
  #suspect(subflow: Subflow): Deadline {
    const floor = this.#options.suspectMs
    const timeout = subflow.timeoutMs(floor)
    const smoothed = subflow.expectedRttMs ?? timeout
    const flight = subflow.oldestFlight
    const pingTime = flight === undefined ? Math.max(IDLE_PING_MS, 3 * smoothed) : timeout
    const overdue = Math.min(
      (flight?.sentAt ?? Infinity) + timeout,
      (subflow.pings.owedSince ?? Infinity) + pingTime,
    )
    const quiet = subflow.lastHeardAt + subflow.silenceMs(floor)
    return { at: Math.max(overdue, quiet), finding: 'suspect' }
  }

  /** A pong came for a ping sent after the frame, and still no ack. */
  #peerFull(subflow: Subflow): Deadline {
    const sentAt = subflow.oldestFlight?.sentAt ?? Infinity
    if (subflow.pings.answeredSentAt <= sentAt) return NEVER
    // The frame has arrived: how fast the path is says nothing any more. A Go peer's pong may overtake an ack.
    const since = Math.max(sentAt, subflow.window.deliveredAt)
    return { at: since + subflow.rtt.timeout(this.#options.suspectMs), finding: 'peer-full' }
  }

  /** Asked early, so that the answer of a full receiver is there before suspicion would be. */
  #ask(subflow: Subflow): Deadline {
    const sentAt = subflow.oldestFlight?.sentAt
    if (sentAt === undefined || subflow.pings.owedSince !== undefined) return NEVER
    const quiet = Math.max(this.#options.suspectMs / ASK_SHARE, (subflow.rtt.smoothed ?? 0) / 8)
    return { at: Math.max(sentAt, subflow.lastHeardAt, subflow.pings.lastAt) + quiet, finding: 'ping' }
  }

  /** Its RTT decides whether data returns to it, and without data nothing else measures that. */
  #askAgain({ rtt, pings, lastHeardAt, window }: Subflow): Deadline {
    const smoothed = rtt.smoothed ?? 0
    if (smoothed <= (1 + DELAYED_SHARE) * rtt.min) return NEVER
    const everyMs = Math.max(ASK_AGAIN_MS, ASK_AGAIN_ROUNDS * smoothed)
    const at = Math.max(lastHeardAt, pings.lastAt) + everyMs
    return at - window.deliveredAt > ASK_AGAIN_TIMES * everyMs ? NEVER : { at, finding: 'ping' }
  }

  /** Nothing is owed: a ping after a while of silence keeps middleboxes awake and finds dead paths. */
  #keepAlive({ pings, lastHeardAt }: Subflow): Deadline {
    pings.keepAliveMs ??= this.#options.keepAliveMs * (0.75 + 0.5 * this.#random())
    return { at: lastHeardAt + pings.keepAliveMs, finding: 'ping' }
  }
}

const NEVER: Deadline = { at: Infinity, finding: 'dead' }

function earliest(...deadlines: readonly Deadline[]): Deadline {
  return deadlines.reduce((first, next) => (next.at < first.at ? next : first))
}
