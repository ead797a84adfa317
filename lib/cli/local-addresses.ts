/** Addresses of this machine that a path can start from or be listened on. */
import type { NetworkInterfaceInfo } from 'node:os'
import type { Family } from './nc-options.js'

export interface LocalAddress {
  readonly address: string
  readonly family: 4 | 6
  readonly isLoopback: boolean
}

/**
 * The addresses of `interfaces` (as from os.networkInterfaces), loopback included. Link-local ones are left
 * out: without naming an interface they reach nobody.
 */
export function usableAddresses(
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>,
  family: Family,
): LocalAddress[] {
  const all = Object.values(interfaces).flatMap((addresses) => addresses ?? [])
  const usable = all
    .map(({ address, family: name, internal }) => ({
      address,
      family: name === 'IPv6' ? (6 as const) : (4 as const),
      isLoopback: internal,
    }))
    .filter((local) => (family === 0 || local.family === family) && !isLinkLocal(local.address))
  return [...new Map(usable.map((local) => [local.address, local])).values()]
}

/** 169.254.0.0/16 and fe80::/10. */
export function isLinkLocal(address: string): boolean {
  return /^169\.254\.|^fe[89ab][0-9a-f]:/i.test(address)
}

/** 127.0.0.0/8 and ::1. */
export function isLoopback(address: string): boolean {
  return /^127\./.test(address) || address === '::1'
}
