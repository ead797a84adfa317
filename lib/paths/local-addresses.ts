// SPDX-License-Identifier: Apache-2.0
/** Addresses of this machine that a path can start from, or be listened on. */
import type { NetworkInterfaceInfo } from 'node:os'
import { networkInterfaces } from 'node:os'
import { OptionError } from '../errors.js'
import { checkBoolean, refuseUnknown } from '../options.js'
import type { Matcher } from './matcher.js'
import { globTest, matcherOf, networkTest } from './matcher.js'

/** Address families: 0 is both. */
export type Family = 0 | 4 | 6

/** An address of this machine. */
export interface LocalAddress {
  /** Name of its interface, such as `eth0`. */
  readonly interfaceName: string
  /** The address as text. */
  readonly address: string
  /** Its family. */
  readonly family: 4 | 6
  /** Whether it belongs to the loopback interface. */
  readonly isLoopback: boolean
  /** Whether the name of its interface is that of a bridge, a container, a virtual machine or a tunnel. */
  readonly isVirtual: boolean
  /** Its network, such as `192.168.1.20/24`; `undefined` if the system does not report it. */
  readonly network: string | undefined
}

/** Which local addresses are used. */
export interface LocalAddressFilter {
  /**
   * Names of interfaces, with `*` and `?`, regular expressions, or a function. Default: interfaces that are not
   * virtual.
   */
  readonly interfaces?: Matcher<LocalAddress> | undefined
  /** Addresses, networks such as `192.168.0.0/16`, regular expressions, or a function. */
  readonly addresses?: Matcher<LocalAddress> | undefined
  /** 4 or 6 for one address family. Default: 0, both families. */
  readonly family?: Family | undefined
  /**
   * Whether bridges, containers, virtual machines and tunnels are included (docs/paths.md). Default: only if
   * `interfaces` selects them.
   */
  readonly includeVirtual?: boolean | undefined
}

export const FILTER_NAMES: readonly (keyof LocalAddressFilter)[] = [
  'interfaces',
  'addresses',
  'family',
  'includeVirtual',
]

/**
 * Interfaces whose packets leave by another interface, or never leave the machine. `br-lan` of a router is a real one,
 * so of the bridges `br-…` only those of Docker count, which have twelve digits.
 */
const VIRTUAL_INTERFACES: readonly string[] = [
  ...['docker*', 'br-????????????', 'veth*', 'cni*', 'flannel*', 'cali*', 'cilium*', 'weave*', 'kube-*'],
  ...['podman*', 'lxc*', 'lxdbr*', 'incusbr*', 'virbr*', 'vnet*', 'vmnet*', 'vboxnet*', 'vEthernet*'],
  ...['bridge1??', 'dummy*', 'ifb*'],
  ...['tun*', 'tap*', 'utun*', 'wg*', 'tailscale*', 'zt*', 'nordlynx*', 'proton*', 'ipsec*'],
  ...['gre*', 'sit*', 'ip6tnl*', 'ip6gre*', 'vti*', 'ip_vti*', 'Teredo*', 'isatap*'],
]
const isVirtualName = matcherOf('interfaces', VIRTUAL_INTERFACES, (name: string) => name, globTest)

/**
 * The addresses of this machine that paths can use: those of interfaces that are up, loopback included. Link-local
 * addresses are left out: without the name of an interface, they reach no other machine.
 *
 * @throws {OptionError} for an invalid filter
 */
export function localAddresses(filter: LocalAddressFilter = {}): LocalAddress[] {
  refuseUnknown(filter, FILTER_NAMES)
  const { select, useVirtual } = selectorOf(filter)
  return select(networkInterfaces()).filter(
    (local) => (useVirtual || !local.isVirtual) && !isLinkLocal(local.address),
  )
}

export type Interfaces = NodeJS.Dict<NetworkInterfaceInfo[]>

export interface Selector {
  /** Those the filter lets through. Virtual and link-local ones are among them: some targets need them. */
  readonly select: (interfaces: Interfaces) => LocalAddress[]
  /** Of those, the ones worth a path of their own. */
  readonly forPaths: (interfaces: Interfaces) => LocalAddress[]
  /** Whether virtual ones are as good as the others. */
  readonly useVirtual: boolean
}

/** @throws {OptionError} for an invalid filter */
export function selectorOf({
  interfaces,
  addresses,
  family = 0,
  includeVirtual,
}: LocalAddressFilter): Selector {
  if (![0, 4, 6].includes(family)) throw new OptionError(`family must be 0, 4 or 6, got ${String(family)}`)
  const useVirtual = checkBoolean('includeVirtual', includeVirtual) ?? interfaces !== undefined
  const isWanted = all<LocalAddress>([
    (local) => family === 0 || local.family === family,
    interfaces === undefined
      ? undefined
      : matcherOf('interfaces', interfaces, ({ interfaceName }) => interfaceName, globTest),
    addresses === undefined
      ? undefined
      : matcherOf('addresses', addresses, ({ address }) => address, networkTest),
  ])
  const select = (there: Interfaces): LocalAddress[] => once(listed(there).filter(isWanted))
  const forPaths = (there: Interfaces): LocalAddress[] => oneOfEachIpv6Network(select(there))
  return { select, forPaths: addresses === undefined ? forPaths : select, useVirtual }
}

function all<Value>(tests: readonly (((value: Value) => boolean) | undefined)[]): (value: Value) => boolean {
  return (value) => tests.every((test) => test === undefined || test(value))
}

function listed(interfaces: Interfaces): LocalAddress[] {
  return Object.entries(interfaces).flatMap(([interfaceName, addresses = []]) =>
    addresses.map(({ address, family, internal, cidr }) => ({
      interfaceName,
      address,
      family: family === 'IPv6' ? 6 : 4,
      isLoopback: internal,
      isVirtual: isVirtualName(interfaceName),
      network: cidr ?? undefined,
    })),
  )
}

/** Link-local addresses may be the same on any number of interfaces. */
function once(locals: readonly LocalAddress[]): LocalAddress[] {
  const first = new Map<string, LocalAddress>()
  for (const local of locals) {
    const key = isLinkLocal(local.address) ? `${local.address}%${local.interfaceName}` : local.address
    if (!first.has(key)) first.set(key, local)
  }
  return [...first.values()]
}

/**
 * An interface with IPv6 has an address that stays and up to eight temporary ones (RFC 8981), all of them on the
 * same uplink: one is enough. The system lists the newest first, which will be valid for longest.
 */
function oneOfEachIpv6Network(locals: readonly LocalAddress[]): LocalAddress[] {
  const kept: LocalAddress[] = []
  for (const local of locals) {
    const isMore = kept.some(
      (other) =>
        other.interfaceName === local.interfaceName && local.family === 6 && isNear(other, local.address),
    )
    if (!isMore) kept.push(local)
  }
  return kept
}

/** Whether `address` is in the network of `local`. */
export function isNear({ network }: LocalAddress, address: string): boolean {
  return network !== undefined && networkTest(network)(address)
}

/** 169.254.0.0/16 and fe80::/10. */
export function isLinkLocal(address: string): boolean {
  return /^169\.254\.|^fe[89ab][0-9a-f]:/i.test(address)
}

/** 127.0.0.0/8 and ::1. */
export function isLoopback(address: string): boolean {
  return /^127\./.test(address) || address === '::1'
}

/** fc00::/7: addresses that only one's own networks know. */
export function isUniqueLocal(address: string): boolean {
  return /^f[cd][0-9a-f]{2}:/i.test(address)
}
