// SPDX-License-Identifier: Apache-2.0
/** What the cells gave, a line of JSON for each run, so that a grid that was interrupted goes on, and can be judged again. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import type { Cell } from './cell.js'
import { keyOf } from './cell.js'
import type { Measured } from './judge.js'
import type { Outcome } from './simulate.js'

export interface Job {
  readonly cell: Cell
  readonly seed: number
}

export interface Result extends Job {
  readonly outcome: Outcome
  readonly cpuMs: number
}

export class Results {
  readonly #file: string | undefined
  readonly #byCell = new Map<string, Result[]>()

  /** @param file - read where it is there, and appended to; `undefined` keeps nothing */
  constructor(file: string | undefined) {
    this.#file = file
    if (file === undefined || !existsSync(file)) return
    const lines = readFileSync(file, 'utf8').split('\n')
    // The last one may have been cut off.
    for (const line of lines.slice(0, -1)) this.#take(JSON.parse(line) as Result)
  }

  add(result: Result): void {
    this.#take(result)
    if (this.#file !== undefined) appendFileSync(this.#file, `${JSON.stringify(result)}\n`)
  }

  #take(result: Result): void {
    if (this.has(result)) return
    const key = keyOf(result.cell)
    const results = this.#byCell.get(key)
    if (results === undefined) this.#byCell.set(key, [result])
    else results.push(result)
  }

  has({ cell, seed }: Job): boolean {
    return this.#byCell.get(keyOf(cell))?.some((result) => result.seed === seed) === true
  }

  get cpuMs(): number {
    return [...this.#byCell.values()].flat().reduce((sum, { cpuMs }) => sum + cpuMs, 0)
  }

  /** Each cell with the mean of its seeds. */
  measured(): Measured[] {
    return [...this.#byCell.values()].map((results) => {
      const outcomes = results.map(({ outcome }) => outcome)
      return { cell: results[0]!.cell, outcome: meanOf(outcomes), errors: errorsOf(outcomes) }
    })
  }
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length

function meanOf(outcomes: readonly Outcome[]): Outcome {
  const of = (figure: keyof Outcome): number => mean(outcomes.map((outcome) => outcome[figure]))
  return { share: of('share'), queueMs: of('queueMs'), queueP99Ms: of('queueP99Ms'), resent: of('resent') }
}

function errorsOf(outcomes: readonly Outcome[]): Measured['errors'] {
  if (outcomes.length === 1) return undefined
  const of = (figure: keyof Outcome): number => {
    const values = outcomes.map((outcome) => outcome[figure])
    const middle = mean(values)
    const squares = values.reduce((sum, value) => sum + (value - middle) ** 2, 0)
    return Math.sqrt(squares / (values.length - 1) / values.length)
  }
  return { share: of('share'), queueMs: of('queueMs') }
}
