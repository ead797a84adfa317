// SPDX-License-Identifier: Apache-2.0
/** Which subflows may carry data now, and what becomes of those that could not for a while. */
import type { Millis } from '../clock.js'
import type { Subflow } from './subflow.js'

/** Up, on a path with bytes left under its cap that is neither paused nor on its way out. */
export function isFit({ state, path, leave }: Subflow): boolean {
  return state === 'up' && path.leftBytes > 0 && !path.isPaused && leave?.isWithdrawn !== true
}

export class Fitness {
  /** Until when data waited for paused paths alone; Infinity while it does. */
  heldUntil: Millis = -Infinity

  /** Those that are fit, of `subflows`. */
  review(subflows: readonly Subflow[], now: Millis): Subflow[] {
    const fit = subflows.filter(isFit)
    for (const subflow of subflows) {
      this.#rest(subflow, now)
      if (subflow.wasFit !== fit.includes(subflow)) this.#turn(subflow, subflows)
    }
    const isHeld = fit.length === 0 && subflows.some(({ state, path }) => state === 'up' && path.isPaused)
    if (isHeld) this.heldUntil = Infinity
    else if (this.heldUntil === Infinity) this.heldUntil = now
    return fit
  }

  /** A pause says nothing of the path. */
  #rest(subflow: Subflow, now: Millis): void {
    const { isPaused } = subflow.path
    if (subflow.isResting && !isPaused) subflow.window.rested(now)
    subflow.isResting = isPaused
  }

  /** One that becomes fit owes nothing for the time before. */
  #turn(subflow: Subflow, subflows: readonly Subflow[]): void {
    subflow.wasFit = !subflow.wasFit
    if (!subflow.wasFit) return
    const others = subflows.filter((other) => other !== subflow && other.wasFit && isFit(other))
    const served = Math.min(...others.map((other) => other.served))
    if (served !== Infinity) subflow.served = Math.max(subflow.served, served)
  }
}
