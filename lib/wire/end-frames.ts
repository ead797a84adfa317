// SPDX-License-Identifier: Apache-2.0
/** FIN and RESET: how a connection between two of ours ends, so that no one in between can end it early unnoticed. */
import type { FieldValue } from './extension.js'
import { encodeExtension, EXTENSION, type Extension, shortText } from './extension.js'
import { INSTANCE_BYTES } from './settings.js'

/** Bytes of UTF-8 in the reason of a reset. */
const MAX_REASON_BYTES = 128

const FIELD = { finNumber: 1, code: 1, reason: 2, nextFrame: 3, instance: 4 } as const

/**
 * Why the sender of a RESET is gone.
 *
 * - closed: it takes nothing any more, and knows of no error
 * - aborted: its application, or an error, has ended the connection early
 * - unknown: it does not know the connection that the subflow asked for
 */
export const RESET = { closed: 0, aborted: 1, unknown: 2 } as const

export interface Reset {
  /** One of {@link RESET}; an unknown one counts as `aborted`. */
  readonly code: number
  /** Of a peer: fit to be shown. */
  readonly reason?: string | undefined
  /** All frames before this one have come to the sender of the RESET, which may be ahead of its acks. */
  readonly nextFrame?: number | undefined
  /** Of a listener that does not know the connection: identity of its process. */
  readonly instance?: Uint8Array | undefined
}

/** @param number - of the frame that will never come: one above that of the last, and acked as if it had come */
export function encodeFin(number: number): Uint8Array {
  return encodeExtension(EXTENSION.fin, new Map([[FIELD.finNumber, number]]))
}

/** @throws {RemoteProtocolError} where the number is missing, or under 10 */
export function decodeFin(frame: Extension): number {
  return frame.frameNumber(FIELD.finNumber, 'a FIN without a frame number')
}

/** @param reset - its reason is cut to 128 bytes */
export function encodeReset({ code, reason, nextFrame, instance }: Reset): Uint8Array {
  const text = reason === undefined || reason === '' ? undefined : shortText(reason, MAX_REASON_BYTES)
  return encodeExtension(
    EXTENSION.reset,
    new Map<number, FieldValue | undefined>([
      [FIELD.code, code],
      [FIELD.reason, text],
      [FIELD.nextFrame, nextFrame],
      [FIELD.instance, instance],
    ]),
  )
}

/** @throws {RemoteProtocolError} where the reason is too long, or the code no number */
export function decodeReset(frame: Extension): Reset {
  const code = frame.number(FIELD.code) ?? RESET.aborted
  const reason = frame.text(FIELD.reason, MAX_REASON_BYTES)
  const nextFrame = frame.number(FIELD.nextFrame)
  return { code, reason, nextFrame, instance: frame.bytes(FIELD.instance, INSTANCE_BYTES) }
}
