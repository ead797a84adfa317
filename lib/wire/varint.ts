// SPDX-License-Identifier: Apache-2.0
/** QUIC variable-length integers: RFC 9000, section 16. Pure functions. */
import { RemoteProtocolError } from '../errors.js'

/** A value and the number of bytes that it took. */
export interface VarInt {
  /** The integer. */
  readonly value: number
  /** Bytes that it takes. */
  readonly size: number
}

/**
 * Reads one integer. Over-long encodings are accepted, as by the Go peer.
 *
 * @param bytes - input; neither kept nor changed
 * @param at - index of its first byte
 * @returns the integer, or `undefined` where `bytes` ends first: read more and call again
 * @throws {RemoteProtocolError} above 2^53 - 1, where a JavaScript number stops being exact
 * @see Go peer: varint.go, ReadVarInt
 */
export function readVarInt(bytes: Uint8Array, at = 0): VarInt | undefined {
  const size = varIntSizeAt(bytes, at)
  if (size === 0 || at + size > bytes.length) return undefined
  return { value: varIntValueAt(bytes, at, size), size }
}

/** Bytes that the integer at `at` takes by its first byte: 1, 2, 4 or 8; 0 where `bytes` ends before it. */
export function varIntSizeAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at]
  return first === undefined ? 0 : 1 << (first >> 6)
}

/** The value of an integer that is there in full. Throws as {@link readVarInt}. */
export function varIntValueAt(bytes: Uint8Array, at: number, size: number): number {
  let value = bytes[at]! & 0x3f
  for (let i = at + 1; i < at + size; i++) value = value * 256 + bytes[i]!
  if (value > Number.MAX_SAFE_INTEGER) throw new RemoteProtocolError('integer above 2^53 - 1')
  return value
}

/**
 * Bytes of the shortest encoding of `value`: 1, 2, 4 or 8.
 *
 * @throws {RangeError} for what is not an integer from 0 to 2^53 - 1
 */
export function varIntLen(value: number): 1 | 2 | 4 | 8 {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`a varint must be an integer from 0 to 2^53 - 1, got ${value}`)
  return value < 0x40 ? 1 : value < 0x4000 ? 2 : value < 0x4000_0000 ? 4 : 8
}

/**
 * Writes the shortest encoding of `value`.
 *
 * @param into - gets the bytes
 * @param value - integer from 0 to 2^53 - 1
 * @param at - index of the first byte written
 * @returns the number of bytes written: 1, 2, 4 or 8
 * @throws {RangeError} for a wrong value, or where `into` has no room; nothing is written then
 */
export function writeVarInt(into: Uint8Array, value: number, at = 0): number {
  const size = varIntLen(value)
  if (at < 0 || at + size > into.length)
    throw new RangeError(`a varint of ${size} bytes does not fit at ${at} of ${into.length}`)
  let rest = value
  for (let i = at + size - 1; i > at; i--) {
    into[i] = rest % 256
    rest = Math.floor(rest / 256)
  }
  into[at] = rest | (LENGTH_BITS[size] ?? 0)
  return size
}

/** The two top bits of the first byte for each length. */
const LENGTH_BITS: Readonly<Record<number, number>> = { 1: 0x00, 2: 0x40, 4: 0x80, 8: 0xc0 }
