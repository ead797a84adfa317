// SPDX-License-Identifier: Apache-2.0
/** Medians over the runs of each scenario, peer and congestion control. */
import { median, sum } from '../shared/figures.js'
import type { Row } from './log.js'
import type { Figures } from './measure.js'
import { OTHERS } from './peers.js'
import type { Scenario } from './scenario.js'

/** Has a value for each link, or for each size of messages. */
export type EachFigure = 'perLink' | 'meanwhile' | 'perPath' | 'messageP50' | 'messageP99'

export class Summary {
  readonly #rows: readonly Row[]

  constructor(rows: readonly Row[]) {
    this.#rows = rows
  }

  has(scenario: string, peer: string, congestionControl: string): boolean {
    return this.#of(scenario, peer, congestionControl).length > 0
  }

  #of(scenario: string, peer: string, congestionControl: string): Row[] {
    return this.#rows.filter(
      (row) => row.scenario === scenario && row.peer === peer && row.congestionControl === congestionControl,
    )
  }

  runs(scenario: string, peer: string, congestionControl: string): number {
    return this.#of(scenario, peer, congestionControl).length
  }

  /** A plain figure's median; NaN where no run has it. */
  get(scenario: string, peer: string, congestionControl: string, name: keyof Figures): number {
    return this.#median(scenario, peer, congestionControl, ({ [name]: value }) => asNumber(value))
  }

  /** Of a figure that has a value for each link, that link's; a connection over all has only one. */
  ofLink(scenario: string, peer: string, congestionControl: string, name: EachFigure, link: number): number {
    return this.#median(scenario, peer, congestionControl, (figures) => figures[name]?.[link])
  }

  /** The figure of every run that has it. */
  each(scenario: string, peer: string, congestionControl: string, name: keyof Figures): number[] {
    return this.#values(scenario, peer, congestionControl, ({ [name]: value }) => asNumber(value))
  }

  eachOfLink(
    scenario: string,
    peer: string,
    congestionControl: string,
    name: EachFigure,
    link: number,
  ): number[] {
    return this.#values(scenario, peer, congestionControl, (figures) => figures[name]?.[link])
  }

  #median(scenario: string, peer: string, cc: string, of: (figures: Figures) => number | undefined): number {
    return median(this.#values(scenario, peer, cc, of))
  }

  #values(
    scenario: string,
    peer: string,
    cc: string,
    of: (figures: Figures) => number | undefined,
  ): number[] {
    const values = this.#of(scenario, peer, cc).map(({ figures }) => of(figures))
    return values.filter((value) => value !== undefined)
  }

  /** Plain TCP on each link alone, added up. */
  sum(scenario: Scenario, congestionControl: string): number {
    return this.get(scenario.sumOf ?? scenario.id, 'plain', congestionControl, 'rate')
  }

  /** The fastest of those that aren't ours. */
  bestPeer(scenario: string, congestionControl: string): number {
    const rates = OTHERS.map((peer) => this.get(scenario, peer, congestionControl, 'rate'))
    const known = rates.filter((rate) => !Number.isNaN(rate))
    return known.length > 0 ? Math.max(...known) : Number.NaN
  }
}

function asNumber(value: Figures[keyof Figures]): number | undefined {
  return typeof value === 'number' || value === undefined ? value : sum(value)
}
