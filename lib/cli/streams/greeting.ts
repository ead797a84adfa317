// SPDX-License-Identifier: Apache-2.0
/**
 * The first bytes of a session, in both directions, before its streams:
 *
 * ```
 * client   "mpstream" 8 | version 1 | flags 1 | nonce 32   "mpbytes0" of nc
 * server   "mpstream" 8 | version 1 | flags 1 | nonce 32
 * client   proof 32                                        where both have a token
 * server   verdict 1 | proof 32                            likewise
 * ```
 *
 * A proof is HMAC-SHA256 under the token of who speaks and of both nonces, so that it fits neither another session
 * nor the other side. The client goes first: the server is the one that anybody can ask.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'

/** What is to follow: streams, or with nc bytes as they are. */
export type GreetingKind = 'streams' | 'bytes'
const MAGIC: Readonly<Record<GreetingKind, Buffer>> = {
  streams: Buffer.from('mpstream'),
  bytes: Buffer.from('mpbytes0'),
}
const VERSION = 1
const HAS_TOKEN = 1
const NONCE_BYTES = 32
const MAGIC_BYTES = 8
const FLAGS_AT = MAGIC_BYTES + 1
export const GREETING_BYTES = 42
export const PROOF_BYTES = 32
export const VERDICT_BYTES = 1
export const ACCEPTED = 1

export type GreetingSide = 'client' | 'server'

export interface Greeting {
  readonly hasToken: boolean
  /** 32 random bytes. */
  readonly nonce: Uint8Array
}

export function encodeGreeting({ hasToken, nonce }: Greeting, kind: GreetingKind = 'streams'): Buffer {
  return Buffer.concat([MAGIC[kind], Buffer.from([VERSION, hasToken ? HAS_TOKEN : 0]), nonce])
}

/** `undefined`: these are no sessions of ours, or of another version. The nonce is a view of `bytes`. */
export function decodeGreeting(bytes: Uint8Array, kind: GreetingKind = 'streams'): Greeting | undefined {
  if (bytes.length !== GREETING_BYTES || !isGreeting(bytes, kind)) return undefined
  if (bytes[MAGIC_BYTES] !== VERSION || bytes[FLAGS_AT]! > HAS_TOKEN) return undefined
  return { hasToken: bytes[FLAGS_AT] === HAS_TOKEN, nonce: bytes.subarray(FLAGS_AT + 1) }
}

/** Whether it begins as a greeting does, of whatever version. */
export function isGreeting(bytes: Uint8Array, kind: GreetingKind = 'streams'): boolean {
  return MAGIC[kind].equals(bytes.subarray(0, MAGIC_BYTES))
}

export function newNonce(random: (bytes: number) => Uint8Array): Uint8Array {
  return random(NONCE_BYTES)
}

/** What `side` shows to prove that it knows `token`. */
export function proofOf(
  token: Uint8Array,
  side: GreetingSide,
  clientNonce: Uint8Array,
  serverNonce: Uint8Array,
): Buffer {
  const hmac = createHmac('sha256', token).update(`multipath streams ${VERSION} ${side}\0`)
  return hmac.update(clientNonce).update(serverNonce).digest()
}

/** In a time that does not depend on where they differ. */
export function isProof(proof: Uint8Array, expected: Uint8Array): boolean {
  return proof.length === expected.length && timingSafeEqual(proof, expected)
}
