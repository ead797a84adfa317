// SPDX-License-Identifier: Apache-2.0
/**
 * Extension frames, between two of ours alone: a type, then fields. All numbers are varints.
 *
 * ```
 * data frame, number 2: type, then for each field: id, length, value
 * ```
 *
 * Types and fields that a receiver does not know are skipped, so that the format can grow.
 */
import { RemoteProtocolError } from '../errors.js'
import { joined } from './joined.js'
import { EXTENSION_FRAME, FIRST_FRAME, MAX_EXTENSION_BYTES, MAX_EXTENSION_FIELDS } from './limits.js'
import { readVarInt, varIntLen, writeVarInt } from './varint.js'

/** What an extension frame is about. */
export const EXTENSION = {
  settings: 1,
  have: 2,
  fin: 3,
  reset: 4,
  proof: 5,
  path: 6,
  window: 7,
  starving: 8,
  parallel: 9,
} as const

/** A number, or bytes as they are. */
export type FieldValue = number | Uint8Array

/** The frame as it goes out, header included. Fields that are `undefined` are left out. */
export function encodeExtension(
  type: number,
  fields: ReadonlyMap<number, FieldValue | undefined>,
): Uint8Array {
  const parts = [varInt(type)]
  for (const [id, value] of fields) {
    if (value === undefined) continue
    const bytes = typeof value === 'number' ? varInt(value) : value
    parts.push(varInt(id), varInt(bytes.length), bytes)
  }
  const size = parts.reduce((sum, { length }) => sum + length, 0)
  if (size > MAX_EXTENSION_BYTES) throw new RangeError(`an extension frame of ${size} bytes is too large`)
  return joined([varInt(size), varInt(EXTENSION_FRAME), ...parts])
}

/** A frame that came in. */
export class Extension {
  readonly type: number
  /** All of it, as it came, without the header. */
  readonly payload: Uint8Array
  readonly #fields = new Map<number, Uint8Array>()

  /**
   * @param bytes - without the header; kept by reference
   * @throws {RemoteProtocolError} where they are no fields, where one comes twice, or where they are too many
   */
  constructor(bytes: Uint8Array) {
    const type = numberAt(bytes, 0)
    this.payload = bytes
    this.type = type.value
    for (let at = type.size; at < bytes.length; ) {
      const id = numberAt(bytes, at)
      const length = numberAt(bytes, at + id.size)
      const start = at + id.size + length.size
      at = start + length.value
      if (at > bytes.length) throw new RemoteProtocolError('an extension frame that ends inside a field')
      if (this.#fields.has(id.value))
        throw new RemoteProtocolError(`an extension frame with field ${id.value} twice`)
      if (this.#fields.size === MAX_EXTENSION_FIELDS)
        throw new RemoteProtocolError(`an extension frame of more than ${MAX_EXTENSION_FIELDS} fields`)
      this.#fields.set(id.value, bytes.subarray(start, at))
    }
  }

  /** @throws {RemoteProtocolError} where the field is there, and not exactly one varint */
  number(id: number): number | undefined {
    const bytes = this.#fields.get(id)
    if (bytes === undefined) return undefined
    const { value, size } = numberAt(bytes, 0)
    if (size !== bytes.length)
      throw new RemoteProtocolError(`field ${id} of an extension frame is not a number`)
    return value
  }

  /**
   * Number of a data frame.
   *
   * @param complaint - what the error says
   * @throws {RemoteProtocolError} as {@link number}, and where it is missing, or under 10
   */
  frameNumber(id: number, complaint: string): number {
    const number = this.number(id)
    if (number === undefined || number < FIRST_FRAME) throw new RemoteProtocolError(complaint)
    return number
  }

  /** @throws {RemoteProtocolError} where the field is longer than `maxBytes` */
  bytes(id: number, maxBytes: number): Uint8Array | undefined {
    const bytes = this.#fields.get(id)
    if (bytes !== undefined && bytes.length > maxBytes)
      throw new RemoteProtocolError(`field ${id} of an extension frame has more than ${maxBytes} bytes`)
    return bytes
  }

  /**
   * Text of a peer, fit to be shown: what is no UTF-8, and control characters, are escaped.
   *
   * @throws {RemoteProtocolError} as {@link bytes}
   */
  text(id: number, maxBytes: number): string | undefined {
    const bytes = this.bytes(id, maxBytes)
    return bytes && escaped(new TextDecoder().decode(bytes))
  }
}

/** What a reader gets of a frame of ours as its {@link Extension.payload}. */
export function payloadOf(frame: Uint8Array): Uint8Array {
  const size = numberAt(frame, 0).size
  return frame.subarray(size + numberAt(frame, size).size)
}

/** Text as UTF-8, cut to `maxBytes` at a character. */
export function shortText(text: string, maxBytes: number): Uint8Array {
  const into = new Uint8Array(maxBytes)
  const { written } = new TextEncoder().encodeInto(text, into)
  return into.subarray(0, written)
}

/** A line of log or terminal must not be what a peer makes of it. */
function escaped(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}\uFFFD]/gu, (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`)
}

function numberAt(bytes: Uint8Array, at: number): { value: number; size: number } {
  const number = readVarInt(bytes, at)
  if (number === undefined) throw new RemoteProtocolError('an extension frame that ends inside a number')
  return number
}

function varInt(value: number): Uint8Array {
  const bytes = new Uint8Array(varIntLen(value))
  writeVarInt(bytes, value)
  return bytes
}
