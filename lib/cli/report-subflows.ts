// SPDX-License-Identifier: Apache-2.0
/** What --verbose says about paths. */
import type { SubflowChange } from '../index.js'

const EVENTS = ['subflow-open', 'subflow-suspect', 'subflow-recovered', 'subflow-close'] as const

/** A dialer or a listener; each event's first argument is the change. */
interface SubflowSource {
  on(event: (typeof EVENTS)[number], listener: (change: SubflowChange) => void): unknown
}

/** Reports each change of a subflow, a line each. */
export function reportSubflows(source: SubflowSource, report: (line: string) => void): void {
  for (const event of EVENTS) {
    source.on(event, ({ label, reason, error }) => {
      const why = [reason, error?.message].filter((part) => part !== undefined).join(', ')
      report(`${label}: ${event.replace('subflow-', '')}${why === '' ? '' : ` (${why})`}`)
    })
  }
}
