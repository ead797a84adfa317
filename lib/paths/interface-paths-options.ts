// SPDX-License-Identifier: Apache-2.0
/** Options of `interfacePaths`, checked as a whole. */
import { lookup as systemLookup } from 'node:dns/promises'
import type { Clock } from '../clock.js'
import { systemClock } from '../clock.js'
import { OptionError } from '../errors.js'
import type { OptionTable, Resolved } from '../options.js'
import { checkClock, refuseUnknown, requireObject, resolveOptions } from '../options.js'
import { tcpDialer } from '../transport/tcp.js'
import type { PathOptions, SubflowDialer } from '../transport/transport.js'
import type { AddressPair, Pairing } from './address-pairs.js'
import type { LocalAddressFilter, Selector } from './local-addresses.js'
import { FILTER_NAMES, selectorOf } from './local-addresses.js'
import type { Lookup, Target } from './target-addresses.js'

interface InterfacePathsNumbers {
  /** Paths for each pair of addresses. Default: 1; 1 to 64. */
  readonly multiplier?: number | undefined
  /** Largest number of paths at the same time. Further pairs are left out. Default: 64; 1 to 1,024. */
  readonly maxPaths?: number | undefined
  /** Interval between checks of the interfaces of this machine, milliseconds. Default: 2,000; 100 to 3,600,000. */
  readonly pollMs?: number | undefined
  /** Interval between lookups of names, milliseconds, if the answers do not contain a TTL. Default: 10,000; 1,000 or more. */
  readonly resolveMs?: number | undefined
}

/** Options of `interfacePaths`: the peer, which local addresses are used, and how paths follow changes. */
export interface InterfacePathsOptions extends InterfacePathsNumbers, Omit<LocalAddressFilter, 'interfaces'> {
  /** Name or address of the peer. Each of its addresses is used. */
  readonly host?: string | undefined
  /** Port of the peer. */
  readonly port?: number | undefined
  /** Several addresses of the same peer, instead of `host` and `port`. */
  readonly targets?: readonly Target[] | undefined
  /**
   * As in `localAddresses`. With `false`, the system chooses the interface, and each address of the peer is one
   * path.
   */
  readonly interfaces?: LocalAddressFilter['interfaces'] | false
  /**
   * Which of the possible paths are used. With `links`, each local address and each address of the peer is used, and
   * none more often than necessary: two interfaces and two addresses are two paths. A pair within one network goes
   * first. With `all`, every local address is combined with every address of the peer. Default: `links`.
   */
  readonly pairing?: Pairing | undefined
  /** Returns label, tracker, tier, weight and caps of a path. */
  readonly pathOptions?: ((pair: AddressPair) => PathOptions) | undefined
  /** Creates the dialer of a path. `path` has the result of `pathOptions`, and a label. Default: a TCP dialer. */
  readonly dial?: ((pair: AddressPair, path: PathOptions) => SubflowDialer) | undefined
  /** Finds the addresses of a name. Default: `lookup` of `node:dns/promises`, which returns no TTL. */
  readonly lookup?: Lookup | undefined
  /** Source of time, for tests. */
  readonly clock?: Clock | undefined
}

/**
 * An interface that comes or goes is noticed within two seconds at the cost of 0.1 ms each; a name is looked up as
 * often as TTLs at their shortest ask for.
 */
export const INTERFACE_PATHS_TABLE: OptionTable<InterfacePathsNumbers> = {
  multiplier: { default: 1, min: 1, max: 64 },
  maxPaths: { default: 64, min: 1, max: 1024 },
  pollMs: { default: 2000, min: 100, max: 3_600_000 },
  resolveMs: { default: 10_000, min: 1000, max: Infinity },
}

export interface Settings extends Resolved<InterfacePathsNumbers> {
  readonly targets: readonly Target[]
  readonly family: NonNullable<LocalAddressFilter['family']>
  /** `undefined`: the system chooses. */
  readonly selector: Selector | undefined
  readonly pairing: Pairing
  readonly makeDialer: (pair: AddressPair) => SubflowDialer
  readonly lookup: Lookup
  readonly clock: Clock
}

const OTHERS = ['host', 'port', 'targets', 'pairing', 'pathOptions', 'dial', 'lookup', 'clock']

/** @throws {OptionError} */
export function resolveInterfacePathsOptions(options: InterfacePathsOptions): Settings {
  requireObject(options)
  refuseUnknown(options, INTERFACE_PATHS_TABLE, FILTER_NAMES, OTHERS)
  const { interfaces, addresses, family, includeVirtual, pathOptions, dial, lookup } = options
  checkFunctions({ pathOptions, dial, lookup })
  // Checked even where they are not used.
  const selector = selectorOf({
    ...{ addresses, family, includeVirtual },
    interfaces: interfaces === false ? undefined : interfaces,
  })
  const dialPair = dial ?? dialOverTcp
  return {
    ...resolveOptions(INTERFACE_PATHS_TABLE, numbersOf(options)),
    targets: targetsOf(options),
    family: family ?? 0,
    pairing: checkPairing(options.pairing),
    selector: interfaces === false ? undefined : selector,
    makeDialer: (pair) => dialPair(pair, { label: pair.label, ...pathOptions?.(pair) }),
    lookup: lookup ?? systemLookup,
    clock: checkClock(options.clock) ?? systemClock,
  }
}

function dialOverTcp({ host, port, localAddress }: AddressPair, path: PathOptions): SubflowDialer {
  return tcpDialer({ ...path, host, port, ...(localAddress !== undefined && { localAddress }) })
}

function numbersOf({
  multiplier,
  maxPaths,
  pollMs,
  resolveMs,
}: InterfacePathsOptions): InterfacePathsNumbers {
  return { multiplier, maxPaths, pollMs, resolveMs }
}

function checkPairing(pairing: unknown = 'links'): Pairing {
  if (pairing === 'links' || pairing === 'all') return pairing
  throw new OptionError(`pairing must be links or all, got ${String(pairing)}`)
}

function checkFunctions(values: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(values))
    if (value !== undefined && typeof value !== 'function')
      throw new OptionError(`${name} must be a function, got ${typeof value}`)
}

function targetsOf({ host, port, targets }: InterfacePathsOptions): readonly Target[] {
  if (targets === undefined) return [checkTarget({ host, port }, '')]
  if (host !== undefined || port !== undefined)
    throw new OptionError('targets cannot be combined with host and port')
  if (!Array.isArray(targets) || targets.length === 0)
    throw new OptionError('targets must be an array of at least one { host, port }')
  return targets.map((target, index) =>
    checkTarget(target as Partial<Target> | undefined, `targets[${index}].`),
  )
}

function checkTarget(target: Partial<Record<keyof Target, unknown>> | undefined, where: string): Target {
  const { host, port } = target ?? {}
  if (typeof host !== 'string' || host === '')
    throw new OptionError(`${where}host must be a name or an address, got ${String(host)}`)
  if (!Number.isInteger(port) || (port as number) < 1 || (port as number) > 65_535)
    throw new OptionError(`${where}port must be an integer from 1 to 65535, got ${String(port)}`)
  return { host, port: port as number }
}
