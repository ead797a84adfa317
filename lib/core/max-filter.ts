// SPDX-License-Identifier: Apache-2.0
/** The largest sample of a sliding time span, in constant space: three candidates, as in Linux' win_minmax. */
import type { Millis } from '../clock.js'

interface Sample {
  readonly value: number
  readonly at: Millis
}

const NONE: Sample = { value: 0, at: -Infinity }

export class MaxFilter {
  /** Best, second best after it, third best after that. */
  #best: [Sample, Sample, Sample] = [NONE, NONE, NONE]

  get value(): number {
    return this.#best[0].value
  }

  /** @param span - how long a sample counts, milliseconds */
  update(value: number, at: Millis, span: number): void {
    const sample = { value, at }
    const [first, second, third] = this.#best
    if (value >= first.value || at - third.at > span) this.#best = [sample, sample, sample]
    else if (value >= second.value) this.#best = [first, sample, sample]
    else if (value >= third.value) this.#best = [first, second, sample]
    this.#age(sample, span)
  }

  #age(sample: Sample, span: number): void {
    const [first, second, third] = this.#best
    if (sample.at - first.at > span) {
      this.#best = [second, third, sample]
      if (sample.at - second.at > span) this.#best = [third, sample, sample]
    } else if (second === first && sample.at - second.at > span / 4) this.#best = [first, sample, sample]
    else if (third === second && sample.at - third.at > span / 2) this.#best = [first, second, sample]
  }
}
