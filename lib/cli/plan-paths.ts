// SPDX-License-Identifier: Apache-2.0
/** The paths that a command examines before it dials them: pairs of a local address and a target. */
import { isIP } from 'node:net'
import type { AddressPair, Family } from '../index.js'
import { findAddressPairs } from '../index.js'
import { CliError } from './cli-error.js'
import type { HostPort } from './parse.js'
import { formatHostPort } from './parse.js'

/** As an option of `findAddressPairs`: whatever there is, up to its own limit. */
const MOST_PATHS = 1024

export type PlannedPath = Pick<AddressPair, 'label' | 'host' | 'port' | 'localAddress'>

export interface PlanInit {
  readonly targets: readonly HostPort[]
  readonly family: Family
  /** Local addresses to start from; `undefined`: every usable one. */
  readonly addresses: readonly string[] | undefined
}

/**
 * Paths to each target from each local address that can reach it.
 *
 * @param report - told of each name that was left out, while others are left
 * @throws {CliError} when there is no path
 */
export async function planPaths(
  { targets, family, addresses }: PlanInit,
  report: (line: string) => void,
): Promise<PlannedPath[]> {
  const found = await findAddressPairs({
    ...{ targets: once(targets, formatHostPort), family, maxPaths: MOST_PATHS },
    ...(addresses !== undefined && { interfaces: false }),
  })
  const paths =
    addresses === undefined ? found.pairs : addresses.flatMap((from) => starting(from, found.pairs))
  const failures = found.failures.map(({ message }) => message)
  if (paths.length > 0)
    for (const failure of failures) report(`multipath: one target is left out: ${failure}`)
  else if (failures.length > 0)
    throw new CliError(`no target has a usable address: ${failures.join('; ')}`, {
      hint: family === 0 ? 'check the name' : `-${family} allows only IPv${family}`,
    })
  else
    throw new CliError('no local address can reach any target', {
      hint:
        addresses === undefined
          ? 'check that a network interface is up'
          : 'the address must have the same family as the target',
    })
  return once(paths, ({ label }) => label)
}

function once<Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[] {
  return [...new Map(items.map((item) => [keyOf(item), item])).values()]
}

/** Whether there is such an address is for the examination to find out. */
function starting(localAddress: string, pairs: readonly AddressPair[]): PlannedPath[] {
  return pairs
    .filter(({ family }) => family === isIP(localAddress))
    .map((pair) => ({ ...pair, localAddress, label: `${localAddress}|${pair.label}` }))
}
