// SPDX-License-Identifier: Apache-2.0
/** The life of a subflow as a table of transitions, and how and why one ends. */
import type { Millis } from '../clock.js'

/**
 * - probing: joined, but nothing has come from the peer yet; carries no data (a Go listener accepts joins
 *   to connections that it has forgotten)
 * - up: carries data
 * - suspect: owes an answer; its data goes out again elsewhere, only pings and acks use it
 * - closed: its socket is gone
 *
 * A path without a subflow is in backoff; that is the dialer's affair.
 */
export type SubflowState = 'probing' | 'up' | 'suspect' | 'closed'

const MOVES: { readonly [S in SubflowState]: readonly SubflowState[] } = {
  probing: ['up', 'closed'],
  up: ['suspect', 'closed'],
  suspect: ['up', 'closed'],
  closed: [],
}

/** A forbidden move is a bug of ours, never the peer's. */
export function move(from: SubflowState, to: SubflowState): SubflowState {
  if (!MOVES[from].includes(to)) throw new Error(`a subflow cannot go from ${from} to ${to}`)
  return to
}

/** How far the subflow of a removed path has come; written in graceful-close.ts alone. */
export interface GracefulClose {
  /** Of two that are to close, the one asked later stays while no other is up. */
  readonly order: number
  readonly reason: 'removed' | 'surplus'
  isWithdrawn: boolean
  /** When our half was closed. */
  endedAt: Millis | undefined
}

/** Why a subflow closed. */
export type CloseReason =
  /** The peer closed it in order. */
  | 'ended'
  /** Its stream failed: reset, unreachable, … */
  | 'failed'
  /** It stayed silent for deadMs while it owed an answer. */
  | 'silent'
  /** The peer broke the wire format. */
  | 'protocol'
  /** It did not prove that it belongs to the connection. */
  | 'unproven'
  /** The peer took up none of our acks. */
  | 'limit'
  /** A newer subflow on the same path showed life first. */
  | 'replaced'
  /** It brought nothing beside the other subflows of its path. */
  | 'surplus'
  /** Its path was removed; what it carried has gone out, or goes out on another. */
  | 'removed'
  /** The connection closed. */
  | 'closed'

/** Whether dialling the path again may help. A peer that speaks another protocol will not learn ours. */
export function isWorthRedialling(reason: CloseReason): boolean {
  return ['ended', 'failed', 'silent', 'limit', 'unproven', 'surplus'].includes(reason)
}
