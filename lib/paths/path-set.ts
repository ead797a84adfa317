// SPDX-License-Identifier: Apache-2.0
/** The paths that a source has told of, and what changes among them. */
import { MultipathError, toError } from '../errors.js'
import type { SubflowDialer } from '../transport/transport.js'
import { checkDialer } from '../transport/transport.js'
import type { AddressPair } from './address-pairs.js'
import type { Problems } from './problems.js'

interface PathSetInit {
  readonly make: (pair: AddressPair) => SubflowDialer
  readonly maxPaths: number
  readonly problems: Problems
  readonly onAdd: (path: SubflowDialer) => void
  readonly onRemove: (label: string) => void
}

export class PathSet {
  readonly #init: PathSetInit
  /** By the label of the pair, which users may have changed in the path. */
  readonly #paths = new Map<string, SubflowDialer>()

  constructor(init: PathSetInit) {
    this.#init = init
  }

  get paths(): SubflowDialer[] {
    return [...this.#paths.values()]
  }

  /** Tells of what is new before it tells of what is gone: a connection shall not be without a path in between. */
  update(pairs: readonly AddressPair[]): void {
    const wanted = new Map(pairs.map((pair) => [pair.label, pair]))
    const gone = [...this.#paths].filter(([key]) => !wanted.has(key))
    const room = this.#init.maxPaths - (this.#paths.size - gone.length)
    const fresh = [...wanted].filter(([key]) => !this.#paths.has(key))
    const failures = fresh.slice(0, room).flatMap(([key, pair]) => this.#add(key, pair) ?? [])
    for (const [key, { label }] of gone) {
      this.#paths.delete(key)
      this.#init.onRemove(label)
    }
    this.#report('dialer', failures[0])
    this.#report('limit', fresh.length > room ? tooMany(wanted.size, this.#init.maxPaths) : undefined)
  }

  /** @returns why there is no such path */
  #add(key: string, pair: AddressPair): MultipathError | undefined {
    let path: SubflowDialer
    try {
      path = this.#withOwnLabel(checkDialer(this.#init.make(pair), 'the result of dial'))
    } catch (error) {
      const message = `cannot create path ${pair.label}: ${toError(error).message}`
      return new MultipathError('ERR_MULTIPATH_NO_PATH', message, { cause: error })
    }
    this.#paths.set(key, path)
    this.#init.onAdd(path)
    return undefined
  }

  /** Users may label a path by its interface, which has one for each of its addresses. */
  #withOwnLabel(path: SubflowDialer): SubflowDialer {
    const taken = new Set(this.paths.map(({ label }) => label))
    if (!taken.has(path.label)) return path
    let copy = 2
    while (taken.has(`${path.label}#${copy}`)) copy++
    const { tracker, policy } = path
    return { label: `${path.label}#${copy}`, tracker, policy, dial: (options) => path.dial(options) }
  }

  #report(about: string, error: Error | undefined): void {
    if (error === undefined) this.#init.problems.settle(about)
    else this.#init.problems.raise(about, error)
  }
}

function tooMany(count: number, most: number): MultipathError {
  return new MultipathError(
    'ERR_MULTIPATH_NO_PATH',
    `${count} paths were found, and maxPaths is ${most}: ${count - most} are left out`,
  )
}
