// SPDX-License-Identifier: Apache-2.0
/** The one timer of a connection: it wakes the core, and notices when our process or our machine stood still. */
import type { Clock, Millis } from '../clock.js'
import type { ConnectionCore } from '../core/connection.js'

/** A timer this late, milliseconds, shows that our own process stood still. */
const STALL_MS = 40
/** A wall clock this far ahead of the monotonic one, milliseconds, shows that the machine slept. */
const SLEEP_MS = 5000

export interface CoreTimerHost {
  /** No socket is read: silence means nothing. */
  readonly isReadingStopped: boolean
  /** The core is about to be told of the time. */
  wake(now: Millis): void
  /** The core knows the time, and may want something done. */
  flush(): void
}

export class CoreTimer {
  readonly #core: ConnectionCore
  readonly #clock: Clock
  readonly #host: CoreTimerHost
  #at: Millis = Infinity
  /** A late timer was put off until the sockets had been read. */
  #isSecondLook = false
  #cancel: () => void = () => {}
  #wallOffset: number

  constructor(core: ConnectionCore, clock: Clock, host: CoreTimerHost) {
    this.#core = core
    this.#clock = clock
    this.#host = host
    this.#wallOffset = clock.wall() - clock.now()
  }

  /** Call before bytes are taken: sockets of one turn of the loop are read without a look at timers between them. */
  beforeReading(now: Millis): void {
    if (now - this.#at > STALL_MS) this.#core.forgiveSilence(now, 'once')
  }

  /** Call after anything that may have changed when the core wants to be woken. */
  arm(): void {
    const at = this.#core.nextTickAt(this.#at)
    // One armed too early just asks again; only the end of the connection takes a timer down.
    if (at >= this.#at && at !== Infinity) return
    this.#cancel()
    this.#at = at
    if (at !== Infinity) this.#callAt(at)
  }

  #callAt(at: Millis): void {
    this.#at = at
    this.#cancel = this.#clock.callAt(at, () => {
      this.#onDue(at)
    })
  }

  #onDue(at: Millis): void {
    const core = this.#core
    const now = this.#clock.now()
    this.#host.wake(now)
    this.#at = Infinity
    const wallOffset = this.#clock.wall() - now
    const hasSlept = wallOffset - this.#wallOffset > SLEEP_MS
    this.#wallOffset = wallOffset
    const isLate = now - at > STALL_MS
    if (hasSlept || this.#host.isReadingStopped) core.forgiveSilence(now)
    else if (isLate) core.forgiveSilence(now, 'once')
    if (hasSlept) core.pingAll(now)
    if (isLate && !this.#isSecondLook) {
      // Timers run before the sockets are read: what came while we stood still is to be heard before anything is judged.
      this.#isSecondLook = true
      this.#callAt(now + 1)
      return
    }
    this.#isSecondLook = false
    core.tick(now)
    this.#host.flush()
  }
}
