// SPDX-License-Identifier: Apache-2.0
/** The paths to `multipath serve`: those of each `--to`, or with --all-interfaces those from each local address to each of its own. */
import { isIP } from 'node:net'
import type { Family, PathSource, SubflowDialer } from '../../index.js'
import { interfacePaths, localAddresses, OptionError } from '../../index.js'
import { PathBook } from '../live/path-book.js'
import { EndableSource } from './endable-source.js'
import type { InterfaceRules } from './interface-rules.js'
import { EVERY_INTERFACE, policyOf, takes } from './interface-rules.js'
import { joinedSources } from './joined-sources.js'
import type { Dial, TlsFlags } from './path-dialers.js'
import { nameOf, PathDialers } from './path-dialers.js'
import type { PathPlace } from './path-place.js'
import { labelOf, placeOf } from './path-place.js'
import { usage } from './usage.js'

export interface PathFlags extends TlsFlags {
  readonly to?: readonly PathPlace[]
  readonly allInterfaces?: true | InterfaceRules
}

/** Far more than there are uplinks; a listener takes 64 subflows by default. */
const MOST_PATHS = 32

export interface SessionPaths {
  /** Of `--to`; all together with --all-interfaces, and without a place. */
  readonly entries: readonly PathEntry[]
  /** Where each path leads. */
  readonly book: PathBook
  readonly dialers: PathDialers
  /** Some have a cap of a day or a month. */
  readonly isCapped: boolean
  /** Further ones. @throws {OptionError}; {CliError} for a place whose paths cannot be named beforehand */
  readonly pathsOf: (place: PathPlace) => readonly SubflowDialer[] | PathSource
}

/** What one `--to` asks for. */
export interface PathEntry {
  readonly place: PathPlace | undefined
  readonly paths: readonly SubflowDialer[] | EndableSource
}

/** @throws {CliError} EXIT_USAGE for flags that do not go together */
export function sessionPaths(flags: PathFlags): SessionPaths {
  const { to: places = [], allInterfaces } = flags
  if (places.length === 0) throw usage('no server to connect to', 'give --to HOST:PORT, once for each path')
  const count = places.reduce((sum, { parallel = 1 }) => sum + parallel, 0)
  if (count > MOST_PATHS) throw usage(`--to asks for ${count} paths; at most ${MOST_PATHS} are allowed`)
  const twice = places.map(labelOf).find((label, at, labels) => labels.indexOf(label) < at)
  if (twice !== undefined)
    throw usage(
      `--to has two paths called ${twice}`,
      'give each a label= of its own; to use one place twice, write it once, with parallel=2',
    )
  const book = new PathBook()
  const dialers = new PathDialers(flags, book)
  const { dial } = dialers
  try {
    const rules = allInterfaces === true ? EVERY_INTERFACE : allInterfaces
    const entries =
      rules === undefined
        ? places.map((place) => pathEntry(place, dial))
        : [{ place: undefined, paths: new EndableSource(fromEverywhere(places, rules, dial)) }]
    const isCapped = places.some(({ period }) => period !== undefined)
    return { entries, book, dialers, isCapped, pathsOf: (place) => furtherPaths(place, dial) }
  } catch (error) {
    if (error instanceof OptionError) throw usage(error.message)
    throw error
  }
}

/** @throws {CliError} EXIT_USAGE */
export function pathEntry(place: PathPlace, dial: Dial): PathEntry {
  const paths = pathsOf([place], dial)
  return { place, paths: 'watch' in paths ? new EndableSource(paths) : paths }
}

/**
 * A source only where addresses of an interface have to be followed.
 *
 * @param family - of the addresses of interfaces; a source address has its own
 */
export function pathsOf(
  places: readonly PathPlace[],
  dial: Dial,
  family?: Family,
): SubflowDialer[] | PathSource {
  const followed = places.filter(({ interfaceName }) => interfaceName !== undefined)
  const fixed = places
    .filter(({ interfaceName }) => interfaceName === undefined)
    .flatMap((place) => fixedPaths(place, dial))
  if (followed.length === 0) return fixed
  return joinedSources(
    fixed,
    followed.map((place) => fromInterface(place, dial, family)),
  )
}

/** As `pathsOf`, for one place; an interface needs an address now. @throws {CliError} where it has none */
export function furtherPaths(place: PathPlace, dial: Dial): SubflowDialer[] | PathSource {
  const { interfaceName: interfaces, host } = place
  if (interfaces !== undefined) {
    const family = isIP(host)
    const present = localAddresses({ interfaces, includeVirtual: true })
    if (!present.some((local) => family === 0 || local.family === family))
      throw usage(`${interfaces} has no address that can reach ${host}`)
  }
  return pathsOf([place], dial)
}

function fixedPaths(place: PathPlace, dial: Dial): SubflowDialer[] {
  const { host, port, source, interfaceName, parallel = 1 } = place
  if (interfaceName !== undefined)
    throw usage(`${labelOf(place)} names an interface; name one of its addresses here`)
  return Array.from({ length: parallel }, (_, n) => {
    const label = parallel === 1 ? labelOf(place) : `${labelOf(place)}#${n + 1}`
    return dial(place, { label, host, port, localAddress: source })
  })
}

function fromInterface(place: PathPlace, dial: Dial, family?: Family): PathSource {
  const { host, port, interfaceName = '', parallel = 1, label } = place
  return interfacePaths({
    ...{ targets: [{ host, port }], interfaces: interfaceName, multiplier: parallel, maxPaths: MOST_PATHS },
    family,
    dial: (pair, path) => {
      const name = label === undefined ? path.label! : `${label} ${path.label!}`
      return dial(place, { ...pair, label: name }, nameOf(pair.target))
    },
  })
}

function fromEverywhere(places: readonly PathPlace[], rules: InterfaceRules, dial: Dial): PathSource {
  const bound = places.find(({ source, interfaceName }) => (source ?? interfaceName) !== undefined)
  if (bound !== undefined)
    throw usage(`--all-interfaces chooses the source address, so --to ${labelOf(bound)} must not name one`)
  return interfacePaths({
    targets: places.map(({ host, port }) => ({ host, port })),
    maxPaths: MOST_PATHS,
    ...(rules !== EVERY_INTERFACE && { interfaces: (local) => takes(rules, local) }),
    includeVirtual: rules.includes.length > 0,
    dial: (pair, path) => {
      const place = placeOf(places, pair)
      const policy = { ...place.policy, ...policyOf(rules, pair.interfaceName) }
      // Caps of a day or a month are those of each interface.
      const { interfaceName } = pair
      const own = { ...place, policy, ...(interfaceName !== undefined && { interfaceName }) }
      return dial(own, { ...pair, label: path.label! }, nameOf(pair.target))
    },
  })
}
