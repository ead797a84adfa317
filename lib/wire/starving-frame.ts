// SPDX-License-Identifier: Apache-2.0
/** STARVING: the reader has taken all that it can have, and waits for one frame. */
import { EXTENSION, encodeExtension, type Extension } from './extension.js'

const FIELD = { frameNumber: 1 } as const

/** @param frameNumber - of the frame that is missing */
export function encodeStarving(frameNumber: number): Uint8Array {
  return encodeExtension(EXTENSION.starving, new Map([[FIELD.frameNumber, frameNumber]]))
}

/** @throws {RemoteProtocolError} where the number is missing, or under 10 */
export function decodeStarving(frame: Extension): number {
  return frame.frameNumber(FIELD.frameNumber, 'a STARVING without a frame number')
}
