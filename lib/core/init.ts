// SPDX-License-Identifier: Apache-2.0
/** What a connection and its subflows start with. */
import type { Millis } from '../clock.js'
import type { KernelView } from './congestion/kernel-view.js'
import type { ResolvedConnOptions } from './options.js'
import type { Path } from './path.js'
import type { AcceptedPeer } from './peer-profile.js'
import type { Scheduler } from './scheduler.js'
import type { StatsTracker } from './tracker.js'
import type { AbuseLimiter } from './abuse-limiter.js'
import type { Introduction, OwnFacts } from '../wire/settings.js'
import type { JoinAuthInit } from './join-keys.js'

/** How a subflow joins. */
export interface SubflowInit {
  readonly label: string
  readonly tracker: StatsTracker
  readonly path: Path
  /** We dialled: say pong first, so that the listener can measure its first RTT. */
  readonly isDialer: boolean
  /** When our hello left (dialer) or its echo did (listener). */
  readonly helloAt: Millis
  /** What was said behind our hello already; default: nothing. */
  readonly introduction?: Introduction | undefined
  /** Default: not known. */
  readonly kernel?: KernelView | undefined
}

export interface CoreInit {
  readonly options: ResolvedConnOptions
  readonly scheduler: Scheduler
  /** 0…1 */
  readonly random: () => number
  /** Which peers are taken. Default: `any`. */
  readonly accepts?: AcceptedPeer
  /** Limits useless bytes; shared with other connections, or one for this connection alone. */
  readonly allowance?: AbuseLimiter
  /** What the peer is told of us, if it is one of ours. Default: nothing. */
  readonly facts?: OwnFacts | undefined
  /** Whether a dialer may say how we send: its path's policies, and a scheduler. Default: true. */
  readonly acceptsPeerPolicy?: boolean | undefined
  /** How subflows prove that they belong to the connection. Default: they do not. */
  readonly auth?: JoinAuthInit | undefined
}
