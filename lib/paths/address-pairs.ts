// SPDX-License-Identifier: Apache-2.0
/** Which paths there are: pairs of a local address and an address of the peer. */
import type { LocalAddress } from './local-addresses.js'
import type { Candidate } from './paired.js'
import { paired } from './paired.js'
import { isLinkLocal, isLoopback, isNear, isUniqueLocal } from './local-addresses.js'

/** An address of the peer. */
export interface TargetAddress {
  readonly address: string
  readonly family: 4 | 6
  readonly port: number
  /** The requested target: a name, or the address itself. */
  readonly target: string
}

/** A possible path. `host`, `port`, `family` and `localAddress` are options of `net.connect`. */
export interface AddressPair {
  /** An address of the peer. */
  readonly host: string
  /** Port of the peer. */
  readonly port: number
  /** Address family of both addresses. */
  readonly family: 4 | 6
  /** `undefined`: the system chooses. */
  readonly localAddress: string | undefined
  /** The interface that has the local address; `undefined` where the system chooses. */
  readonly interfaceName: string | undefined
  /** The requested target: a name or an address. */
  readonly target: string
  /** `192.168.1.20|203.0.113.1:7000`, with `#2` behind it for the second of its kind. */
  readonly label: string
}

export interface PairingInit {
  readonly targets: readonly TargetAddress[]
  /** `undefined`: the system chooses. */
  readonly locals: readonly LocalAddress[] | undefined
  readonly useVirtual: boolean
  /** Paths for each pair. */
  readonly multiplier: number
  /** Every address to every other, or each link once. */
  readonly pairing?: Pairing | undefined
}

/** Which of the possible paths are used. */
export type Pairing = 'links' | 'all'

type Source = Pick<AddressPair, 'localAddress' | 'interfaceName'>

const ANY_SOURCE: Source = { localAddress: undefined, interfaceName: undefined }

/**
 * Each link once, or every target from everywhere that can reach it; one that is asked for twice has twice the paths. In an order that
 * lets a limit hit copies first, and the last addresses of the peer next.
 */
export function addressPairs({ pairing = 'links', ...init }: PairingInit): AddressPair[] {
  const { multiplier } = init
  const candidates = candidatesOf(init)
  const chosen = pairing === 'all' ? candidates : paired(candidates)
  const all = chosen.map(({ pair, times }) => ({ pair, copies: times * multiplier }))
  const most = Math.max(0, ...all.map(({ copies }) => copies))
  return Array.from({ length: most }, (_, index) =>
    all
      .filter(({ copies }) => index < copies)
      .map(({ pair, copies }) => (copies === 1 ? pair : { ...pair, label: `${pair.label}#${index + 1}` })),
  ).flat()
}

interface Wanted extends Candidate {
  readonly pair: AddressPair
  /** How often it was asked for. */
  times: number
}

function candidatesOf({ targets, locals, useVirtual }: Omit<PairingInit, 'pairing'>): Wanted[] {
  const found = new Map<string, Wanted>()
  for (const target of targets)
    for (const source of sourcesFor(target, locals, useVirtual)) {
      const pair = pairOf(target, source)
      const known = found.get(pair.label)
      const local = locals?.find(({ address }) => address === source.localAddress)
      const isHere = local !== undefined && isNear(local, target.address)
      if (known === undefined) found.set(pair.label, { pair, isNear: isHere, times: 1 })
      else known.times++
    }
  return [...found.values()]
}

function pairOf({ address, family, port, target }: TargetAddress, source: Source): AddressPair {
  const remote = formatPlace(address, port)
  const label = source.localAddress === undefined ? remote : `${source.localAddress}|${remote}`
  return { host: address, port, family, ...source, target, label }
}

/** `host:port`, with an IPv6 address in brackets. */
export function formatPlace(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

function sourcesFor(
  target: TargetAddress,
  locals: readonly LocalAddress[] | undefined,
  useVirtual: boolean,
): Source[] {
  if (locals === undefined) return [ANY_SOURCE]
  if (isLinkLocal(target.address)) return linkLocalSources(target.address, locals)
  const fit = locals.filter(
    (local) =>
      !isLinkLocal(local.address) &&
      local.family === target.family &&
      local.isLoopback === isLoopback(target.address) &&
      (useVirtual || !local.isVirtual || isNear(local, target.address)),
  )
  return fit
    .filter((local) => canReach(local, target.address, fit))
    .map(({ address, interfaceName }) => ({ localAddress: address, interfaceName }))
}

/** The zone of a link-local target names its interface: the system finds the address there, if there is one. */
function linkLocalSources(address: string, locals: readonly LocalAddress[]): Source[] {
  const zone = /%(.+)$/.exec(address)?.[1]
  // The number of an interface, as Windows has it, or no zone at all: only the system knows which one is meant.
  if (zone === undefined || /^\d+$/.test(zone)) return [ANY_SOURCE]
  const isThere = locals.some(
    (local) => local.family === 6 && local.interfaceName === zone && isLinkLocal(local.address),
  )
  return isThere ? [{ localAddress: undefined, interfaceName: zone }] : []
}

/**
 * Routers drop what comes from a unique local address for the internet, except where they translate it; an interface
 * that has a better address has no use for it (RFC 6724, section 5, rule 6).
 */
function canReach(local: LocalAddress, address: string, others: readonly LocalAddress[]): boolean {
  if (!isUniqueLocal(local.address) || isUniqueLocal(address)) return true
  return !others.some((other) => other.interfaceName === local.interfaceName && !isUniqueLocal(other.address))
}
