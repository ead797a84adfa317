// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { RemoteProtocolError } from '../../lib/errors.js'
import { ZERO_CID, cidKey, cidName, decodeHello, encodeHello, isZeroCid } from '../../lib/wire/hello.js'

const CID = Uint8Array.from({ length: 16 }, (_, index) => 0xa0 + index)

describe('a hello', () => {
  it('is version 0 and the connection ID', () => {
    expect(encodeHello(CID)).toEqual(Uint8Array.of(0, ...CID))
    expect(decodeHello(encodeHello(CID))).toEqual(CID)
  })

  it('is not there before all its bytes are', () => {
    const hello = encodeHello(CID)
    for (let length = 0; length < hello.length; length++)
      expect(decodeHello(hello.subarray(0, length))).toBeUndefined()
  })

  it('may have frames behind it', () => {
    expect(decodeHello(Uint8Array.of(...encodeHello(CID), 0, 1, 0, 0))).toEqual(CID)
  })

  it('is refused at its first byte for another version', () => {
    expect(() => decodeHello(Uint8Array.of(1))).toThrow(RemoteProtocolError)
    expect(() => decodeHello(Uint8Array.of(1))).toThrow(
      expect.objectContaining({ code: 'ERR_MULTIPATH_UNEXPECTED_VERSION' }),
    )
  })

  it('keeps no hold of the bytes it was read from, nor of those it was made from', () => {
    for (const input of [encodeHello(CID), Buffer.from(encodeHello(CID))]) {
      const cid = decodeHello(input)
      input.fill(0)
      expect(cid).toEqual(CID)
    }
    const cid = CID.slice()
    const hello = encodeHello(cid)
    cid.fill(0)
    expect(hello.subarray(1)).toEqual(CID)
  })

  it('takes only connection IDs of sixteen bytes', () => {
    expect(() => encodeHello(new Uint8Array(15))).toThrow(RangeError)
  })
})

describe('a connection ID', () => {
  it('has a key of all its bytes and a name of too few to join with', () => {
    expect(cidKey(CID)).toBe('a0a1a2a3a4a5a6a7a8a9aaabacadaeaf')
    expect(cidName(CID)).toBe('a0a1a2…')
  })

  it('asks for a new connection when it is zero', () => {
    expect(isZeroCid(ZERO_CID)).toBe(true)
    expect(isZeroCid(CID)).toBe(false)
  })
})
