// SPDX-License-Identifier: Apache-2.0
/** What the application and the shell see of a connection that is held without a subflow. */
import { ignore } from '../ignore.js'
import { callForeign } from '../stream/foreign.js'

/** The event `resumed`. */
export interface Resumed {
  /** How long no subflow was there, milliseconds. */
  readonly durationMs: number
}

/** As often as this, milliseconds, a process that waits for nothing else wakes up for nothing. */
const KEEP_UP_MS = 86_400_000

export class SuspensionEvents {
  /** Told at once, of the dialer or the listener of the connection. */
  onChange: ((isSuspended: boolean) => void) | undefined
  /** What a suspended connection keeps may have changed. */
  onHeldChange: (() => void) | undefined
  readonly #emit: (resumed: Resumed | undefined) => void
  /** No socket keeps the process up meanwhile. */
  #keepUp: NodeJS.Timeout | undefined
  #isRefed = true

  /** @param emit - tells the application: that the connection is suspended, or with `resumed` that it no longer is */
  constructor(emit: (resumed: Resumed | undefined) => void) {
    this.#emit = emit
  }

  /** Listeners run apart from the core's work: what they throw, and what they call, must not disturb it. */
  changed(resumedAfterMs: number | undefined): void {
    const isSuspended = resumedAfterMs === undefined
    clearInterval(this.#keepUp)
    if (isSuspended) this.#keepUp = setInterval(ignore, KEEP_UP_MS)
    this.setRef(this.#isRefed)
    this.onChange?.(isSuspended)
    process.nextTick(() => {
      callForeign(() => {
        this.#emit(isSuspended ? undefined : { durationMs: resumedAfterMs })
      })
    })
  }

  /** Whether a suspended connection keeps the process up. */
  setRef(isRefed: boolean): void {
    this.#isRefed = isRefed
    if (isRefed) this.#keepUp?.ref()
    else this.#keepUp?.unref()
  }

  /** The connection is over. */
  over(): void {
    clearInterval(this.#keepUp)
    this.#keepUp = undefined
    this.onChange?.(false)
    this.onChange = undefined
  }
}
