// SPDX-License-Identifier: Apache-2.0
/** What proofs of joins are made with, as the core needs it: the shell brings it. */
import { OptionError } from '../errors.js'

/** Whether joins have to be proven: always, by every peer that can, or never. */
export type JoinAuth = 'require' | 'prefer' | 'off'

const CHOICES: readonly unknown[] = ['require', 'prefer', 'off']

/** @throws {OptionError} for what is no such choice */
export function checkJoinAuth(value: unknown = 'prefer'): JoinAuth {
  if (CHOICES.includes(value)) return value as JoinAuth
  throw new OptionError(`joinAuth must be require, prefer or off, got ${JSON.stringify(value)}`)
}

/** HMAC-SHA256 of all the parts, under a key that the two ends of the connection have alone. */
export type Prove = (parts: readonly Uint8Array[]) => Uint8Array

/** Keys of this side for one connection: the core has no cryptography of its own. */
export interface JoinKeys {
  readonly publicKey: Uint8Array
  /** Both sides have to know a secret beside. */
  readonly hasSecret: boolean
  nonce(): Uint8Array
  /** `undefined` for an invalid public key. */
  proverFor(peerKey: Uint8Array): Prove | undefined
}

export interface JoinAuthInit {
  readonly isRequired: boolean
  readonly keys: JoinKeys
}
