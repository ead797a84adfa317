/** The paths of one connection by label, to change their policies. */
import type { PathPolicy } from '../core/path.js'
import { Path } from '../core/path.js'
import type { Subflow } from '../core/subflow.js'
import { OptionError } from '../errors.js'

export class PathPolicies {
  readonly #live: () => readonly Subflow[]
  /** A dialer's: they outlive their subflows. Those of a listener do not, whose labels never come again. */
  readonly #shared = new Map<string, Path>()

  constructor(live: () => readonly Subflow[]) {
    this.#live = live
  }

  /** @param shared - the path of a dialer, which all its connections share */
  of(label: string, shared: Path | undefined): Path {
    if (shared !== undefined) this.#shared.set(label, shared)
    return shared ?? new Path()
  }

  /** @throws {OptionError} for an unknown label, or a value out of range */
  set(label: string, policy: PathPolicy): void {
    const subflows = this.#live()
    const shared = this.#shared.get(label)
    const paths = subflows.filter((subflow) => subflow.label === label).map(({ path }) => path)
    if (shared !== undefined) paths.push(shared)
    if (paths.length === 0) {
      const known = [...new Set([...this.#shared.keys(), ...subflows.map((subflow) => subflow.label)])]
      throw new OptionError(
        `no path is called ${JSON.stringify(label)}; there are ${known.join(', ') || 'none yet'}`,
      )
    }
    for (const path of paths) path.set(policy)
  }
}
