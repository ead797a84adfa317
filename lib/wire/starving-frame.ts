// SPDX-License-Identifier: Apache-2.0
/** STARVING: the reader has taken all that it can have, and waits for one frame. */
import { RemoteProtocolError } from '../errors.js'
import { EXTENSION, encodeExtension, type Extension } from './extension.js'
import { FIRST_FRAME } from './limits.js'

const FIELD = { frameNumber: 1 } as const

/** @param frameNumber - of the frame that is missing */
export function encodeStarving(frameNumber: number): Uint8Array {
  return encodeExtension(EXTENSION.starving, new Map([[FIELD.frameNumber, frameNumber]]))
}

/** @throws {RemoteProtocolError} where the number is missing, or under 10 */
export function decodeStarving(frame: Extension): number {
  const number = frame.number(FIELD.frameNumber)
  if (number === undefined || number < FIRST_FRAME)
    throw new RemoteProtocolError('a STARVING without a frame number')
  return number
}
