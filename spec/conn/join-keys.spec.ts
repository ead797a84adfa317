// SPDX-License-Identifier: Apache-2.0
/** The keys that joins are proven with, as docs/protocol.md gives them. */
import { createHmac, createPublicKey, diffieHellman, generateKeyPairSync, hkdfSync } from 'node:crypto'
import { describe, expect, it, test } from 'vitest'
import type { JoinOptions } from '../../lib/conn/join-keys.js'
import { JoinKeyring, joinSecurity } from '../../lib/conn/join-keys.js'

const CID = Uint8Array.from({ length: 16 }, (_, at) => at)
const SPKI = Buffer.from('302a300506032b656e032100', 'hex')

/** Another process, by the words of the page. */
function other(secret = '') {
  const { privateKey, publicKey } = generateKeyPairSync('x25519')
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)
  const prove = (peerKey: Uint8Array, bytes: Uint8Array): Buffer => {
    const peer = createPublicKey({ key: Buffer.concat([SPKI, peerKey]), format: 'der', type: 'spki' })
    const shared = diffieHellman({ privateKey, publicKey: peer })
    const input = Buffer.concat([shared, Buffer.from(secret)])
    const key = hkdfSync('sha256', input, '', 'multipath-net join 1', 32)
    return createHmac('sha256', Buffer.from(key)).update(CID).update(bytes).digest()
  }
  return { publicKey: raw, prove }
}

function keyring(secret?: string): JoinKeyring {
  const keys = new JoinKeyring(joinSecurity({ secret })?.secret)
  keys.setCid(CID)
  return keys
}

describe('the keys of a connection', () => {
  test.each([undefined, 'open sesame, said Ali Baba'])(
    'prove what the other end expects, with the secret %s',
    (secret) => {
      const there = other(secret)
      const keys = keyring(secret)
      const proof = keys.proverFor(there.publicKey)!([Buffer.of(1), Buffer.from('all of it')])
      expect(proof).toEqual(there.prove(keys.publicKey, Buffer.from('\x01all of it')))
    },
  )

  it('prove nothing to another connection, another secret, or another process', () => {
    const there = other()
    const bytes = Buffer.from('x')
    const right = there.prove(keyring().publicKey, bytes)
    const elsewhere = new JoinKeyring(undefined)
    elsewhere.setCid(CID.toReversed())
    for (const keys of [elsewhere, keyring('another secret of 32 letters yes')])
      expect(keys.proverFor(there.publicKey)!([bytes])).not.toEqual(right)
    expect(keyring().proverFor(other().publicKey)!([bytes])).not.toEqual(right)
  })

  it('are of one process the same, and no nonce comes twice', () => {
    expect(keyring().publicKey).toEqual(keyring().publicKey)
    const nonces = Array.from({ length: 200 }, () => Buffer.from(keyring().nonce()).toString('hex'))
    expect(new Set(nonces).size).toBe(200)
  })

  it('are none with a point of small order, of which anybody could compute what comes of it', () => {
    for (const point of [new Uint8Array(32), Uint8Array.of(1, ...new Uint8Array(31))])
      expect(keyring().proverFor(point)).toBeUndefined()
  })
})

describe('the options joinAuth and secret', () => {
  it('prefer proofs by default, and require them with a secret', () => {
    expect(joinSecurity({})).toEqual({ isRequired: false, secret: undefined })
    expect(joinSecurity({ joinAuth: 'require' })).toMatchObject({ isRequired: true })
    expect(joinSecurity({ joinAuth: 'off' })).toBeUndefined()
    expect(joinSecurity({ secret: 'x'.repeat(16) })).toMatchObject({ isRequired: true })
  })

  it('keep a copy of the secret', () => {
    const secret = Buffer.alloc(16, 1)
    const kept = joinSecurity({ secret })?.secret?.bytes
    secret.fill(0)
    expect(kept?.every((byte) => byte === 1)).toBe(true)
  })

  test.each<[unknown, RegExp]>([
    [{ joinAuth: 'yes' }, /^joinAuth must be require, prefer or off, got "yes"/],
    [{ joinAuth: null }, /^joinAuth must be/],
    [{ secret: 'x'.repeat(15) }, /^secret must be a string or bytes, from 16 to 65536 bytes/],
    [{ secret: Buffer.alloc(65_537) }, /^secret must be/],
    [{ secret: 5 }, /^secret must be/],
    [{ secret: 'x'.repeat(16), joinAuth: 'off' }, /^joinAuth must not be 'off' with a secret/],
  ])('refuse what they do not take', (options, message) => {
    expect(() => joinSecurity(options as JoinOptions)).toThrow(message)
  })
})
