// SPDX-License-Identifier: Apache-2.0
// Vectors: RFC 9000 appendix A.1.
import { describe, expect, it, test } from 'vitest'
import { RemoteProtocolError } from '../../lib/errors.js'
import { readVarInt, varIntLen, varIntSizeAt, writeVarInt } from '../../lib/wire/varint.js'

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'))

/** Encodings that a JavaScript number holds exactly. */
const RFC9000_A1 = [
  { wire: '9d7f3e7d', value: 494_878_333 },
  { wire: '7bbd', value: 15_293 },
  { wire: '25', value: 37 },
]

const BOUNDARIES = [
  { value: 0, wire: '00' },
  { value: 63, wire: '3f' },
  { value: 64, wire: '4040' },
  { value: 16_383, wire: '7fff' },
  { value: 16_384, wire: '80004000' },
  { value: 1_073_741_823, wire: 'bfffffff' },
  { value: 1_073_741_824, wire: 'c000000040000000' },
  { value: Number.MAX_SAFE_INTEGER, wire: 'c01fffffffffffff' },
]

describe('readVarInt', () => {
  test.each([...RFC9000_A1, ...BOUNDARIES])('reads $wire as $value', ({ wire, value }) => {
    expect(readVarInt(hex(wire))).toEqual({ value, size: wire.length / 2 })
  })

  it('refuses what a number cannot hold exactly, the eight-byte vector of the RFC among it', () => {
    for (const wire of ['c2197c5eff14e88c', 'c020000000000000', 'ffffffffffffffff'])
      expect(() => readVarInt(hex(wire))).toThrow(RemoteProtocolError)
  })

  it('accepts encodings that are longer than need be, as the Go peer does', () => {
    expect(readVarInt(hex('4025'))).toEqual({ value: 37, size: 2 })
    expect(readVarInt(hex('80000025'))).toEqual({ value: 37, size: 4 })
    expect(readVarInt(hex('c000000000000025'))).toEqual({ value: 37, size: 8 })
  })

  it('asks for more bytes when the input stops at any point inside the integer', () => {
    for (const { wire } of [...RFC9000_A1, ...BOUNDARIES])
      for (let length = 0; length < wire.length / 2; length++)
        expect(readVarInt(hex(wire).subarray(0, length))).toBeUndefined()
  })

  it('reads at an index, and not beyond its integer', () => {
    expect(readVarInt(hex('ff7bbd25'), 1)).toEqual({ value: 15_293, size: 2 })
    expect(readVarInt(hex('25'), 1)).toBeUndefined()
    expect(varIntSizeAt(hex('25'), 1)).toBe(0)
  })
})

describe('writeVarInt', () => {
  test.each([...RFC9000_A1, ...BOUNDARIES])('writes $value as $wire', ({ wire, value }) => {
    const bytes = new Uint8Array(8)
    expect(writeVarInt(bytes, value)).toBe(wire.length / 2)
    expect(bytes.subarray(0, wire.length / 2)).toEqual(hex(wire))
    expect(varIntLen(value)).toBe(wire.length / 2)
  })

  it('writes at an index and leaves all else alone', () => {
    const bytes = new Uint8Array(5).fill(0xee)
    writeVarInt(bytes, 15_293, 2)
    expect(bytes).toEqual(hex('eeee7bbdee'))
  })

  it('refuses to write where there is no room, and writes nothing then', () => {
    const bytes = new Uint8Array(3)
    for (const at of [2, 3, -1]) expect(() => writeVarInt(bytes, 15_293, at)).toThrow(RangeError)
    expect(bytes).toEqual(new Uint8Array(3))
  })

  test.each([-1, 0.5, Number.NaN, Infinity, Number.MAX_SAFE_INTEGER + 1])('refuses %d', (value) => {
    expect(() => varIntLen(value)).toThrow(RangeError)
    expect(() => writeVarInt(new Uint8Array(8), value)).toThrow(RangeError)
  })
})
