// SPDX-License-Identifier: Apache-2.0
/**
 * The header of the PROXY protocol, versions 1 and 2: who really is at the other end of a stream that a balancer
 * brings. A pure parser. Source: haproxy.org/download/2.6/doc/proxy-protocol.txt, sections 2.1 and 2.2.
 */
import { isIPv4, isIPv6, SocketAddress } from 'node:net'
import { RemoteProtocolError } from '../errors.js'

/** Both ends of the client's own connection, as the balancer saw them. */
export interface ProxiedAddresses {
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
}

/** What a header says. */
export interface ProxyHeader {
  /** The balancer speaks for itself: a health check. Version 2 alone can say so. */
  readonly isLocal: boolean
  /** `undefined` where it names none that a TCP connection has: then those of the stream hold. */
  readonly addresses: ProxiedAddresses | undefined
}

/** The longest line of version 1, CR LF included (section 2.1). */
const V1_MAX_BYTES = 107
/** A header of version 2 fits into the smallest segment that every host takes (section 2.2); so we read no more. */
const V2_MAX_BYTES = 536

const V1_START = Buffer.from('PROXY ')
const V2_START = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')
/** Signature, version and command, family, length. */
const V2_FIXED_BYTES = 16

const TCP_OVER_IPV4 = 0x11
const TCP_OVER_IPV6 = 0x21

/**
 * The header at the beginning of `bytes`.
 *
 * @returns it and its length, or `undefined` while bytes are missing
 * @throws {RemoteProtocolError} ERR_MULTIPATH_HANDSHAKE as soon as it cannot be one
 */
export function decodeProxyHeader(bytes: Uint8Array): { value: ProxyHeader; length: number } | undefined {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (beginsAs(all, V2_START)) return all.length < V2_FIXED_BYTES ? undefined : decodeV2(all)
  if (beginsAs(all, V1_START)) return decodeV1(all)
  throw broken('no PROXY header at the beginning of a stream of a trusted proxy')
}

/** Whether `bytes`, as far as they go, are those of `start`. */
function beginsAs(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length)
  return bytes.subarray(0, length).equals(start.subarray(0, length))
}

function decodeV1(bytes: Buffer): { value: ProxyHeader; length: number } | undefined {
  const end = bytes.subarray(0, V1_MAX_BYTES).indexOf('\r\n')
  if (end < 0) {
    if (bytes.length >= V1_MAX_BYTES) throw broken(`a PROXY header of more than ${V1_MAX_BYTES} bytes`)
    return undefined
  }
  const [, protocol, ...fields] = bytes.toString('latin1', 0, end).split(' ')
  // What follows UNKNOWN has to be ignored.
  const addresses = protocol === 'UNKNOWN' ? undefined : addressesV1(protocol, fields)
  return { value: { isLocal: false, addresses }, length: end + 2 }
}

function addressesV1(protocol: string | undefined, fields: readonly string[]): ProxiedAddresses {
  const isAddress = protocol === 'TCP4' ? isIPv4 : protocol === 'TCP6' ? isPlainIPv6 : () => false
  const [from = '', to = '', fromPort = '', toPort = ''] = fields
  if (fields.length !== 4 || ![from, to].every(isAddress) || ![fromPort, toPort].every(isPort))
    throw broken('a PROXY header of version 1 that names no TCP connection')
  return {
    remoteAddress: asNodeWrites(from),
    remotePort: Number(fromPort),
    localAddress: asNodeWrites(to),
    localPort: Number(toPort),
  }
}

/** A zone names an interface of the balancer, and would be a key of its own for each spelling. */
function isPlainIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%')
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535
}

function decodeV2(bytes: Buffer): { value: ProxyHeader; length: number } | undefined {
  const command = bytes[12]!
  if (command !== 0x20 && command !== 0x21)
    throw broken(`a PROXY header of version ${command >> 4}, command ${command & 15}`)
  const length = V2_FIXED_BYTES + bytes.readUInt16BE(14)
  if (length > V2_MAX_BYTES) throw broken(`a PROXY header of ${length} bytes, more than ${V2_MAX_BYTES}`)
  if (bytes.length < length) return undefined
  const isLocal = command === 0x20
  const addresses = isLocal ? undefined : addressesV2(bytes[13]!, bytes.subarray(V2_FIXED_BYTES, length))
  return { value: { isLocal, addresses }, length }
}

/** Behind the addresses may be TLVs, which say nothing that we need. */
function addressesV2(family: number, body: Buffer): ProxiedAddresses | undefined {
  if (family !== TCP_OVER_IPV4 && family !== TCP_OVER_IPV6) return undefined
  const size = family === TCP_OVER_IPV4 ? 4 : 16
  if (body.length < 2 * size + 4)
    throw broken('a PROXY header of version 2 that is too short for its addresses')
  return {
    remoteAddress: addressText(body.subarray(0, size)),
    remotePort: body.readUInt16BE(2 * size),
    localAddress: addressText(body.subarray(size, 2 * size)),
    localPort: body.readUInt16BE(2 * size + 2),
  }
}

function addressText(bytes: Buffer): string {
  return bytes.length === 4 ? bytes.join('.') : asNodeWrites(bytes.toString('hex').match(/.{4}/g)!.join(':'))
}

/** One client has one name, however the balancer spells it. */
function asNodeWrites(address: string): string {
  return isIPv6(address) ? new SocketAddress({ address, family: 'ipv6' }).address : address
}

function broken(what: string): RemoteProtocolError {
  return new RemoteProtocolError(what, 'ERR_MULTIPATH_HANDSHAKE')
}
