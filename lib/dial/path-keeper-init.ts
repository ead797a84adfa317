// SPDX-License-Identifier: Apache-2.0
/** What the keeper of a path is given. */
import type { PeerCloseDetector } from '../conn/peer-close-detector.js'
import type { SubflowChange } from '../conn/attach.js'
import type { MultipathConn } from '../conn/multipath-conn.js'
import type { DialPath } from './dial-path.js'
import type { LastHope } from './last-hope.js'
import type { LastWords } from './last-words.js'
import type { RedialPolicy } from './redial.js'
import type { Semaphore } from './semaphore.js'

export interface PathKeeperInit {
  readonly path: DialPath
  readonly conn: MultipathConn
  readonly cid: Uint8Array
  readonly policy: RedialPolicy
  readonly handshakeTimeoutMs: number
  /** Shared by all paths of the connection. */
  readonly peerClose: PeerCloseDetector
  /** Shared, too. */
  readonly hope: LastHope
  readonly lastWords: LastWords
  /** As many as the connection may have subflows; shared, too. */
  readonly slots: Semaphore
  /** Aborted when the connection is over. */
  readonly signal: AbortSignal
  readonly onChange: (path: DialPath, change: SubflowChange) => void
  /** A redial failed; the next is due in `waitMs`, or never. */
  readonly onFailure: (path: DialPath, error: Error, waitMs: number | undefined) => void
  /** It was removed, and has no subflow left. */
  readonly onGone: () => void
  /** It is dialled no more, and is still a path of the dialer. */
  readonly onGivenUp: () => void
}
