/** How the dialer and the listener hand a stream to a connection. */
import type { Duplex } from 'node:stream'
import type { Millis } from '../clock.js'
import type { StatsTracker } from '../core/tracker.js'

export interface AttachInit {
  readonly stream: Duplex
  readonly label: string
  /** Follows the path; it may throw. */
  readonly trackers: readonly (StatsTracker | undefined)[]
  readonly isDialer: boolean
  /** When our hello left (dialer) or its echo did (listener). */
  readonly helloAt: Millis
  /** Bytes that came together with the hello. */
  readonly head?: Uint8Array
}
