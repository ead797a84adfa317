// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { Payload } from '../../lib/wire/payload.js'

const BYTES = Buffer.from('0123456789')

function joined(pieces: readonly Uint8Array[] | undefined): string | undefined {
  return pieces && Buffer.concat(pieces).toString()
}

describe('a payload', () => {
  it('is whole when one subflow has brought it in order', () => {
    const payload = new Payload(10)
    payload.add(BYTES.subarray(0, 4), 0)
    payload.add(BYTES.subarray(4), 4)
    expect(joined(payload.finish())).toBe('0123456789')
  })

  it('is kept once, whichever of two subflows is ahead', () => {
    const payload = new Payload(10)
    payload.add(BYTES.subarray(0, 6), 0)
    payload.add(BYTES.subarray(0, 3), 0)
    payload.add(BYTES.subarray(3, 8), 3)
    payload.add(BYTES.subarray(6), 6)
    expect(joined(payload.finish())).toBe('0123456789')
    expect(payload.finish()).toBeUndefined()
  })

  it('is joined in one piece where it came in very many, and in few pieces otherwise', () => {
    const many = new Payload(100)
    for (let at = 0; at < 100; at++) many.add(Uint8Array.of(at), at)
    expect(many.finish()).toEqual([Uint8Array.from({ length: 100 }, (_, at) => at)])
    const few = new Payload(10)
    few.add(BYTES.subarray(0, 5), 0)
    few.add(BYTES.subarray(5), 5)
    expect(few.finish()).toHaveLength(2)
  })

  it('keeps nothing more once it was dropped', () => {
    const payload = new Payload(10)
    payload.add(BYTES.subarray(0, 5), 0)
    payload.drop()
    payload.add(BYTES.subarray(5), 5)
    expect(payload.finish()).toBeUndefined()
  })

  it('tells when one that brought it has come to its end, or is gone', () => {
    const ends: boolean[] = []
    const payload = new Payload(10, { released: (_, isWhole) => ends.push(isWhole) })
    payload.leave()
    payload.add(BYTES, 0)
    payload.finish()
    expect(ends).toEqual([false, true])
  })
})
