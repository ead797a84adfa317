// SPDX-License-Identifier: Apache-2.0
/** Finds out what the other end of a connection can do for a measurement: it is greeted as `multipath serve` is. */
import { randomBytes } from 'node:crypto'
import type { MultipathConn } from '../../index.js'
import { MuxSession } from '../../mux/index.js'
import { GREETING_MS } from '../opened.js'
import { greetAsClient, isAuthError, StrangerError, tokenError } from '../streams/greet.js'
import { encodeGreeting, GREETING_BYTES, isGreeting } from '../streams/greeting.js'

/**
 * - measures: it has a session that can be measured each way by itself
 * - sends: it sends all the time, and reads
 * - echoes: it sends back what it gets
 * - reads: it sends nothing; whether it reads shows once it is sent something
 */
export type PeerRole = 'measures' | 'sends' | 'echoes' | 'reads'

export interface AskedPeer {
  readonly role: PeerRole
  /** Of one that measures. */
  readonly session: MuxSession | undefined
}

/** An answer takes a round trip, milliseconds. */
const ANSWER_MS = 2000

/**
 * @throws {GreetingError} where the other end requires a token, or another one
 * @throws why the connection went
 */
export async function askPeer(conn: MultipathConn, token: Uint8Array | undefined): Promise<AskedPeer> {
  const nonce = randomBytes(32)
  const greeting = encodeGreeting({ hasToken: token !== undefined, nonce })
  conn.write(greeting)
  const beginning = await firstBytes(conn, ANSWER_MS)
  if (isAuthError(conn.errored)) throw tokenError('the other end', token)
  if (conn.destroyed) throw conn.errored ?? new Error('the peer closed it')
  if (beginning === undefined) return { role: 'reads', session: undefined }
  conn.unshift(beginning)
  if (beginning.equals(greeting)) {
    conn.read(beginning.length)
    return { role: 'echoes', session: undefined }
  }
  if (!isGreeting(beginning)) return { role: 'sends', session: undefined }
  try {
    await greetAsClient(conn, token, { timeoutMs: GREETING_MS, sentNonce: nonce })
  } catch (error) {
    if (error instanceof StrangerError) return { role: 'sends', session: undefined }
    throw error
  }
  return { role: 'measures', session: new MuxSession(conn, { role: 'client', maxStreams: 0 }) }
}

/** As many as a greeting has, or those that came before the end; `undefined`: none came in time. */
export function firstBytes(conn: MultipathConn, waitMs: number): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const settle = (): void => {
      clearTimeout(timer)
      conn.off('readable', look)
      conn.off('end', settle)
      conn.off('close', settle)
      const count = Math.min(conn.readableLength, GREETING_BYTES)
      resolve(count === 0 ? undefined : (conn.read(count) ?? undefined))
    }
    const look = (): void => {
      // A look that asks for nothing has more read ahead.
      if (conn.readableLength >= GREETING_BYTES) settle()
      else conn.read(0)
    }
    const timer = setTimeout(settle, waitMs)
    conn.on('readable', look)
    conn.on('end', settle)
    conn.on('close', settle)
    if (conn.closed || conn.readableEnded) settle()
    else look()
  })
}
