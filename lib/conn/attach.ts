// SPDX-License-Identifier: Apache-2.0
/** How the dialer and the listener hand a stream to a connection. */
import type { Duplex } from 'node:stream'
import type { Millis } from '../clock.js'
import type { CloseReason, SubflowState } from '../core/health.js'
import type { Introduction } from '../wire/settings.js'
import type { Path } from '../core/path.js'
import type { StatsTracker } from '../core/tracker.js'

/** A subflow changed its state. */
export interface SubflowChange {
  /** Number of the subflow, unique within its connection. */
  readonly id: number
  /** Label of its path. */
  readonly label: string
  /** State before the change. */
  readonly from: SubflowState
  /** State after the change. */
  readonly state: SubflowState
  /** Why it closed; only with state `closed`. */
  readonly reason?: CloseReason
  /** The error of a subflow that failed; absent if it ended in order. */
  readonly error?: Error
}

export interface AttachInit {
  readonly stream: Duplex
  readonly label: string
  /** Follow the path; they may throw. */
  readonly trackers: readonly (StatsTracker | undefined)[]
  /** Shared with other connections; default: one of the connection's own. */
  readonly path?: Path
  readonly isDialer: boolean
  /** When our hello left (dialer) or its echo did (listener). */
  readonly helloAt: Millis
  /** Bytes that came together with the hello. */
  readonly head?: Uint8Array
  /** What was said behind our hello already. */
  readonly introduction?: Introduction | undefined
  /** Called for each change, never from inside the call that caused it. */
  readonly onChange?: (change: SubflowChange) => void
}

/** Names of the events on a connection, a dialer and a listener. */
export type SubflowEventName = 'subflow-open' | 'subflow-suspect' | 'subflow-recovered' | 'subflow-close'

/** The event that tells of a change; `undefined` for a subflow that has yet to prove itself. */
export function eventOf({ from, state }: SubflowChange): SubflowEventName | undefined {
  if (state === 'probing') return undefined
  if (state === 'up') return from === 'suspect' ? 'subflow-recovered' : 'subflow-open'
  return state === 'suspect' ? 'subflow-suspect' : 'subflow-close'
}
