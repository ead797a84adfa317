// SPDX-License-Identifier: Apache-2.0
/** Joins a stream of a session with the target that has been dialled for it. */
import type { Socket } from 'node:net'
import type { MuxStream } from '../../mux/index.js'
import type { OpenStreams } from '../live/open-streams.js'
import type { Log } from './log.js'
import { cut, Splice } from './splice.js'
import { answer } from './take-request.js'

/**
 * @param target - a name for the log
 * @returns once both are closed; whether they were joined, since the stream may have gone meanwhile
 */
export async function joinTarget(
  stream: MuxStream,
  socket: Socket,
  target: string,
  log: Log,
  streams?: OpenStreams,
): Promise<boolean> {
  log.detail('stream', `${target}: open`, { target })
  if (stream.destroyed) {
    cut(socket)
    return false
  }
  answer(stream, 'ok')
  const splice = new Splice(stream, socket)
  splice.lead()
  const end = streams?.add(target, socket)
  await splice.join()
  end?.()
  return true
}
