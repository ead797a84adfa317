// SPDX-License-Identifier: Apache-2.0
/** All that the core wants done. It never touches a socket itself. */
import type { Millis } from '../clock.js'
import type { MultipathError } from '../errors.js'
import type { CloseReason, SubflowState } from './health.js'
import type { Path } from './path.js'
import type { Subflow } from './subflow.js'

export type Action =
  /** Write `chunks` to the subflow's socket, in one go. */
  | { readonly kind: 'send'; readonly subflow: Subflow; readonly chunks: Uint8Array[] }
  /** Close the subflow's socket: in order after what was written, at once, or our half while it is still read. */
  | { readonly kind: 'close'; readonly subflow: Subflow; readonly how: 'end' | 'destroy' | 'half' }
  /** A subflow changed; `reason` and `error` only where it closed. */
  | {
      readonly kind: 'subflow'
      readonly subflow: Subflow
      /** What it was before; the same as `state` for one that joins. */
      readonly from: SubflowState
      readonly state: SubflowState
      readonly reason?: CloseReason
      readonly error?: Error
    }
  /** So many subflows are wanted on a path that we dial, by whichever side sends. */
  | { readonly kind: 'parallel'; readonly path: Path; readonly count: number; readonly by: 'us' | 'peer' }
  /** No subflow is left, and the connection is held. */
  | { readonly kind: 'suspended' }
  /** It goes on. */
  | { readonly kind: 'resumed'; readonly afterMs: Millis }
  /** The connection is over once the reader has taken what is left; `error` unless all went well. */
  | { readonly kind: 'finished'; readonly error?: MultipathError }
