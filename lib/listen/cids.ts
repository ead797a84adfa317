// SPDX-License-Identifier: Apache-2.0
/** Identities: of this process, and of the connections of a listener, looked up without telling how close a guess was. */
import { createHmac, randomBytes, randomUUID } from 'node:crypto'
import { INSTANCE_BYTES } from '../wire/settings.js'

/** Identity of this process: a peer sees by it that a listener has restarted. */
export const INSTANCE: Uint8Array = randomBytes(INSTANCE_BYTES)

/** A UUIDv4, as from Go, out of the system's secure random numbers: it is the key to join. */
export function newCid(): Uint8Array {
  return Buffer.from(randomUUID().replaceAll('-', ''), 'hex')
}

/**
 * Keys of a map by CID. A map compares keys until they differ, and the time of that could tell how much of a guess
 * was right. With a keyed hash in front, what is compared has nothing to do with what was guessed: the same as a
 * comparison in constant time, which no map has. Nor does a heap snapshot show a CID to join with.
 */
export class CidKeys {
  readonly #secret = randomBytes(32)

  of(cid: Uint8Array): string {
    return createHmac('sha256', this.#secret).update(cid).digest('base64')
  }
}
