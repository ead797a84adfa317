// SPDX-License-Identifier: Apache-2.0
/** PROOF: what shows that a subflow belongs to the connection that it has joined. Said by both sides, each once a subflow. */
import { RemoteProtocolError } from '../errors.js'
import { EXTENSION, encodeExtension, type Extension } from './extension.js'
import { varIntLen, writeVarInt } from './varint.js'

/** HMAC-SHA256. */
const PROOF_BYTES = 32

const FIELD = { proof: 1 } as const

/** Who proves. */
export const PROVER = { dialer: 1, listener: 2 } as const

export function encodeProof(proof: Uint8Array): Uint8Array {
  return encodeExtension(EXTENSION.proof, new Map([[FIELD.proof, proof]]))
}

/** @throws {RemoteProtocolError} where it does not have 32 bytes */
export function decodeProof(frame: Extension): Uint8Array {
  const proof = frame.bytes(FIELD.proof, PROOF_BYTES)
  if (proof?.length !== PROOF_BYTES) throw new RemoteProtocolError(`a PROOF has ${PROOF_BYTES} bytes`)
  return proof
}

/**
 * What a proof is computed over: who proves, and what both sides have said of themselves on the subflow: the payloads of
 * the first SETTINGS of each, behind their lengths.
 */
export function provenBytes(
  prover: number,
  dialerSettings: Uint8Array,
  listenerSettings: Uint8Array,
): readonly Uint8Array[] {
  return [
    Uint8Array.of(prover),
    lengthOf(dialerSettings),
    dialerSettings,
    lengthOf(listenerSettings),
    listenerSettings,
  ]
}

/** In a time that does not depend on where they differ. */
export function isSameProof(one: Uint8Array, other: Uint8Array): boolean {
  let difference = one.length ^ other.length
  for (let at = 0; at < one.length; at++) difference |= one[at]! ^ (other[at] ?? 0)
  return difference === 0
}

function lengthOf({ length }: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(varIntLen(length))
  writeVarInt(bytes, length)
  return bytes
}
