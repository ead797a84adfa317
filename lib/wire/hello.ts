// SPDX-License-Identifier: Apache-2.0
/** The 17 bytes that open every subflow, both ways: version, connection ID. Pure functions. */
import { RemoteProtocolError } from '../errors.js'
import { CID_BYTES, HELLO_BYTES, PROTOCOL_VERSION } from './limits.js'

/** Asks a listener for a new connection. */
export const ZERO_CID: Uint8Array = new Uint8Array(CID_BYTES)

/** The bytes to send. `cid` is copied. */
export function encodeHello(cid: Uint8Array): Uint8Array {
  if (cid.length !== CID_BYTES) throw new RangeError(`a CID has ${CID_BYTES} bytes, got ${cid.length}`)
  const bytes = new Uint8Array(HELLO_BYTES)
  bytes[0] = PROTOCOL_VERSION
  bytes.set(cid, 1)
  return bytes
}

/**
 * The CID in a hello.
 *
 * @param bytes - at least the first byte; the version is judged as soon as it is there
 * @returns a copy of the CID, or `undefined` while bytes are missing
 * @throws {RemoteProtocolError} ERR_MULTIPATH_UNEXPECTED_VERSION
 */
export function decodeHello(bytes: Uint8Array): Uint8Array | undefined {
  const version = bytes[0]
  if (version !== undefined && version !== PROTOCOL_VERSION)
    throw new RemoteProtocolError(`unexpected version ${version}`, 'ERR_MULTIPATH_UNEXPECTED_VERSION')
  // Not slice(): of a Buffer, that is a view.
  return bytes.length < HELLO_BYTES ? undefined : new Uint8Array(bytes.subarray(1, HELLO_BYTES))
}

/** Hex of a CID: the key of maps. A CID admits to a connection, so never log more than {@link cidName}. */
export function cidKey(cid: Uint8Array): string {
  let key = ''
  for (const byte of cid) key += byte.toString(16).padStart(2, '0')
  return key
}

/** A name for logs: too short to join with. */
export function cidName(cid: Uint8Array): string {
  return `${cidKey(cid.subarray(0, 3))}…`
}

export function isZeroCid(cid: Uint8Array): boolean {
  return cid.every((byte) => byte === 0)
}
