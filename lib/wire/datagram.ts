// SPDX-License-Identifier: Apache-2.0
/**
 * A datagram and its ack, between two of ours: frames with numbers of their own, since datagrams are many and small.
 *
 * ```
 * data frame, number 3: number, stamp, life, then the bytes of the datagram
 * data frame, number 4: number
 * ```
 */
import { RemoteProtocolError } from '../errors.js'
import { DATAGRAM_ACK_FRAME, DATAGRAM_FRAME, MAX_DATAGRAM_BYTES } from './limits.js'
import { readVarInt, varIntLen, writeVarInt } from './varint.js'

/** Stamps begin again behind the largest varint of four bytes: after twelve days. */
export const STAMPS: number = 2 ** 30

/** What stands in front of the bytes of a datagram. */
export interface DatagramHead {
  /** Counted separately in each direction, from 0; all copies have the same. */
  readonly number: number
  /** When it left, milliseconds of the sender's own, modulo {@link STAMPS}. */
  readonly stamp: number
  /** How long it is still worth something, milliseconds; 0: without a limit. */
  readonly lifeMs: number
}

export interface Datagram extends DatagramHead {
  readonly bytes: Uint8Array
}

/**
 * All that stands in front of `size` bytes of a datagram, the header of the frame included.
 *
 * @throws {RangeError} for what is no varint
 */
export function encodeDatagramHead({ number, stamp, lifeMs }: DatagramHead, size: number): Uint8Array {
  return row(
    varIntLen(number) + varIntLen(stamp) + varIntLen(lifeMs) + size,
    ...[DATAGRAM_FRAME, number, stamp, lifeMs],
  )
}

/**
 * @param frame - without its header; kept by reference
 * @throws {RemoteProtocolError} where it ends inside a number, or carries more than 64 KiB
 */
export function decodeDatagram(frame: Uint8Array): Datagram {
  const [number, stamp, lifeMs, at] = numbersOf(frame)
  if (frame.length - at > MAX_DATAGRAM_BYTES)
    throw new RemoteProtocolError(`a datagram of ${frame.length - at} bytes, more than ${MAX_DATAGRAM_BYTES}`)
  return { number, stamp: stamp % STAMPS, lifeMs, bytes: frame.subarray(at) }
}

/** The ack of a datagram: a whole frame. */
export function encodeDatagramAck(number: number): Uint8Array {
  return row(varIntLen(number), DATAGRAM_ACK_FRAME, number)
}

/**
 * @param frame - without its header
 * @throws {RemoteProtocolError} where it is not exactly one number
 */
export function decodeDatagramAck(frame: Uint8Array): number {
  const number = readVarInt(frame)
  if (number?.size !== frame.length) throw new RemoteProtocolError('a DATAGRAM ACK that is not a number')
  return number.value
}

function numbersOf(frame: Uint8Array): [number: number, stamp: number, lifeMs: number, size: number] {
  const values: [number, number, number] = [0, 0, 0]
  let at = 0
  for (let index = 0; index < values.length; index++) {
    const part = readVarInt(frame, at)
    if (part === undefined) throw new RemoteProtocolError('a DATAGRAM that ends inside a number')
    values[index] = part.value
    at += part.size
  }
  return [...values, at]
}

/** Varints in a row. */
function row(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.reduce((sum, value) => sum + varIntLen(value), 0))
  let at = 0
  for (const value of values) at += writeVarInt(bytes, value, at)
  return bytes
}
