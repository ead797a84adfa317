// SPDX-License-Identifier: Apache-2.0
/** The paths that a command examines before it dials them: pairs of a local address and a target. */
import { isIP } from 'node:net'
import type { AddressPair, Family } from '../index.js'
import { findAddressPairs } from '../index.js'
import { CliError } from './cli-error.js'
import type { PathPlace } from './streams/path-place.js'
import { isFree, labelOf, placeOf } from './streams/path-place.js'

/** As an option of `findAddressPairs`: whatever there is, up to its own limit. */
const MOST_PATHS = 1024

export type PathPair = Pick<AddressPair, 'label' | 'host' | 'port' | 'localAddress'>

export interface PlannedPath extends PathPair {
  /** What it was asked for with. */
  readonly place: PathPlace
  /** The name or address in `place`. */
  readonly target: string
}

export interface PlanInit {
  /** Those that name no source start from every local address. */
  readonly targets: readonly PathPlace[]
  readonly family: Family
  /** Local addresses to start from; `undefined`: every usable one. */
  readonly addresses?: readonly string[] | undefined
  /** Whether every local address is a path of its own. Default: true. */
  readonly isAutoBound?: boolean
}

/**
 * Paths to each target from each local address that can reach it.
 *
 * @param report - told of each name that was left out, while others are left
 * @throws {CliError} when there is no path
 */
export async function planPaths(init: PlanInit, report: (line: string) => void): Promise<PlannedPath[]> {
  const { family, addresses } = init
  const targets = once(init.targets, labelOf)
  const free = targets.filter(isFree)
  const bound = targets.filter((place) => !isFree(place))
  const found = await Promise.all([
    ...(free.length === 0 ? [] : [freePaths(free, init)]),
    ...bound.map((place) => boundPaths(place, family)),
  ])
  const paths = found.flatMap((one) => one.paths)
  const failures = found.flatMap((one) => one.failures)
  if (paths.length > 0)
    for (const failure of failures) report(`multipath: one target is left out: ${failure}`)
  else if (failures.length > 0)
    throw new CliError(`no target has a usable address: ${failures.join('; ')}`, {
      hint: family === 0 ? 'check the name' : `-${family} allows only IPv${family}`,
    })
  else
    throw new CliError('no local address can reach any target', {
      hint:
        addresses === undefined && bound.length === 0
          ? 'check that a network interface is up'
          : 'the address must have the same family as the target',
    })
  return once(paths, ({ label }) => label)
}

interface Found {
  readonly paths: PlannedPath[]
  readonly failures: string[]
}

async function freePaths(
  places: readonly PathPlace[],
  { family, addresses, isAutoBound = true }: Omit<PlanInit, 'targets'>,
): Promise<Found> {
  const { pairs, failures } = await findAddressPairs({
    ...{ targets: places.map(({ host, port }) => ({ host, port })), family, maxPaths: MOST_PATHS },
    ...((addresses !== undefined || !isAutoBound) && { interfaces: false }),
  })
  const all = addresses === undefined ? pairs : addresses.flatMap((from) => starting(from, pairs))
  return {
    paths: all.flatMap((pair) => copies(pair, placeOf(places, pair))),
    failures: failures.map(messageOf),
  }
}

async function boundPaths(place: PathPlace, family: Family): Promise<Found> {
  const { host, port, source, interfaceName, via } = place
  // The proxy looks the name up.
  if (via !== undefined) {
    const pair = { host, port, localAddress: source, target: host, label: labelOf(place) }
    return { paths: copies(pair, place), failures: [] }
  }
  const { pairs, failures } = await findAddressPairs({
    ...{ targets: [{ host, port }], family, maxPaths: MOST_PATHS },
    interfaces: interfaceName ?? false,
  })
  const all = source === undefined ? pairs : starting(source, pairs)
  return { paths: all.flatMap((pair) => copies(pair, place)), failures: failures.map(messageOf) }
}

/** As many as are wanted of one, each with a label of its own. */
function copies(
  { label, host, port, localAddress, target }: Omit<PlannedPath, 'place'>,
  place: PathPlace,
): PlannedPath[] {
  const { parallel = 1 } = place
  const name = place.label === undefined || place.label === label ? label : `${place.label} ${label}`
  return Array.from({ length: parallel }, (_, n) => ({
    ...{ host, port, localAddress, place, target },
    label: parallel === 1 ? name : `${name}#${n + 1}`,
  }))
}

function messageOf({ message }: Error): string {
  return message
}

function once<Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[] {
  return [...new Map(items.map((item) => [keyOf(item), item])).values()]
}

/** Whether there is such an address is for the examination to find out. */
function starting(localAddress: string, pairs: readonly AddressPair[]): AddressPair[] {
  return pairs
    .filter(({ family }) => family === isIP(localAddress))
    .map((pair) => ({ ...pair, localAddress, label: `${localAddress}|${pair.label}` }))
}
