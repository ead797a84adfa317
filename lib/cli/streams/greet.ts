// SPDX-License-Identifier: Apache-2.0
/** Both sides of the greeting that opens a session, over a connection. Nothing is served before it is over. */
import { randomBytes } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { CliError } from '../cli-error.js'
import type { Greeting, GreetingKind } from './greeting.js'
import {
  ACCEPTED,
  decodeGreeting,
  encodeGreeting,
  GREETING_BYTES,
  isProof,
  newNonce,
  PROOF_BYTES,
  proofOf,
  VERDICT_BYTES,
} from './greeting.js'
import type { TakeLimits } from './take-bytes.js'
import { takeBytes } from './take-bytes.js'

type Token = Uint8Array | undefined

/** The two ends do not fit together, and will not the next time. */
export class GreetingError extends CliError {}

/** What came is no greeting. */
export class StrangerError extends GreetingError {}

/** The connection itself has found out that both ends have not the same token: it serves as its secret. */
export function isAuthError(error: unknown): boolean {
  return (error as { multipathCode?: unknown } | null | undefined)?.multipathCode === 'ERR_MULTIPATH_AUTH'
}

/** @param token - of this end */
export function tokenError(whose: 'a client' | 'the other end', token: Token): GreetingError {
  const what = token === undefined ? 'requires a token' : 'has a different token, or none'
  return new GreetingError(`${whose} ${what}`, { hint: TOKEN_HINT })
}

const TOKEN_HINT = 'give both ends the same token, with --token-file or MULTIPATH_TOKEN'

export interface GreetLimits extends TakeLimits {
  /** Default: streams. */
  readonly kind?: GreetingKind
  /** Of a client: the nonce of a greeting that it has sent already. */
  readonly sentNonce?: Uint8Array
}

/**
 * @throws {GreetingError}; what `takeBytes` throws
 */
export async function greetAsClient(conn: Duplex, token: Token, limits: GreetLimits): Promise<void> {
  const { kind, sentNonce } = limits
  const nonce = sentNonce ?? newNonce(randomBytes)
  if (sentNonce === undefined) conn.write(encodeGreeting({ hasToken: token !== undefined, nonce }, kind))
  const theirs = await greeting(conn, limits)
  if (theirs.hasToken && token === undefined)
    throw new GreetingError('the other end requires a token', { hint: TOKEN_HINT })
  if (token === undefined) return
  if (!theirs.hasToken)
    throw new GreetingError('the other end has no token and cannot prove its identity', {
      hint: TOKEN_HINT,
    })
  conn.write(proofOf(token, 'client', nonce, theirs.nonce))
  const verdict = await takeBytes(conn, VERDICT_BYTES + PROOF_BYTES, limits)
  const expected = proofOf(token, 'server', nonce, theirs.nonce)
  if (verdict[0] !== ACCEPTED || !isProof(verdict.subarray(VERDICT_BYTES), expected))
    throw new GreetingError('the other end has a different token', { hint: TOKEN_HINT })
}

/**
 * @param admit - throws where there is no place: a client that has been greeted counts on its session
 * @throws {GreetingError} for a client that may not come in; it has been told. What `takeBytes` and `admit` throw
 */
export async function greetAsServer(
  conn: Duplex,
  token: Token,
  limits: GreetLimits,
  admit: () => void,
): Promise<void> {
  const theirs = await greeting(conn, limits)
  if (token === undefined) admit()
  const nonce = newNonce(randomBytes)
  conn.write(encodeGreeting({ hasToken: token !== undefined, nonce }, limits.kind))
  if (theirs.hasToken !== (token !== undefined))
    throw new GreetingError(
      token === undefined ? 'a client requires a token, and this server has none' : 'a client has no token',
    )
  if (token === undefined) return
  const proof = await takeBytes(conn, PROOF_BYTES, limits)
  const isRight = isProof(proof, proofOf(token, 'client', theirs.nonce, nonce))
  if (!isRight) {
    conn.write(new Uint8Array(VERDICT_BYTES + PROOF_BYTES))
    throw new GreetingError('a client has a different token')
  }
  admit()
  conn.write(Buffer.concat([Buffer.of(ACCEPTED), proofOf(token, 'server', theirs.nonce, nonce)]))
}

async function greeting(conn: Duplex, limits: GreetLimits): Promise<Greeting> {
  const theirs = decodeGreeting(await takeBytes(conn, GREETING_BYTES, limits), limits.kind)
  if (theirs !== undefined) return theirs
  throw new StrangerError('the other end does not speak this version of the stream protocol', {
    hint: 'check that `multipath serve` is running there',
  })
}
