// SPDX-License-Identifier: Apache-2.0
/** What --verbose says about paths. */
import type { MultipathDialer, SubflowChange } from '../index.js'

const EVENTS = ['subflow-open', 'subflow-suspect', 'subflow-recovered', 'subflow-close'] as const

/** A dialer or a listener; each event's first argument is the change. */
interface SubflowSource {
  on(event: (typeof EVENTS)[number], listener: (change: SubflowChange) => void): unknown
}

/** Reports each attempt that failed, a line each. */
export function reportFailures(dialer: MultipathDialer, report: (label: string, line: string) => void): void {
  dialer.on('path-failure', ({ label, error, waitMs, isDialing }) => {
    if (isDialing) {
      report(label, `${label}: ${error.message}`)
      return
    }
    const next = waitMs === undefined ? 'given up' : `next attempt in ${Math.round(waitMs)} ms`
    report(label, `${label}: ${error.message}, ${next}`)
  })
}

/** Reports each change of a subflow, a line each. */
export function reportSubflows(source: SubflowSource, report: (label: string, line: string) => void): void {
  for (const event of EVENTS) {
    source.on(event, ({ label, reason, error }) => {
      const why = [reason, error?.message].filter((part) => part !== undefined).join(', ')
      report(label, `${label}: ${event.replace('subflow-', '')}${why === '' ? '' : ` (${why})`}`)
    })
  }
}
