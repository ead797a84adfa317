// SPDX-License-Identifier: Apache-2.0
/** A connection that is measured and does nothing else: what `nc --listen --benchmark` becomes where its peer asks for it. */
import type { MultipathConn } from '../../index.js'
import { MuxSession } from '../../mux/index.js'
import { ignore } from '../../ignore.js'
import { GREETING_MS } from '../opened.js'
import { greetAsServer } from '../streams/greet.js'
import { isGreeting } from '../streams/greeting.js'
import { refuse, takeRequest } from '../streams/take-request.js'
import { firstBytes } from './ask-peer.js'
import type { MeasureServer } from './serve-measure.js'

/** Of one connection. */
const MAX_STREAMS = 8

/** Whether the peer begins as one that measures; waits for its first bytes, `waitMs` at most. What has come stays to be read. */
export async function wantsMeasuring(conn: MultipathConn, waitMs: number): Promise<boolean> {
  const beginning = await firstBytes(conn, waitMs)
  if (beginning !== undefined && !conn.destroyed) conn.unshift(beginning)
  return beginning !== undefined && isGreeting(beginning)
}

/** Resolves once it is closed; never rejects. */
export async function serveMeasured(
  conn: MultipathConn,
  measure: MeasureServer,
  token: Uint8Array | undefined,
): Promise<void> {
  conn.on('error', ignore)
  const closed = new Promise<void>((resolve) => conn.once('close', () => resolve()))
  try {
    await greetAsServer(conn, token, { timeoutMs: GREETING_MS }, ignore)
    const session = new MuxSession(conn, { role: 'server', maxStreams: MAX_STREAMS, allowHalfOpen: true })
    session.on('stream', (stream) => {
      stream.on('error', ignore)
      void takeRequest(stream).then((request) => {
        if (request?.kind === 'measure') void measure.serve(stream, request)
        else if (request !== undefined) refuse(stream, 'not-allowed')
      })
    })
  } catch {
    conn.end()
  }
  if (!conn.closed) await closed
}
