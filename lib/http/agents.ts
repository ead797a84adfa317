// SPDX-License-Identifier: Apache-2.0
/** Agents for Node's own HTTP clients. */
import type { AgentOptions, ClientRequestArgs } from 'node:http'
import { Agent } from 'node:http'
import type { AgentOptions as HttpsAgentOptions, RequestOptions } from 'node:https'
import { Agent as TlsAgent } from 'node:https'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { HttpConnectOptions } from './target.js'
import { checked, open, targetOf, tied, timed } from './target.js'

/**
 * An `http.Agent` whose connections use several paths. A failed path delays a request instead of failing it. If no path can
 * be dialled, the request emits `error` (ERR_MULTIPATH_FAIL_ON_ALL_DIALERS, with `code` as of `net`).
 */
export class HttpAgent extends Agent {
  readonly #connect: HttpConnectOptions

  /**
   * @param connect - paths and other options of each connection, or a function that gives them for a target
   * @param options - those of `http.Agent`, such as `keepAlive`
   * @throws {OptionError} ERR_MULTIPATH_OPTION without paths
   */
  constructor(connect: HttpConnectOptions, options?: AgentOptions) {
    super(options)
    this.#connect = checked(connect)
  }

  /** Called by Node: returns a connection that is being dialled. */
  override createConnection(options: ClientRequestArgs): Duplex {
    return timed(open(this.#connect, targetOf(options, 80)), options.timeout)
  }
}

/**
 * An `https.Agent` whose TLS runs inside one connection over several paths, so that the server at its other end has to speak
 * TLS there. It caches TLS sessions and checks certificates as Node's own agent does.
 */
export class HttpsAgent extends TlsAgent {
  readonly #connect: HttpConnectOptions

  /**
   * @param connect - paths and other options of each connection, or a function that gives them for a target
   * @param options - those of `https.Agent`, such as `ca` and `keepAlive`
   * @throws {OptionError} ERR_MULTIPATH_OPTION without paths
   */
  constructor(connect: HttpConnectOptions, options?: HttpsAgentOptions) {
    super(options)
    this.#connect = checked(connect)
  }

  /** Called by Node: returns TLS over a connection that is being dialled. */
  override createConnection(options: RequestOptions): Duplex | null | undefined {
    // If TLS may end both directions with one, the rest of a response would be lost.
    const conn = open(this.#connect, targetOf(options, 443), { allowHalfOpen: true })
    const socket = super.createConnection({ ...options, socket: conn } as RequestOptions) as TLSSocket
    return timed(tied(socket, conn), options.timeout)
  }
}
