// SPDX-License-Identifier: Apache-2.0
/** The monitor: asks for the state four times a second, draws it, and turns keys into requests. */
import type { SchedulerName, Tier } from '../../index.js'
import { schedulers } from '../../index.js'
import type { CtlRequest } from '../ctl/protocol.js'
import type { Status } from '../live/status.js'
import { History } from './history.js'
import type { PathRow, SortBy, View } from './screen.js'
import { rowsOf, screen, SORTS } from './screen.js'
import type { Style } from './style.js'
import type { Key } from './terminal.js'

/** As a `CtlClient`. */
export type Ask = (request: CtlRequest) => Promise<unknown>

export const UPDATE_MS = 250
const NOTE_MS = 5000
const TIERS: readonly Tier[] = ['primary', 'secondary', 'backup']
const SCHEDULERS = Object.keys(schedulers) as SchedulerName[]

export interface MonitorInit {
  readonly ask: Ask
  readonly style: Style
  readonly size: () => { readonly columns: number; readonly rows: number }
  readonly draw: (lines: readonly string[]) => void
  readonly onQuit: () => void
  /** Ctrl-C; default: as q. */
  readonly onInterrupt?: () => void
}

export class Monitor {
  readonly #init: MonitorInit
  readonly #history = new History()
  #status: Status | undefined
  #selected = 0
  #sortBy: SortBy = 'order'
  #isHelp = false
  #note = ''
  #notedAt = -Infinity

  constructor(init: MonitorInit) {
    this.#init = init
  }

  /** Asks for the state and draws it. @throws what `ask` throws: the command has gone */
  async update(): Promise<void> {
    this.#status = (await this.#init.ask({ cmd: 'status' })) as Status
    this.#history.take(this.#status, performance.now())
    this.redraw()
  }

  redraw(): void {
    const view = this.#view
    if (view !== undefined) this.#init.draw(screen(view))
  }

  readonly press = ({ name, sequence, ctrl }: Key): void => {
    const { onQuit, onInterrupt = onQuit } = this.#init
    if (ctrl && name === 'c') {
      onInterrupt()
      return
    }
    if (name === 'q' || (ctrl && name === 'd')) {
      onQuit()
      return
    }
    if (/^[1-9]$/.test(sequence)) this.#togglePause(this.#rows[Number(sequence) - 1])
    else (this.#keys[name ?? sequence] ?? this.#keys[sequence])?.()
    this.redraw()
  }

  readonly #keys: Readonly<Record<string, () => void>> = {
    up: () => this.#move(-1),
    k: () => this.#move(-1),
    down: () => this.#move(1),
    j: () => this.#move(1),
    pageup: () => this.#move(-10),
    pagedown: () => this.#move(10),
    p: () => this.#togglePause(this.#rows[this.#selected]),
    t: () => this.#nextTier(this.#rows[this.#selected]),
    s: () => this.#nextScheduler(),
    o: () => {
      this.#sortBy = next(SORTS, this.#sortBy)
    },
    '?': () => {
      this.#isHelp = !this.#isHelp
    },
    h: () => {
      this.#isHelp = !this.#isHelp
    },
  }

  get #view(): View | undefined {
    if (this.#status === undefined) return undefined
    const isOld = performance.now() - this.#notedAt > NOTE_MS
    return {
      ...this.#init.size(),
      ...{ status: this.#status, history: this.#history, style: this.#init.style },
      ...{ selected: this.#selected, sortBy: this.#sortBy, isHelp: this.#isHelp },
      note: isOld ? '' : this.#note,
    }
  }

  get #rows(): PathRow[] {
    const view = this.#view
    return view === undefined ? [] : rowsOf(view)
  }

  #move(by: number): void {
    const last = Math.max(0, this.#rows.length - 1)
    this.#selected = Math.min(last, Math.max(0, this.#selected + by))
  }

  #togglePause(row: PathRow | undefined): void {
    if (row === undefined) return
    const { path, session } = row
    const verb = path.isPaused ? 'resume' : 'pause'
    this.#request({ cmd: `paths-${verb}`, label: path.label, session: session.id }, `${path.label}: ${verb}`)
  }

  #nextTier(row: PathRow | undefined): void {
    if (row === undefined) return
    const { path, session } = row
    const tier = next(TIERS, path.tier as Tier)
    const request = { cmd: 'paths-set', label: path.label, session: session.id, policy: `tier=${tier}` }
    this.#request(request, `${path.label}: tier ${tier}`)
  }

  #nextScheduler(): void {
    const name = next(SCHEDULERS, (this.#status?.sessions[0]?.scheduler ?? 'lowest-rtt') as SchedulerName)
    this.#request({ cmd: 'scheduler', name }, `scheduler ${name}`)
  }

  #request(request: CtlRequest, what: string): void {
    const note = (text: string): void => {
      this.#note = text
      this.#notedAt = performance.now()
      this.redraw()
    }
    this.#init.ask(request).then(
      () => note(what),
      (error: unknown) => note((error as Error).message),
    )
  }
}

function next<Item>(items: readonly Item[], item: Item): Item {
  return items[(items.indexOf(item) + 1) % items.length]!
}
