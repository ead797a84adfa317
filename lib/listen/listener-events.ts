// SPDX-License-Identifier: Apache-2.0
/** What a listener tells of. */
import type { SubflowChange, SubflowEventName } from '../conn/attach.js'
import type { MultipathConn } from '../conn/multipath-conn.js'
import type { IncomingStream } from '../transport/transport.js'
import type { FullOf } from './capacity.js'

/** Events of a listener. */
export type ListenerEvents = Record<SubflowEventName, [change: SubflowChange, conn: MultipathConn]> & {
  /** A stream was closed in or before its handshake. */
  refused: [error: Error, stream: IncomingStream]
  /**
   * The listener holds `maxSockets` sockets, or fifteen sixteenths of the descriptors of the process are open, whatever for.
   * Further streams are closed unread. Emitted once a minute at most.
   */
  full: [most: number, of: FullOf]
}
