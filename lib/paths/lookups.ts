// SPDX-License-Identifier: Apache-2.0
/** Looks names up, again and again: all of them at once, and never a second time before the first is through. */
import type { Clock, Millis } from '../clock.js'
import { toError } from '../errors.js'
import { Alarm } from './alarm.js'
import type { Problems } from './problems.js'
import type { Lookup, TargetAddresses } from './target-addresses.js'

interface LookupsInit {
  readonly targets: readonly TargetAddresses[]
  readonly lookup: Lookup
  readonly clock: Clock
  readonly resolveMs: number
  readonly problems: Problems
  /** Addresses of some target may have changed. */
  readonly onAnswer: () => void
}

/** From one round to the next at least, milliseconds, whatever fails meanwhile and whatever an answer says. */
const GAP_MS = 2000
/** Until the next round after a failure at most, milliseconds. */
const FAILED_MS = 10_000
/** However long an answer holds, milliseconds. */
const LONGEST_MS = 3_600_000

export class Lookups {
  readonly #init: LookupsInit
  readonly #alarm: Alarm
  readonly #hasNames: boolean
  #isOn = false
  #isUnderWay = false
  #isWantedAgain = false
  #isComplete = false
  #startedAt: Millis = -Infinity

  constructor(init: LookupsInit) {
    this.#init = init
    this.#hasNames = init.targets.some(({ isLiteral }) => !isLiteral)
    this.#alarm = new Alarm(init.clock, () => void this.#round())
  }

  /** Whether every target has been looked up, with or without success. */
  get isComplete(): boolean {
    return this.#isComplete
  }

  start(): void {
    this.#isOn = true
    this.#isComplete = false
    if (!this.#isUnderWay) void this.#round()
  }

  stop(): void {
    this.#isOn = false
    this.#alarm.set(Infinity)
  }

  /** Something has changed or failed: the next round begins as soon as it may. */
  soon(): void {
    if (!this.#isOn || !this.#hasNames) return
    if (this.#isUnderWay) this.#isWantedAgain = true
    else this.#alarm.noLaterThan(this.#soonestAt())
  }

  async #round(): Promise<void> {
    const { clock, targets } = this.#init
    this.#isUnderWay = true
    this.#isWantedAgain = false
    this.#startedAt = clock.now()
    const results = await Promise.all(targets.map((target) => this.#lookUp(target)))
    this.#isUnderWay = false
    if (!this.#isOn) return
    this.#isComplete = true
    this.#report(results)
    this.#init.onAnswer()
    this.#arm(results)
  }

  /** @returns how long the answer holds, milliseconds, where it says; or why there is none */
  async #lookUp(target: TargetAddresses): Promise<number | undefined | Error> {
    try {
      const holdsMs = await target.lookUp(this.#init.lookup)
      if (this.#isOn) this.#init.onAnswer()
      return holdsMs
    } catch (error) {
      return toError(error)
    }
  }

  #report(results: readonly (number | undefined | Error)[]): void {
    const { problems } = this.#init
    results.forEach((result, index) => {
      const about = `target ${index}`
      if (result instanceof Error) problems.raise(about, result)
      else problems.settle(about)
    })
  }

  #arm(results: readonly (number | undefined | Error)[]): void {
    // A listener may have ended it all while it was told.
    if (!this.#isOn || !this.#hasNames) return
    const { clock, resolveMs } = this.#init
    const holds = results.filter((result) => typeof result === 'number')
    const hasFailed = results.some((result) => result instanceof Error)
    const waits = [
      holds.length === 0 ? resolveMs : Math.min(LONGEST_MS, ...holds),
      hasFailed ? FAILED_MS : Infinity,
    ]
    this.#alarm.set(Math.max(this.#soonestAt(), clock.now() + Math.min(...waits)))
    if (this.#isWantedAgain) this.#alarm.noLaterThan(this.#soonestAt())
  }

  #soonestAt(): Millis {
    return Math.max(this.#init.clock.now(), this.#startedAt + GAP_MS)
  }
}
