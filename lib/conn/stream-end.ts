/** What the stream still owes its user when the connection is over: unread bytes first, then the news. */
import type { MultipathError } from '../errors.js'

/** Callbacks of Writable that wait: for room, or for everything to be acked. */
export type Callback = (error?: Error | null) => void

export class PendingCallbacks {
  write: Callback | undefined
  final: Callback | undefined

  /** Calls and forgets the write that waits. */
  settleWrite(error?: Error): void {
    const callback = this.write
    this.write = undefined
    callback?.(error)
  }

  settleFinal(error?: Error): void {
    const callback = this.final
    this.final = undefined
    callback?.(error)
  }
}

/** Set once no subflow is left. */
export interface Finish {
  readonly error: MultipathError | undefined
}
