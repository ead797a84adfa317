// SPDX-License-Identifier: Apache-2.0
/** The paths of one connection by label: a dialer's, with or without a subflow; elsewhere those of the live subflows. */
import type { Path, PathPolicy } from '../core/path.js'
import type { Subflow } from '../core/subflow.js'
import { OptionError } from '../errors.js'
import type { Driver } from './driver.js'
import type { ConnPath } from './path-view.js'
import { pathView } from './path-view.js'
import type { Carried, SubflowStats } from './subflow-stats.js'
import { carriedBy, carriedPlus, NOTHING_CARRIED, subflowStats } from './subflow-stats.js'

/** What `driver` knows of a subflow of its connection. */
export function statsOf(subflow: Subflow, { core, clock }: Driver<unknown>): SubflowStats {
  return subflowStats(subflow, core.eligibility(subflow, clock.now()))
}

interface Dialled {
  readonly label: string
  readonly unwatch: () => void
  /** By the subflows that are gone. */
  carried: Carried
}

export class ConnPaths {
  readonly #driver: Driver<unknown>
  /** A dialer's paths outlive their subflows, and the connection. Those of a listener do not, whose labels never come again. */
  readonly #dialled = new Map<Path, Dialled>()
  #isOver = false

  constructor(driver: Driver<unknown>) {
    this.#driver = driver
  }

  get #live(): readonly Subflow[] {
    return this.#driver.core.subflows
  }

  /** The policy of a path has changed, whoever changed it. */
  readonly #onChange = (): void => {
    this.#driver.trace?.settingsChanged()
    this.#driver.flushSoon()
  }

  /** A path of the dialer, which all its connections share. */
  add(path: Path, label: string): void {
    if (this.#dialled.has(path)) return
    this.#dialled.set(path, { label, unwatch: path.watch(this.#onChange), carried: NOTHING_CARRIED })
  }

  /** The dialer has removed it, and no subflow is left on it. */
  remove(path: Path): void {
    this.#dialled.get(path)?.unwatch()
    this.#dialled.delete(path)
  }

  /** What it has carried still counts for its path. */
  left(subflow: Subflow): void {
    const path = this.#dialled.get(subflow.path)
    if (path !== undefined) path.carried = carriedPlus(path.carried, carriedBy(subflow))
  }

  /** The connection is over: its paths stay to be read. */
  over(): void {
    this.#isOver = true
    for (const { unwatch } of this.#dialled.values()) unwatch()
  }

  list(): ConnPath[] {
    return [...this.#all()].map(([path, label]) =>
      pathView(
        label,
        path,
        this.#live.filter((subflow) => subflow.path === path),
        (subflow) => statsOf(subflow, this.#driver),
        this.#dialled.get(path)?.carried ?? NOTHING_CARRIED,
      ),
    )
  }

  /** @throws {OptionError} for an unknown label, or a value out of range */
  set(label: string, policy: PathPolicy): void {
    this.#change(label, (path) => {
      path.set(policy)
    })
  }

  /** @throws {OptionError} for an unknown label */
  setPaused(label: string, isPaused: boolean): void {
    this.#change(label, (path) => {
      path.isPaused = isPaused
    })
  }

  #all(): Map<Path, string> {
    const all = new Map<Path, string>()
    for (const [path, { label }] of this.#dialled) all.set(path, label)
    for (const { path, label } of this.#live) if (!all.has(path)) all.set(path, label)
    return all
  }

  #change(label: string, change: (path: Path) => void): void {
    const all = this.#isOver ? new Map<Path, string>() : this.#all()
    const paths = [...all].filter(([, name]) => name === label)
    if (paths.length === 0) {
      const known = [...new Set(all.values())].join(', ') || 'none yet'
      throw new OptionError(`no path is called ${JSON.stringify(label)}; there are ${known}`)
    }
    for (const [path] of paths) change(path)
    this.#onChange()
  }
}
