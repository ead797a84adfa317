// SPDX-License-Identifier: Apache-2.0
/** One connection that has come to a port here, led to a place beyond the other end. */
import type { Socket } from 'node:net'
import { passOn } from './pass-on.js'
import type { ClientContext } from './run-client.js'
import type { StreamRequest } from './stream-request.js'

export interface LedTo {
  /** For the log and the monitor. */
  readonly target: string
  readonly request: StreamRequest
}

/** Resolves when the socket is closed; never rejects. */
export function leadTo(
  socket: Socket,
  { target, request }: LedTo,
  { keeper, log, streams }: ClientContext,
): Promise<void> {
  return passOn({
    socket,
    request,
    open: async (signal) => (await keeper.session(signal)).open(),
    onJoined: () => streams.add(target, socket),
    onOutcome: (outcome) => {
      if (outcome === 'ok') log.detail('stream', `${target}: open`, { target, outcome })
      else log.warn('refused', `${target}: ${outcome}`, { target, outcome })
    },
  })
}
