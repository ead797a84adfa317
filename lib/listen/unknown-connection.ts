// SPDX-License-Identifier: Apache-2.0
/**
 * The answer to one of ours that asks for a connection which is not there: so it learns at once that we have restarted, or
 * hold the connection no longer. It has to have announced itself behind its hello, since a Go peer would take an answer
 * for a join.
 */
import type { Hello } from '../conn/hello-io.js'
import type { IncomingStream } from '../transport/transport.js'
import { encodeReset, RESET } from '../wire/end-frames.js'
import { encodeHello } from '../wire/hello.js'
import { ANNOUNCEMENT } from '../wire/settings.js'
import { INSTANCE } from './cids.js'

/** The answer gets so long to leave, milliseconds. */
const ANSWER_MS = 1000

/** @returns whether the stream was answered, and closes by itself */
export function answerUnknown(stream: IncomingStream, { cid, head }: Hello): boolean {
  const isOurs = ANNOUNCEMENT.every((byte, at) => byte === head[at])
  if (!isOurs || !stream.writable) return false
  const reset = encodeReset({ code: RESET.unknown, instance: INSTANCE })
  stream.end(Buffer.concat([encodeHello(cid), ANNOUNCEMENT, reset]))
  const timer = setTimeout(() => stream.destroy(), ANSWER_MS)
  timer.unref()
  stream.once('close', () => {
    clearTimeout(timer)
  })
  stream.resume()
  return true
}
