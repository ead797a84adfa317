// SPDX-License-Identifier: Apache-2.0
/** Opens a stream to a place, and waits for the answer of the other end. */
import type { MuxStream } from '../../mux/index.js'
import { ignore } from '../../ignore.js'
import type { Outcome } from './pass-on.js'
import { answerOf } from './pass-on.js'
import type { StreamRequest } from './stream-request.js'
import { encodeRequest } from './stream-request.js'

/** Never rejects. */
export async function openTarget(
  open: (signal: AbortSignal) => Promise<MuxStream>,
  request: StreamRequest,
  signal: AbortSignal,
): Promise<MuxStream | Exclude<Outcome, 'ok'>> {
  let stream: MuxStream
  try {
    stream = await open(signal)
  } catch {
    return 'unavailable'
  }
  stream.on('error', ignore)
  stream.write(encodeRequest(request))
  const outcome = await answerOf(stream, signal)
  if (outcome === 'ok') return stream
  stream.destroy()
  return outcome
}
