// SPDX-License-Identifier: Apache-2.0
/** PROXY headers as balancers write them. */
import { BlockList, isIPv4 } from 'node:net'
import type { ProxiedAddresses } from '../../lib/listen/proxy-header.js'

export const V2_SIGNATURE: Buffer = Buffer.from('\r\n\r\n\0\r\nQUIT\n')

export function v1(protocol: string, addresses: ProxiedAddresses): Buffer {
  const { remoteAddress, remotePort, localAddress, localPort } = addresses
  return Buffer.from(`PROXY ${protocol} ${remoteAddress} ${localAddress} ${remotePort} ${localPort}\r\n`)
}

export function v2(addresses: ProxiedAddresses, tlvs: Uint8Array = new Uint8Array(0)): Buffer {
  const { remoteAddress, remotePort, localAddress, localPort } = addresses
  const isV4 = isIPv4(remoteAddress)
  const ports = Buffer.alloc(4)
  ports.writeUInt16BE(remotePort, 0)
  ports.writeUInt16BE(localPort, 2)
  const body = Buffer.concat([bytesOf(remoteAddress), bytesOf(localAddress), ports, tlvs])
  const fixed = Buffer.of(0x21, isV4 ? 0x11 : 0x21, body.length >> 8, body.length & 255)
  return Buffer.concat([V2_SIGNATURE, fixed, body])
}

export function v2Local(): Buffer {
  return Buffer.concat([V2_SIGNATURE, Buffer.of(0x20, 0, 0, 0)])
}

export function blockList(address: string): BlockList {
  const list = new BlockList()
  list.addAddress(address)
  return list
}

/** Of IPv6, with `::` in it. */
function bytesOf(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number))
  const groups = (text: string): string[] => text.split(':').filter((group) => group !== '')
  const [head = [], tail = []] = address.split('::').map(groups)
  const zeros = Array<string>(8 - head.length - tail.length).fill('0')
  return Buffer.from([...head, ...zeros, ...tail].map((group) => group.padStart(4, '0')).join(''), 'hex')
}
