// SPDX-License-Identifier: Apache-2.0
/**
 * Messages without an order travel in parts, each as a datagram of its own. All numbers are varints.
 *
 * ```
 * 0, bytes                           a message
 * 1, message, length, index, bytes   a piece of one that is longer than a piece
 * 2, limit                           how many bytes of parts its sender takes in all
 * 3, messages                        how many messages there were: no more follow
 * ```
 */
import { RemoteProtocolError } from '../errors.js'
import { varIntLen, varIntSizeAt, varIntValueAt, writeVarInt } from '../wire/varint.js'

/** All pieces of a message have as many bytes, but for the last one, which has what is left. */
export const PIECE_BYTES = 16_384
/** What a part costs its receiver beside its bytes: objects, and a place in a queue. */
const PART_OVERHEAD_BYTES = 64

const TYPE = { whole: 0, piece: 1, limit: 2, end: 3 } as const

export type Part =
  | { readonly type: 'whole'; readonly bytes: Uint8Array }
  | { readonly type: 'piece'; readonly piece: Piece }
  | { readonly type: 'limit'; readonly limitBytes: number }
  | { readonly type: 'end'; readonly messages: number }

export interface Piece {
  /** Of its message among those of the sender, from 0. */
  readonly message: number
  /** Of the whole message, bytes. */
  readonly length: number
  /** Among the pieces of the message, from 0. */
  readonly index: number
  readonly bytes: Uint8Array
}

/** What `part` takes of the limit of its receiver. Only messages and their pieces do. */
export function costOf(part: Uint8Array): number {
  return part.length + PART_OVERHEAD_BYTES
}

export function encodeWhole(bytes: Uint8Array): Uint8Array {
  return encode([TYPE.whole], bytes)
}

export function encodePiece({ message, length, index, bytes }: Piece): Uint8Array {
  return encode([TYPE.piece, message, length, index], bytes)
}

export function encodeLimit(limitBytes: number): Uint8Array {
  return encode([TYPE.limit, limitBytes])
}

export function encodeEnd(messages: number): Uint8Array {
  return encode([TYPE.end, messages])
}

/**
 * @param part - kept by reference
 * @throws ERR_MULTIPATH_FRAME for what is no part
 */
export function decodePart(part: Uint8Array): Part {
  const [type, at] = numberAt(part, 0)
  if (type === TYPE.whole) return { type: 'whole', bytes: part.subarray(at) }
  if (type === TYPE.piece) return { type: 'piece', piece: decodePiece(part, at) }
  if (type !== TYPE.limit && type !== TYPE.end) throw frameError(`of the unknown type ${type}`)
  const [value, end] = numberAt(part, at)
  if (end !== part.length) throw frameError('with bytes behind its end')
  return type === TYPE.limit ? { type: 'limit', limitBytes: value } : { type: 'end', messages: value }
}

function decodePiece(part: Uint8Array, from: number): Piece {
  const [message, lengthAt] = numberAt(part, from)
  const [length, indexAt] = numberAt(part, lengthAt)
  const [index, at] = numberAt(part, indexAt)
  const bytes = part.subarray(at)
  const due = Math.min(PIECE_BYTES, length - index * PIECE_BYTES)
  if (bytes.length === 0 || bytes.length !== due)
    throw frameError(`with ${bytes.length} bytes of a message of ${length} bytes at piece ${index}`)
  return { message, length, index, bytes }
}

export function frameError(what: string): RemoteProtocolError {
  return new RemoteProtocolError(`the peer sent a part of messages ${what}`)
}

/** @returns the number, and where it ends */
function numberAt(part: Uint8Array, at: number): [value: number, end: number] {
  const size = varIntSizeAt(part, at)
  if (size === 0 || at + size > part.length) throw frameError('that ends inside a number')
  return [varIntValueAt(part, at, size), at + size]
}

function encode(numbers: readonly number[], bytes: Uint8Array = new Uint8Array(0)): Uint8Array {
  const headBytes = numbers.reduce((sum, number) => sum + varIntLen(number), 0)
  const part = new Uint8Array(headBytes + bytes.length)
  let at = 0
  for (const number of numbers) at += writeVarInt(part, number, at)
  part.set(bytes, at)
  return part
}
