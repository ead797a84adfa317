// SPDX-License-Identifier: Apache-2.0
/** Opens flows for a command that keeps a session, and tells of them. */
import type { ClientContext } from '../streams/run-client.js'
import type { StreamRequest } from '../streams/stream-request.js'
import { Flow } from './flow.js'

export interface OpenFlow {
  /** For the log and the monitor. */
  readonly target: string
  readonly request: StreamRequest
  readonly onPacket: (packet: Buffer) => void
  readonly onClose: (flow: Flow) => void
}

export function openFlow({ keeper, hubOf, log, streams }: ClientContext, init: OpenFlow): Flow {
  const target = `udp ${init.target}`
  let end = (): void => {}
  const flow: Flow = new Flow({
    session: (signal) => keeper.session(signal),
    hubOf,
    request: init.request,
    onPacket: init.onPacket,
    onOutcome: (outcome) => {
      if (outcome === 'ok') {
        log.detail('stream', `${target}: open`, { target, outcome })
        end = streams.add(target, flow)
      } else log.warn('refused', `${target}: ${outcome}`, { target, outcome })
    },
    onClose: () => {
      end()
      init.onClose(flow)
    },
  })
  return flow
}
