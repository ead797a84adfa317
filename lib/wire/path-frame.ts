// SPDX-License-Identifier: Apache-2.0
/** PATH: how a dialer wants its peer to use the path of the subflow that carries it. Each one replaces the one before. */
import { RemoteProtocolError } from '../errors.js'
import { EXTENSION, encodeExtension, type Extension, type FieldValue, shortText } from './extension.js'

/** A path's label, bytes of UTF-8: a longer one is cut. */
const MAX_LABEL_BYTES = 128

const FIELD = {
  tier: 1,
  weight: 2,
  maxBytes: 3,
  maxBytesPerSecond: 4,
  isPaused: 5,
  label: 6,
  parallel: 7,
} as const

export interface PathWords {
  /** 0 for the tier that is used first. */
  readonly tier: number
  readonly weight: number
  /** Payload bytes that the peer may send on this subflow; Infinity: any number. */
  readonly maxBytes: number
  readonly maxBytesPerSecond: number
  readonly isPaused: boolean
  /** Subflows that the path may have; `undefined`: the sender decides. */
  readonly parallel: number | undefined
  /** Of a peer: fit to be shown. */
  readonly label: string
}

export function encodePath(words: PathWords): Uint8Array {
  const { tier, weight, maxBytes, maxBytesPerSecond, isPaused, label, parallel } = words
  return encodeExtension(
    EXTENSION.path,
    new Map<number, FieldValue | undefined>([
      [FIELD.tier, tier === 0 ? undefined : tier],
      [FIELD.weight, weight === 1 ? undefined : weight],
      [FIELD.maxBytes, finite(maxBytes)],
      [FIELD.maxBytesPerSecond, finite(maxBytesPerSecond)],
      [FIELD.isPaused, isPaused ? 1 : undefined],
      [FIELD.parallel, parallel],
      [FIELD.label, label === '' ? undefined : shortText(label, MAX_LABEL_BYTES)],
    ]),
  )
}

/** @throws {RemoteProtocolError} for a field that is no number, or too long */
export function decodePath(frame: Extension): PathWords {
  const isPaused = frame.number(FIELD.isPaused) ?? 0
  if (isPaused > 1) throw new RemoteProtocolError('a PATH with an invalid pause flag')
  return {
    tier: frame.number(FIELD.tier) ?? 0,
    weight: frame.number(FIELD.weight) ?? 1,
    maxBytes: frame.number(FIELD.maxBytes) ?? Infinity,
    maxBytesPerSecond: frame.number(FIELD.maxBytesPerSecond) ?? Infinity,
    isPaused: isPaused === 1,
    parallel: frame.number(FIELD.parallel),
    label: frame.text(FIELD.label, MAX_LABEL_BYTES) ?? '',
  }
}

/** No path sends more bytes than an integer can hold. */
function finite(value: number): number | undefined {
  return value > Number.MAX_SAFE_INTEGER ? undefined : value
}
