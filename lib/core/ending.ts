/** How a connection ends: what was said, what was heard, and whether anything is missing. */
import type { Millis } from '../clock.js'
import { MultipathError } from '../errors.js'

/**
 * ```
 * end() ─► flush: all acked ─┬─ peer knows our codes ─► FIN, then wait for the peer's FIN ─► close
 *                            └─ a Go peer ────────────────────────────────────────────────► close
 * ```
 */
export class Ending {
  /** Whether the peer knows our codes; `undefined` until its first frame tells. */
  isCapable: boolean | undefined
  /** The application will write no more. */
  isEnding = false
  hasSentFin = false
  hasPeerFin = false
  endedAt: Millis = 0

  /** What to do about an end that was asked for, with everything acked. */
  next(): 'wait' | 'fin' | 'close' {
    if (!this.isEnding) return 'wait'
    if (this.isCapable === undefined) return 'wait'
    if (!this.isCapable) return 'close'
    if (!this.hasSentFin) return 'fin'
    return this.hasPeerFin ? 'close' : 'wait'
  }

  /** When unacked data becomes an error, should no ack come until then. */
  lingerAt(lastAckAt: Millis, lingerMs: number): Millis {
    return this.isEnding && !this.hasSentFin ? Math.max(this.endedAt, lastAckAt) + lingerMs : Infinity
  }

  /** The last subflow is gone: what is missing, if anything. */
  verdict(isFlushed: boolean, hasHole: boolean, cause: Error | undefined): MultipathError | undefined {
    const options = cause === undefined ? undefined : { cause }
    if (!isFlushed)
      return new MultipathError('ERR_MULTIPATH_UNACKED', 'the last subflow closed with data unacked', options)
    const isCut = this.isCapable === true && !this.hasPeerFin
    if (hasHole || isCut)
      return new MultipathError(
        'ERR_MULTIPATH_INCOMPLETE',
        'the last subflow closed before the end of the data',
        options,
      )
    return undefined
  }
}
