// SPDX-License-Identifier: Apache-2.0
/** The paths that there are now, without watching for those to come. */
import { networkInterfaces } from 'node:os'
import { toError } from '../errors.js'
import type { AddressPair } from './address-pairs.js'
import { addressPairs } from './address-pairs.js'
import type { InterfacePathsOptions } from './interface-paths-options.js'
import { resolveInterfacePathsOptions } from './interface-paths-options.js'
import { TargetAddresses } from './target-addresses.js'

/** What `findAddressPairs` has found. */
export interface FoundPairs {
  /** In their order of preference, not more than `maxPaths`. */
  readonly pairs: readonly AddressPair[]
  /** Of each name that has no address (ERR_MULTIPATH_NO_PATH). */
  readonly failures: readonly Error[]
}

/**
 * The pairs of addresses that {@link interfacePaths} with the same options would begin with.
 *
 * @throws {OptionError}; what the functions among the options throw
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
