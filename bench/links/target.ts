// SPDX-License-Identifier: Apache-2.0
/** What a target is, and where it is looked at. */
import type { Figures } from './measure.js'
import type { Scenario } from './scenario.js'
import type { EachFigure, Summary } from './summary.js'

export interface Target {
  readonly scenario: string
  readonly text: string
  readonly bound: number
  readonly atMost?: boolean
  /** Only for connections with ours on both sides. */
  readonly oursOnly?: boolean
  /** Who else must meet it. */
  readonly also?: readonly string[]
  of(at: Place): number
}

/** Where a target is looked at. */
export class Place {
  readonly summary: Summary
  readonly scenario: Scenario
  readonly peer: string
  readonly congestionControl: string

  constructor(summary: Summary, scenario: Scenario, peer: string, congestionControl: string) {
    this.summary = summary
    this.scenario = scenario
    this.peer = peer
    this.congestionControl = congestionControl
  }

  get(name: keyof Figures, peer: string = this.peer): number {
    return this.summary.get(this.scenario.id, peer, this.congestionControl, name)
  }

  /** The same peer's figure in another scenario. */
  elsewhere(scenario: string, name: keyof Figures): number {
    return this.summary.get(scenario, this.peer, this.congestionControl, name)
  }

  /** Mbit/s that the sender offers. */
  get offered(): number {
    return this.scenario.offered ?? Number.NaN
  }

  /** Of every run, where a median would hide the one that went wrong. */
  each(name: keyof Figures): number[] {
    return this.summary.each(this.scenario.id, this.peer, this.congestionControl, name)
  }

  eachOfLink(name: EachFigure, link: number): number[] {
    return this.summary.eachOfLink(this.scenario.id, this.peer, this.congestionControl, name, link)
  }

  perSum(): number {
    return this.get('rate') / this.summary.sum(this.scenario, this.congestionControl)
  }

  perBest(): number {
    return this.get('rate') / this.summary.bestPeer(this.scenario.id, this.congestionControl)
  }

  ofLink(name: EachFigure, link: number): number {
    return this.summary.ofLink(this.scenario.id, this.peer, this.congestionControl, name, link)
  }

  plainLink(name: EachFigure, link: number): number {
    return this.summary.ofLink(this.scenario.id, 'plain', this.congestionControl, name, link)
  }
}

export const perSum = (scenario: string, bound: number): Target => ({
  scenario,
  bound,
  text: 'rate ÷ sum',
  of: (at) => at.perSum(),
})

export const perBest = (scenario: string): Target => ({
  scenario,
  bound: 1,
  text: 'rate ÷ best peer',
  of: (at) => at.perBest(),
})

export const atMost = (
  scenario: string,
  name: keyof Figures,
  text: string,
  bound: number,
  oursOnly = false,
): Target => ({
  scenario,
  text,
  bound,
  oursOnly,
  atMost: true,
  of: (at) => at.get(name),
})
