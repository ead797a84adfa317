// SPDX-License-Identifier: Apache-2.0
/** The serving side of one session: each stream is led to what it asks for, if that is allowed. */
import type { MuxSession, MuxStream } from '../../mux/index.js'
import { ignore } from '../../ignore.js'
import type { MeasureServer } from '../measure/serve-measure.js'
import { formatHostPort } from '../parse.js'
import type { AllowList, Place } from './allow-list.js'
import { placeOf } from './allow-list.js'
import type { Resolve, TargetError } from './dial-target.js'
import { dialTarget } from './dial-target.js'
import { joinTarget } from './join-target.js'
import type { OpenStreams } from '../live/open-streams.js'
import type { Log } from './log.js'
import type { RemoteBinds } from './remote-binds.js'
import type { StreamRequest } from './stream-request.js'
import { refuse, takeRequest } from './take-request.js'
import type { Tasks } from './tasks.js'
import type { ServedFlows } from '../udp/serve-flow.js'

export interface ServeSessionInit {
  readonly session: MuxSession
  readonly allow: AllowList
  readonly allowUdp: AllowList
  readonly flows: ServedFlows
  readonly binds: RemoteBinds
  readonly connectTimeoutMs: number
  readonly resolve: Resolve
  readonly measure: MeasureServer
  readonly tasks: Tasks
  readonly streams?: OpenStreams | undefined
  readonly log: Log
}

/** Serves all streams that the client opens, from now on. */
export function serveSession(init: ServeSessionInit): void {
  init.session.on('stream', (stream) => {
    stream.on('error', ignore)
    void takeRequest(stream).then((request) => {
      if (request === undefined) return
      if (request.kind === 'measure') init.tasks.add(init.measure.serve(stream, request))
      else if (request.kind === 'listen')
        void init.binds.serve(stream, { host: request.host, port: request.port })
      else if (request.kind === 'udp') serveUdp(stream, request, init)
      else init.tasks.add(serveStream(stream, request, init))
    })
  })
}

async function serveStream(stream: MuxStream, request: StreamRequest, init: ServeSessionInit): Promise<void> {
  const { allow, log } = init
  const target = nameOf(request)
  const place = wantedPlace(request, allow)
  if (place === undefined) {
    const isKnown = request.kind === 'connect' || request.kind === 'service'
    log.warn('refused', `refused ${target}: no --allow defines it`, { target })
    refuse(stream, isKnown ? 'not-allowed' : 'bad-request')
    return
  }
  const left = new AbortController()
  const streamOnClose = (): void => left.abort()
  stream.once('close', streamOnClose)
  try {
    const socket = await dialTarget(place, {
      permission: allow,
      timeoutMs: init.connectTimeoutMs,
      resolve: init.resolve,
      signal: left.signal,
    })
    if (!(await joinTarget(stream, socket, target, log, init.streams))) return
    const counts = { receivedBytes: socket.bytesRead, sentBytes: socket.bytesWritten }
    log.detail(
      'stream-end',
      `${target}: closed, ${counts.sentBytes} bytes to it, ${counts.receivedBytes} from it`,
      {
        target,
        ...counts,
      },
    )
  } catch (error) {
    if (stream.destroyed) return
    const { refusal, isForbidden, message } = error as TargetError
    const tell = isForbidden ? 'warn' : 'detail'
    log[tell]('refused', `refused ${target}: ${message}`, { target, outcome: refusal })
    refuse(stream, refusal)
  }
}

function serveUdp(
  stream: MuxStream,
  request: StreamRequest,
  { allowUdp, flows, log }: ServeSessionInit,
): void {
  const target = `udp ${nameOf(request)}`
  const { host, port } = request
  const place = port === 0 ? allowUdp.named(host) : placeOf(host, port)
  if (place !== undefined) {
    void flows.serve(stream, place, target)
    return
  }
  log.warn('refused', `refused ${target}: no --allow defines it`, { target })
  refuse(stream, 'not-allowed')
}

function wantedPlace({ kind, host, port }: StreamRequest, allow: AllowList): Place | undefined {
  if (kind === 'service') return allow.named(host)
  return kind === 'connect' ? placeOf(host, port) : undefined
}

/** For the log: a client may have written anything. */
function nameOf({ kind, host, port }: StreamRequest): string {
  const shown = host.replaceAll(/[^ -~]/g, '?')
  return kind === 'service' || port === 0 ? shown : formatHostPort({ host: shown, port })
}
