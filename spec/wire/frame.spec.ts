// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it, test } from 'vitest'
import { AckWriter, encodeDataHeader } from '../../lib/wire/frame.js'

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('the header of a data frame', () => {
  test.each([
    { bytes: 1, fn: 10, wire: '010a' },
    { bytes: 63, fn: 63, wire: '3f3f' },
    { bytes: 64, fn: 64, wire: '40404040' },
    { bytes: 65_536, fn: 16_384, wire: '8001000080004000' },
    { bytes: 1_048_576, fn: 2 ** 31, wire: '80100000c000000080000000' },
  ])('of $bytes bytes with number $fn is $wire', ({ bytes, fn, wire }) => {
    expect(hexOf(encodeDataHeader(bytes, fn))).toBe(wire)
  })

  test.each([0, -1, 1_048_577])('is refused for %i bytes', (bytes) => {
    expect(() => encodeDataHeader(bytes, 10)).toThrow(RangeError)
  })

  it('is refused for a number that is a code', () => {
    expect(() => encodeDataHeader(1, 9)).toThrow(RangeError)
  })

  it('stays what it was while others are written', () => {
    const headers = Array.from({ length: 5000 }, (_, index) => encodeDataHeader(index + 1, index + 10))
    headers.forEach((header, index) => {
      expect(hexOf(header)).toBe(hexOf(encodeDataHeader(index + 1, index + 10)))
    })
  })
})

describe('acks and codes', () => {
  it('are a zero and an integer each, in order', () => {
    const writer = new AckWriter()
    for (const value of [10, 0, 1, 64, 16_384]) writer.add(value)
    expect(writer.length).toBe(2 + 2 + 2 + 3 + 5)
    expect(hexOf(writer.take())).toBe('000a00000001' + '004040' + '0080004000')
    expect(writer.length).toBe(0)
    expect(writer.take()).toHaveLength(0)
  })

  it('belong to the taker, however many come after', () => {
    const writer = new AckWriter()
    writer.add(10)
    const taken = writer.take()
    for (let fn = 10; fn < 5000; fn++) writer.add(fn)
    expect(hexOf(taken)).toBe('000a')
    expect(writer.take()).toHaveLength(54 * 2 + (5000 - 64) * 3)
    writer.add(11)
    expect(hexOf(writer.take())).toBe('000b')
  })
})
