// SPDX-License-Identifier: Apache-2.0
/** PARALLEL: how many subflows a sender that did not dial wants on the path of the subflow that carries it. */
import { RemoteProtocolError } from '../errors.js'
import { EXTENSION, encodeExtension, type Extension } from './extension.js'

const FIELD = { count: 1 } as const

export function encodeParallel(count: number): Uint8Array {
  return encodeExtension(EXTENSION.parallel, new Map([[FIELD.count, count]]))
}

/** @throws {RemoteProtocolError} where it says no number from 1 on */
export function decodeParallel(frame: Extension): number {
  const count = frame.number(FIELD.count) ?? 0
  if (count === 0) throw new RemoteProtocolError('a PARALLEL without a number')
  return count
}
