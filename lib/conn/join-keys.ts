// SPDX-License-Identifier: Apache-2.0
/** What joins are proven with: a pair of keys for the process, and one more key for each peer. */
import type { KeyObject } from 'node:crypto'
import {
  createHash,
  createHmac,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  randomFillSync,
} from 'node:crypto'
import type { JoinAuth, JoinKeys, Prove } from '../core/join-keys.js'
import { checkJoinAuth } from '../core/join-keys.js'
import { OptionError } from '../errors.js'
import { KEY_BYTES, NONCE_BYTES } from '../wire/settings.js'

/** Keys that are remembered, of the peers seen last: about 300 KiB. To agree on one takes 0.2 ms. */
const MAX_SHARED_KEYS = 1024
/** A secret that is shorter can be guessed offline, by anybody whom a listener has shown a proof. */
const MIN_SECRET_BYTES = 16
const MAX_SECRET_BYTES = 65_536
/** In front of the 32 bytes of a public key: SubjectPublicKeyInfo of X25519 (RFC 8410, section 4). */
const SPKI = Buffer.from('302a300506032b656e032100', 'hex')
const INFO = 'multipath-net join 1'
const NONCES = 64
const NO_BYTES = new Uint8Array(0)

/** How joins are proven; `undefined` for not at all. */
export interface JoinSecurity {
  readonly isRequired: boolean
  readonly secret: Secret | undefined
}

interface Secret {
  readonly bytes: Uint8Array
  /** The same for the same secret, so that every dialer that has it finds the keys of the others. */
  readonly id: string
}

export interface JoinOptions {
  readonly joinAuth?: JoinAuth | undefined
  readonly secret?: string | Uint8Array | undefined
}

/**
 * What the options say, for connections.
 *
 * @throws {OptionError}
 */
export function joinSecurity({ joinAuth, secret }: JoinOptions): JoinSecurity | undefined {
  const choice = checkJoinAuth(joinAuth)
  const known = secretOf(secret)
  if (known !== undefined && choice === 'off')
    throw new OptionError("joinAuth must not be 'off' with a secret")
  if (choice === 'off') return undefined
  return { isRequired: choice === 'require' || known !== undefined, secret: known }
}

/** A copy: the caller may overwrite its own. */
function secretOf(secret: unknown): Secret | undefined {
  if (secret === undefined) return undefined
  const bytes = typeof secret === 'string' || secret instanceof Uint8Array ? Buffer.from(secret) : undefined
  if (bytes === undefined || bytes.length < MIN_SECRET_BYTES || bytes.length > MAX_SECRET_BYTES)
    throw new OptionError(
      `secret must be a string or bytes, from ${MIN_SECRET_BYTES} to ${MAX_SECRET_BYTES} bytes long`,
    )
  return { bytes, id: createHash('sha256').update(bytes).digest('base64') }
}

/** Of this process: generated when it is first needed, and the same for all connections. */
let own: { readonly privateKey: KeyObject; readonly publicKey: Uint8Array } | undefined
/** By public key of the peer and secret; the one used last is the last. */
const sharedKeys = new Map<string, KeyObject | undefined>()

function ownKeys(): { readonly privateKey: KeyObject; readonly publicKey: Uint8Array } {
  if (own !== undefined) return own
  const { privateKey, publicKey } = generateKeyPairSync('x25519')
  own = { privateKey, publicKey: publicKey.export({ format: 'der', type: 'spki' }).subarray(-KEY_BYTES) }
  return own
}

/** A key that only the two processes have; `undefined` if the peer's is invalid. It is remembered, as a peer dials many times with one key. */
function sharedWith(peerKey: Uint8Array, secret: Secret | undefined): KeyObject | undefined {
  const name = `${Buffer.from(peerKey).toString('base64')} ${secret?.id ?? ''}`
  const shared = sharedKeys.has(name) ? sharedKeys.get(name) : derive(agree(peerKey), secret)
  sharedKeys.delete(name)
  sharedKeys.set(name, shared)
  const [oldest] = sharedKeys.keys()
  if (sharedKeys.size > MAX_SHARED_KEYS) sharedKeys.delete(oldest!)
  return shared
}

function agree(peerKey: Uint8Array): Buffer | undefined {
  try {
    const publicKey = createPublicKey({ key: Buffer.concat([SPKI, peerKey]), format: 'der', type: 'spki' })
    return diffieHellman({ privateKey: ownKeys().privateKey, publicKey })
  } catch {
    // OpenSSL refuses points of small order: what came of them, anybody could compute (RFC 7748, section 6.1).
    return undefined
  }
}

function derive(shared: Buffer | undefined, secret: Secret | undefined): KeyObject | undefined {
  if (shared === undefined) return undefined
  const input = Buffer.concat([shared, secret?.bytes ?? NO_BYTES])
  return createSecretKey(new Uint8Array(hkdfSync('sha256', input, NO_BYTES, INFO, 32)))
}

/** Random bytes for the next nonces: drawn one by one, each would cost 5 µs. */
let pool = new Uint8Array(0)

function newNonce(): Uint8Array {
  if (pool.length === 0) pool = randomFillSync(new Uint8Array(NONCES * NONCE_BYTES))
  const nonce = pool.slice(0, NONCE_BYTES)
  pool = pool.subarray(NONCE_BYTES)
  return nonce
}

/** The keys of this process, for one connection. */
export class JoinKeyring implements JoinKeys {
  readonly #secret: Secret | undefined
  #cid = NO_BYTES

  constructor(secret: Secret | undefined) {
    this.#secret = secret
  }

  setCid(cid: Uint8Array): void {
    this.#cid = new Uint8Array(cid)
  }

  get publicKey(): Uint8Array {
    return ownKeys().publicKey
  }

  get hasSecret(): boolean {
    return this.#secret !== undefined
  }

  nonce(): Uint8Array {
    return newNonce()
  }

  proverFor(peerKey: Uint8Array): Prove | undefined {
    const key = sharedWith(peerKey, this.#secret)
    if (key === undefined) return undefined
    return (parts) =>
      createHmac('sha256', key)
        .update(Buffer.concat([this.#cid, ...parts]))
        .digest()
  }
}

export function keyringFor(joins: JoinSecurity | undefined): JoinKeyring | undefined {
  return joins && new JoinKeyring(joins.secret)
}
