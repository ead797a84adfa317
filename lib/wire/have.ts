// SPDX-License-Identifier: Apache-2.0
/** HAVE: what a side has received, so that its peer sends only the rest again. Said on each subflow but the first. */
import { RemoteProtocolError } from '../errors.js'
import { EXTENSION, encodeExtension, type Extension } from './extension.js'
import { GO_RECEIVE_FRAMES, MAX_EXTENSION_BYTES } from './limits.js'
import { readVarInt, varIntLen, writeVarInt } from './varint.js'

const FIELD = { nextFrame: 1, ranges: 2 } as const

/** Numbers of frames, the first and the one behind the last. */
export type Range = readonly [from: number, to: number]

export interface Have {
  /** The lowest frame that has not come. */
  readonly nextFrame: number
  /** What has come beyond it, in order. */
  readonly ranges: readonly Range[]
}

/** Of each range: how many frames before it have not come, and how many in it have. */
export function encodeHave({ nextFrame, ranges }: Have): Uint8Array {
  let bytes: number[] = []
  let at = nextFrame
  for (const [from, to] of ranges) {
    bytes = bytes.concat(varInt(from - at), varInt(to - from))
    at = to
  }
  return encodeExtension(
    EXTENSION.have,
    new Map<number, number | Uint8Array | undefined>([
      [FIELD.nextFrame, nextFrame],
      [FIELD.ranges, bytes.length === 0 ? undefined : Uint8Array.from(bytes)],
    ]),
  )
}

/** @throws {RemoteProtocolError} for ranges that are empty, touch, or lie further ahead than any receiver keeps frames */
export function decodeHave(frame: Extension): Have {
  const nextFrame = frame.frameNumber(FIELD.nextFrame, 'a HAVE without a frame')
  const bytes = frame.bytes(FIELD.ranges, MAX_EXTENSION_BYTES) ?? new Uint8Array(0)
  const ranges: Range[] = []
  for (let at = 0, end = nextFrame; at < bytes.length; ) {
    const gap = numberAt(bytes, at)
    const count = numberAt(bytes, at + gap.size)
    at += gap.size + count.size
    const from = end + gap.value
    end = from + count.value
    const isInReach = end - nextFrame <= GO_RECEIVE_FRAMES && Number.isSafeInteger(end)
    if (gap.value === 0 || count.value === 0 || !isInReach)
      throw new RemoteProtocolError('a HAVE with an invalid range')
    ranges.push([from, end])
  }
  return { nextFrame, ranges }
}

function varInt(value: number): number[] {
  const bytes = new Uint8Array(varIntLen(value))
  writeVarInt(bytes, value)
  return [...bytes]
}

function numberAt(bytes: Uint8Array, at: number): { value: number; size: number } {
  const number = readVarInt(bytes, at)
  if (number === undefined) throw new RemoteProtocolError('a HAVE that ends inside a range')
  return number
}
