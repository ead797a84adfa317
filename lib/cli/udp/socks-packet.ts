// SPDX-License-Identifier: Apache-2.0
/** Packets of SOCKS5 UDP ASSOCIATE (RFC 1928, section 7): each behind the place that it goes to, or has come from. */
import type { Address } from '../streams/host.js'
import { parseAddress } from '../streams/host.js'
import { addressBytes } from '../run/address-bytes.js'
import type { HostPort } from '../parse.js'

export const IPV4 = 1
const NAME = 3
const IPV6 = 4
/** Bytes before the host, of a packet as of a request and its reply; the last of them is the type of the address. */
export const HEAD_BYTES = 4

export interface SocksPacket {
  /** As the program wrote it: a name or an address. */
  readonly host: string
  readonly port: number
  readonly payload: Buffer
}

/** `undefined` for what is no packet, or a fragment of one: fragments are not put together. */
export function decodeSocksPacket(bytes: Buffer): SocksPacket | undefined {
  if (bytes.length <= HEAD_BYTES || bytes[2] !== 0) return undefined
  const hostBytes = hostBytesOf(bytes)
  const end = HEAD_BYTES + (hostBytes ?? Infinity)
  if (bytes.length < end + 2) return undefined
  return {
    host: hostAt(bytes[3]!, bytes.subarray(HEAD_BYTES, end)),
    port: bytes.readUInt16BE(end),
    payload: bytes.subarray(end + 2),
  }
}

/** What stands in front of packets that come from `place`, an address or a name. */
export function encodeSocksHead({ host, port }: HostPort): Buffer {
  const address: Address | undefined = parseAddress(host)
  const type = address === undefined ? NAME : address.family === 4 ? IPV4 : IPV6
  const name = Buffer.from(host, 'latin1')
  const where = address === undefined ? [name.length, ...name] : addressBytes(host)!
  return Buffer.from([0, 0, 0, type, ...where, port >> 8, port & 0xff])
}

/** Bytes of the host, the length of a name included; `undefined` for an unknown type. `bytes`: more than {@link HEAD_BYTES}. */
export function hostBytesOf(bytes: Buffer): number | undefined {
  switch (bytes[3]) {
    case IPV4:
      return 4
    case IPV6:
      return 16
    case NAME:
      return 1 + bytes[HEAD_BYTES]!
    default:
      return undefined
  }
}

export function hostAt(type: number, bytes: Buffer): string {
  if (type === NAME) return bytes.toString('latin1', 1)
  if (type === IPV4) return bytes.join('.')
  return Array.from({ length: 8 }, (_, n) => bytes.readUInt16BE(2 * n).toString(16)).join(':')
}
