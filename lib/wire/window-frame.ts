// SPDX-License-Identifier: Apache-2.0
/** WINDOW: how far a side takes data, and the question how far its peer does. */
import { RemoteProtocolError } from '../errors.js'
import { EXTENSION, encodeExtension, type Extension, type FieldValue } from './extension.js'

const FIELD = { limitBytes: 1, isAsking: 2 } as const

export interface WindowWords {
  /** Payload that the sender takes, counted from its first byte, each byte once; `undefined`: as it said last. */
  readonly limitBytes?: number | undefined
  /** Its own data waits for the limit of its peer: it wants to hear it again. */
  readonly isAsking?: boolean | undefined
}

export function encodeWindow({ limitBytes, isAsking = false }: WindowWords): Uint8Array {
  return encodeExtension(
    EXTENSION.window,
    new Map<number, FieldValue | undefined>([
      [FIELD.limitBytes, limitBytes],
      [FIELD.isAsking, isAsking ? 1 : undefined],
    ]),
  )
}

/** @throws {RemoteProtocolError} for a field that is no number */
export function decodeWindow(frame: Extension): WindowWords {
  const isAsking = frame.number(FIELD.isAsking) ?? 0
  if (isAsking > 1) throw new RemoteProtocolError('a WINDOW with an invalid flag')
  return { limitBytes: frame.number(FIELD.limitBytes), isAsking: isAsking === 1 }
}
