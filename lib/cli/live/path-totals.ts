// SPDX-License-Identifier: Apache-2.0
/** What each path of a session has carried, over all of its subflows, those that are gone included. */
import type { SubflowStats } from '../../index.js'

export interface Totals {
  readonly sentBytes: number
  readonly receivedBytes: number
  readonly resentBytes: number
}

const NOTHING: Totals = { sentBytes: 0, receivedBytes: 0, resentBytes: 0 }
/** Labels beyond these are added up under no name: on a server, each attempt of a client has a label of its own. */
const MOST_LABELS = 1024

export class PathTotals {
  /** Of subflows that live, as they were seen last. */
  #live = new Map<number, { readonly label: string; readonly totals: Totals }>()
  readonly #gone = new Map<string, Totals>()

  /** To be called often: what a subflow carries between the last call and its end is not counted. */
  sample(subflows: readonly SubflowStats[]): void {
    const before = this.#live
    this.#live = new Map(
      subflows.map(({ id, label, sentBytes, receivedBytes, retransmittedBytes: resentBytes }) => [
        id,
        { label, totals: { sentBytes, receivedBytes, resentBytes } },
      ]),
    )
    for (const [id, { label, totals }] of before)
      if (!this.#live.has(id)) this.#gone.set(label, plus(this.#gone.get(label) ?? NOTHING, totals))
    while (this.#gone.size > MOST_LABELS) this.#gone.delete(this.#gone.keys().next().value!)
  }

  /** What each label has carried, both ways. */
  all(): { readonly label: string; readonly carriedBytes: number }[] {
    const labels = new Set([...this.#gone.keys(), ...[...this.#live.values()].map(({ label }) => label)])
    return [...labels].map((label) => {
      const { sentBytes, receivedBytes } = this.of([label])
      return { label, carriedBytes: sentBytes + receivedBytes }
    })
  }

  /** Of these labels together. */
  of(labels: readonly string[]): Totals {
    const live = [...this.#live.values()].filter(({ label }) => labels.includes(label))
    const gone = labels.map((label) => this.#gone.get(label) ?? NOTHING)
    return [...live.map(({ totals }) => totals), ...gone].reduce(plus, NOTHING)
  }
}

function plus(a: Totals, b: Totals): Totals {
  return {
    sentBytes: a.sentBytes + b.sentBytes,
    receivedBytes: a.receivedBytes + b.receivedBytes,
    resentBytes: a.resentBytes + b.resentBytes,
  }
}
