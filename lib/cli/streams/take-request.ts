// SPDX-License-Identifier: Apache-2.0
/** The side of a stream that did not open it: reads the request and answers it. */
import type { MuxStream } from '../../mux/index.js'
import { dismiss } from './splice.js'
import type { Answer, Refusal, StreamRequest } from './stream-request.js'
import { decodeRequestHead, encodeAnswer, REQUEST_HEAD_BYTES } from './stream-request.js'
import { takeBytes } from './take-bytes.js'

/** A peer has so long for its request, milliseconds, and to take our refusal. */
const REQUEST_MS = 10_000
const REFUSAL_MS = 5000

/** `undefined`: what came is no request, or too late; the stream has been told so and is closed. */
export async function takeRequest(stream: MuxStream): Promise<StreamRequest | undefined> {
  try {
    const limits = { timeoutMs: REQUEST_MS }
    const head = decodeRequestHead(await takeBytes(stream, REQUEST_HEAD_BYTES, limits))
    if (head !== undefined) {
      const host = await takeBytes(stream, head.hostBytes, limits)
      return { kind: head.kind, port: head.port, host: host.toString('latin1') }
    }
  } catch {
    // Below.
  }
  refuse(stream, 'bad-request')
  return undefined
}

export function refuse(stream: MuxStream, refusal: Refusal): void {
  dismiss(stream, encodeAnswer(refusal), REFUSAL_MS)
}

export function answer(stream: MuxStream, word: Answer): void {
  stream.write(encodeAnswer(word))
}
