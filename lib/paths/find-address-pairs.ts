// SPDX-License-Identifier: Apache-2.0
/** The paths that there are now, without watching for those to come. */
import { networkInterfaces } from 'node:os'
import { toError } from '../errors.js'
import type { AddressPair } from './address-pairs.js'
import { addressPairs } from './address-pairs.js'
import type { InterfacePathsOptions } from './interface-paths-options.js'
import { resolveInterfacePathsOptions } from './interface-paths-options.js'
import { TargetAddresses } from './target-addresses.js'

/** Result of `findAddressPairs`. */
export interface FoundPairs {
  /** In order of preference, at most `maxPaths`. */
  readonly pairs: readonly AddressPair[]
  /** An error for each name without an address (ERR_MULTIPATH_NO_PATH). */
  readonly failures: readonly Error[]
}

/**
 * Finds the pairs of addresses with which {@link interfacePaths} would begin, given the same options.
 *
 * @throws {OptionError}, and the errors of functions among the options
 */
export async function findAddressPairs(options: InterfacePathsOptions): Promise<FoundPairs> {
  const { targets, family, maxPaths, lookup, selector, multiplier, pairing } =
    resolveInterfacePathsOptions(options)
  const all = targets.map((target) => new TargetAddresses(target, family, maxPaths))
  const results = await Promise.allSettled(all.map((target) => target.lookUp(lookup)))
  const pairs = addressPairs({
    targets: all.flatMap(({ addresses }) => addresses),
    locals: selector?.forPaths(networkInterfaces()),
    useVirtual: selector?.useVirtual ?? true,
    multiplier,
    pairing,
  })
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [toError(result.reason)] : []))
  return { pairs: pairs.slice(0, maxPaths), failures }
}
