// SPDX-License-Identifier: Apache-2.0
/**
 * Shortens waits when a connection comes to depend on a single subflow: back-off protects a peer from paths that
 * add little, and a connection ends with its last subflow.
 */
import type { Clock } from '../clock.js'
import { sleep } from '../clock.js'
import type { SubflowChange } from '../conn/attach.js'
import type { SubflowState } from '../core/health.js'
import { HoldPace } from './hold-pace.js'
import type { SuspendedConns } from './suspended-conns.js'
import { withAny } from './timing.js'

export class LastHope {
  /** What goes on while no subflow is left at all. */
  readonly hold: HoldPace
  readonly #clock: Clock
  readonly #states: () => readonly SubflowState[]
  readonly #hurries = new Set<() => void>()

  /**
   * @param states - of the subflows of the connection
   * @param others - suspended connections of the same dialer
   */
  constructor(
    clock: Clock,
    random: () => number,
    states: () => readonly SubflowState[],
    others: SuspendedConns,
  ) {
    const isSilent = (): boolean => this.upCount === 0 && states().includes('suspect')
    this.hold = new HoldPace(clock, random, others, isSilent)
    this.#clock = clock
    this.#states = states
  }

  /** Subflows that answer. */
  get upCount(): number {
    return this.#states().filter((state) => state === 'up').length
  }

  /** One more loss may end the connection. */
  get isOn(): boolean {
    return this.upCount <= 1
  }

  /** A subflow changed its state: losing the last but one, or the last, ends long waits. */
  changed({ from, state }: SubflowChange): void {
    if (from === 'up' && state !== 'up' && this.isOn) this.hurry()
  }

  /** The connection was suspended, or goes on. */
  suspensionChanged(isSuspended: boolean): void {
    this.hold.changed(isSuspended)
    if (isSuspended) this.hurry()
  }

  /** Ends all waits. */
  readonly hurry = (): void => {
    for (const hurry of [...this.#hurries]) hurry()
  }

  /**
   * Resolves after `ms`, or when a loss makes the waiting path the last hope: then `hurriedMs` after its call, at the
   * earliest. Rejects with the reason of `signal`.
   */
  async wait(ms: number, hurriedMs: number, signal: AbortSignal): Promise<void> {
    const startedAt = this.#clock.now()
    const hurry = new AbortController()
    const hurryUp = (): void => {
      hurry.abort()
    }
    this.#hurries.add(hurryUp)
    try {
      await withAny([signal, hurry.signal], (either) => sleep(this.#clock, ms, either))
    } catch {
      signal.throwIfAborted()
      const leastMs = this.hold.isOn ? 0 : Math.min(ms, hurriedMs)
      await sleep(this.#clock, Math.max(0, startedAt + leastMs - this.#clock.now()), signal)
    } finally {
      this.#hurries.delete(hurryUp)
    }
  }
}
