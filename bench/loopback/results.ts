// SPDX-License-Identifier: Apache-2.0
/** Figures of all runs, and the tables made of them. */
import { figure, median, table } from '../shared/figures.js'
import type { Case, Figures } from './cases.js'
import type { Pairing, PairingId } from './pairings.js'
import { boundText, verdicts } from './targets.js'

export class Results {
  readonly #runs = new Map<string, number[]>()

  add(caseId: string, pairing: PairingId, figures: Figures): void {
    for (const [name, value] of Object.entries(figures)) {
      const key = `${caseId} ${name} ${pairing}`
      this.#runs.set(key, [...(this.#runs.get(key) ?? []), value])
    }
  }

  runs(caseId: string, name: string, pairing: PairingId): readonly number[] {
    return this.#runs.get(`${caseId} ${name} ${pairing}`) ?? []
  }

  /** NaN where it was not measured. */
  median(caseId: string, name: string, pairing: PairingId): number {
    return median(this.runs(caseId, name, pairing))
  }
}

function ratio(results: Results, caseId: string, name: string, to: PairingId): string {
  return figure(results.median(caseId, name, 'node-node') / results.median(caseId, name, to))
}

export function figuresTable(results: Results, cases: readonly Case[], pairings: readonly Pairing[]): string {
  const head = ['work', 'unit', ...pairings.map(({ title }) => title), 'N↔N ÷ Go↔Go', 'N↔N ÷ plain']
  const rows = cases.flatMap((one) =>
    Object.entries(one.figures).map(([name, unit]) => [
      Object.keys(one.figures).length > 1 ? `${one.title}: ${name}` : one.title,
      unit,
      ...pairings.map(({ id }) => figure(results.median(one.id, name, id))),
      ratio(results, one.id, name, 'go-go'),
      ratio(results, one.id, name, 'plain'),
    ]),
  )
  return table(head, rows)
}

export function targetsTable(results: Results): string {
  const rows = verdicts(results).map(({ target, bound, measured, met }) => [
    target,
    boundText(target, bound),
    figure(measured),
    met ? 'met' : 'SHORT',
  ])
  return table(['target (Node↔Node unless said)', 'bound', 'measured', ''], rows)
}

/** Every run's figures, for --json. */
export function asData(results: Results, cases: readonly Case[], pairings: readonly Pairing[]): unknown {
  const rows = cases.flatMap((one) =>
    Object.entries(one.figures).flatMap(([name, unit]) =>
      pairings.map(({ id }) => {
        const runs = results.runs(one.id, name, id)
        return { case: one.id, figure: name, unit, pairing: id, median: median(runs), runs }
      }),
    ),
  )
  return { figures: rows.filter((row) => row.runs.length > 0), targets: verdicts(results) }
}
