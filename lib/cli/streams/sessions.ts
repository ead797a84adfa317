// SPDX-License-Identifier: Apache-2.0
/** The sessions of `multipath serve`, from the greeting to the end. */
import type { Duplex } from 'node:stream'
import type { MultipathConn, MultipathError } from '../../index.js'
import { MuxSession } from '../../mux/index.js'
import { ignore } from '../../ignore.js'
import { oneLine } from '../cli-error.js'
import { shortAddress } from '../live/client-session.js'
import type { LiveSession } from '../live/live-session.js'
import type { OpenStreams } from '../live/open-streams.js'
import type { MeasureServer } from '../measure/serve-measure.js'
import type { HostPort } from '../parse.js'
import type { AllowList } from './allow-list.js'
import { greetAsServer, GreetingError, isAuthError, StrangerError } from './greet.js'
import type { Log } from './log.js'
import type { Lookups } from './lookups.js'
import { RemoteBinds } from './remote-binds.js'
import { serveSession } from './serve-session.js'
import { Strangers } from './strangers.js'
import type { Tasks } from './tasks.js'
import { FlowHub } from '../udp/flow-hub.js'
import { ServedFlows } from '../udp/serve-flow.js'

export interface SessionsInit {
  readonly token: Buffer | undefined
  /** An address has cost as much as `count` refused hellos: as of `MultipathListener`. */
  readonly charge: (address: string | undefined, count?: number) => void
  readonly allow: AllowList
  readonly allowUdp: AllowList
  readonly remote: readonly HostPort[]
  readonly maxSessions: number
  readonly maxStreams: number
  /** Milliseconds. */
  readonly connectTimeout: number
  readonly lookups: Lookups
  readonly measure: MeasureServer
  readonly tasks: Tasks
  readonly streams?: OpenStreams
  readonly log: Log
}

/** What a session runs over: a multipath connection. */
export type Carrier = Duplex &
  Pick<MultipathConn, 'remoteAddress' | 'setLimits' | 'datagrams'> & { resetAndDestroy(): unknown }

/** What tells of a session. */
export type Live = Pick<LiveSession, 'open' | 'summary'>

/** Budgets of a connection, bytes. */
export type SessionLimits = Parameters<MultipathConn['setLimits']>[0]

const KIB = 1024
const MIB = 1024 * KIB

/** Of one that has not greeted: who has shown no token may have us keep next to nothing. */
const STRANGER_BYTES = 65_536
const STRANGER_ACK_BYTES = 8192
export const STRANGER_LIMITS: SessionLimits = {
  maxUnackedBytes: STRANGER_BYTES,
  sendBufferBytes: STRANGER_BYTES,
  maxUnreadBytes: STRANGER_BYTES,
  maxReorderBytes: STRANGER_BYTES,
  maxOutstandingAckBytes: STRANGER_ACK_BYTES,
}
/** Of one that has: as of the library. */
const SESSION_LIMITS: SessionLimits = {
  maxUnackedBytes: 16 * MIB,
  sendBufferBytes: MIB,
  maxUnreadBytes: 16 * MIB,
  maxReorderBytes: 40 * MIB,
  maxOutstandingAckBytes: 256 * KIB,
}

const GREETING_MS = 10_000
/** A session that ended since its client broke a limit costs its address as much as so many refused hellos. */
const ABUSE_CHARGE = 16
/** Who has been refused has so long to read why, milliseconds. */
const LAST_WORDS_MS = 2000

export class Sessions {
  readonly #init: SessionsInit
  readonly #strangers = new Strangers()
  readonly #sessions = new Map<MuxSession, { readonly binds: RemoteBinds; readonly flows: ServedFlows }>()
  #isClosed = false
  #remote: readonly HostPort[]

  constructor(init: SessionsInit) {
    this.#init = init
    this.#remote = init.remote
  }

  /** From now on clients may have these ports listened on, and no others. */
  allowRemote(remote: readonly HostPort[]): void {
    this.#remote = remote
    for (const { binds } of this.#sessions.values()) binds.allow(remote)
  }

  /** Greets `conn` and serves it; `live` tells of it. Never rejects. */
  async take(conn: Carrier, live?: Live): Promise<void> {
    const { token, charge, log } = this.#init
    const client = shortAddress(conn.remoteAddress ?? 'a client')
    conn.on('error', ignore)
    const refusal = this.#strangers.add(conn)
    if (refusal !== undefined) {
      log.warn('client-refused', `refused ${client}: ${refusal}`, { client })
      charge(conn.remoteAddress)
      conn.destroy()
      return
    }
    conn.once('close', () => this.#strangers.delete(conn))
    try {
      await greetAsServer(conn, token, { timeoutMs: GREETING_MS }, () => this.#admit())
      if (this.#isClosed) throw new Error('closing')
      this.#strangers.delete(conn)
      conn.setLimits(SESSION_LIMITS)
      this.#serve(conn, client, live)
    } catch (error) {
      // Otherwise the listener has told of it, and charged the address.
      if (!isAuthError(error)) {
        log.warn('client-refused', `refused ${client}: ${oneLine(error)}`, { client })
        if (!this.#isClosed) charge(conn.remoteAddress)
      }
      dismissClient(conn, error)
    }
  }

  /** Takes no more streams, and resolves when all sessions are over. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#strangers.close()
    for (const { binds, flows } of this.#sessions.values()) {
      binds.close()
      flows.close()
    }
    await Promise.all([...this.#sessions.keys()].map((session) => session.close()))
  }

  destroy(): void {
    for (const session of this.#sessions.keys()) session.destroy()
  }

  #admit(): void {
    if (this.#sessions.size >= this.#init.maxSessions)
      throw new Error('too many clients are connected (see --max-sessions)')
  }

  #serve(conn: Carrier, client: string, live: Live | undefined): void {
    const { allow, maxStreams, connectTimeout: connectTimeoutMs, charge } = this.#init
    const { allowUdp, lookups, measure, tasks, streams, log } = this.#init
    const resolve = lookups.forClient()
    const session = new MuxSession(conn, { role: 'server', maxStreams, allowHalfOpen: true })
    const binds = new RemoteBinds({ session, allowed: this.#remote, maxConnections: maxStreams, tasks, log })
    const hub = (): FlowHub => new FlowHub(conn)
    const flows = new ServedFlows({
      ...{ hub, permission: allowUdp, timeoutMs: connectTimeoutMs, resolve, log },
      ...(streams !== undefined && { streams }),
    })
    this.#sessions.set(session, { binds, flows })
    session.once('close', (error?: Error) => {
      this.#sessions.delete(session)
      if ((error as Partial<MultipathError> | undefined)?.multipathCode === 'ERR_MULTIPATH_MUX_LIMIT')
        charge(conn.remoteAddress, ABUSE_CHARGE)
      const { text = '', fields = { client } } = live?.summary() ?? {}
      const why = error === undefined ? '' : `: ${oneLine(error)}`
      log.info('session-end', `${client} has disconnected${why}${text && ` (${text})`}`, {
        ...fields,
        reason: error?.message,
      })
    })
    if (live === undefined) log.info('session', `${client} is connected`, { client })
    else live.open(`${client} is connected`)
    serveSession({
      ...{ session, allow, allowUdp, flows, binds, connectTimeoutMs, measure, tasks, streams, log },
      resolve,
    })
  }
}

/** One that speaks our protocol is told why. Any other must not take its data for delivered. */
function dismissClient(conn: Carrier, error: unknown): void {
  if (!(error instanceof GreetingError) || error instanceof StrangerError) {
    conn.resetAndDestroy()
    return
  }
  // What it was told may still be on its way.
  conn.end()
  setTimeout(() => conn.destroy(), LAST_WORDS_MS).unref()
}
