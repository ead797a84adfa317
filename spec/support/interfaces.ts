// SPDX-License-Identifier: Apache-2.0
/** What os.networkInterfaces() gives on machines that specs think up. */
import type { NetworkInterfaceInfo } from 'node:os'

/** @param cidr - as `192.0.2.2/24`; without a length, a network of the usual one */
function interfaceInfo(cidr: string): NetworkInterfaceInfo {
  const [address = '', bits] = cidr.split('/')
  const isIpv6 = address.includes(':')
  const network = `${address}/${bits ?? (isIpv6 ? 64 : 24)}`
  const internal = address === '::1' || address.startsWith('127.')
  const common = { address, netmask: '', mac: '', internal, cidr: network }
  return isIpv6 ? { ...common, family: 'IPv6', scopeid: 0 } : { ...common, family: 'IPv4' }
}

export function machine(
  interfaces: Readonly<Record<string, readonly string[]>>,
): Record<string, NetworkInterfaceInfo[]> {
  return Object.fromEntries(
    Object.entries(interfaces).map(([name, addresses]) => [name, addresses.map(interfaceInfo)]),
  )
}
