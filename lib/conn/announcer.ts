// SPDX-License-Identifier: Apache-2.0
/** Tells of what becomes of a connection's subflows: first to whoever attached each, then to everybody. */
import type { Action } from '../core/action.js'
import type { Subflow } from '../core/subflow.js'
import type { SubflowChange } from './attach.js'
import { eventOf } from './attach.js'
import type { EventSurface } from './conn-events.js'
import { publishSubflow } from './diagnostics.js'
import { callForeign } from '../stream/foreign.js'

type Watcher = (change: SubflowChange) => void

export class Announcer {
  readonly #conn: EventSurface
  readonly #watchers = new Map<Subflow, Watcher>()

  constructor(conn: EventSurface) {
    this.#conn = conn
  }

  watch(subflow: Subflow, watcher: Watcher): void {
    this.#watchers.set(subflow, watcher)
  }

  /** Listeners run apart from the core's work: what they throw, and what they call, must not disturb it. */
  announce(action: Extract<Action, { kind: 'subflow' }>): void {
    const { subflow, from, state, reason, error } = action
    const { id, label } = subflow
    const change: SubflowChange = {
      id,
      label,
      from,
      state,
      ...(reason && { reason }),
      ...(error && { error }),
    }
    process.nextTick(() => {
      const watcher = this.#watchers.get(subflow)
      if (state === 'closed') this.#watchers.delete(subflow)
      if (watcher !== undefined) {
        callForeign(() => {
          watcher(change)
        })
      }
      const name = eventOf(change)
      if (name === undefined) return
      publishSubflow(this.#conn, name, change)
      this.#conn.emit(name, change)
    })
  }
}
