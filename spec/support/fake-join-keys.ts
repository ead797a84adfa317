// SPDX-License-Identifier: Apache-2.0
/** Keys of joins that are the same in every run: the key of a connection is made of both public keys, and a secret. */
import { createHmac } from 'node:crypto'
import type { JoinKeys, Prove } from '../../lib/core/join-keys.js'
import { KEY_BYTES, NONCE_BYTES } from '../../lib/wire/settings.js'

export class FakeJoinKeys implements JoinKeys {
  readonly publicKey: Uint8Array
  readonly #secret: string
  #nonces = 0

  /** @param side - a number of its own for each side */
  constructor(side: number, secret = '') {
    this.publicKey = new Uint8Array(KEY_BYTES).fill(side)
    this.#secret = secret
  }

  get hasSecret(): boolean {
    return this.#secret !== ''
  }

  nonce(): Uint8Array {
    const nonce = new Uint8Array(NONCE_BYTES)
    new DataView(nonce.buffer).setUint32(0, ++this.#nonces)
    return nonce
  }

  /** All zero is no key. */
  proverFor(peerKey: Uint8Array): Prove | undefined {
    if (peerKey.every((byte) => byte === 0)) return undefined
    const keys = [this.publicKey, peerKey].toSorted((a, b) => a[0]! - b[0]!)
    const key = Buffer.concat([...keys, Buffer.from(this.#secret)])
    return (parts) => createHmac('sha256', key).update(Buffer.concat(parts)).digest()
  }
}
