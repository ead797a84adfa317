// SPDX-License-Identifier: Apache-2.0
/** What a listener's user is told of a stream that asks to join a connection. */
import type { MultipathConn } from '../conn/multipath-conn.js'
import type { IncomingStream } from '../transport/transport.js'

/** What is known of the peer behind a stream. */
export interface PeerFacts {
  /** Address that the stream came from. */
  readonly remoteAddress: string | undefined
  /** Port that the stream came from. */
  readonly remotePort: number | undefined
  /**
   * SHA-256 of the certificate whose key the peer holds, as of `X509Certificate.fingerprint256`: of a `tls.Server`
   * that has `requestCert`, otherwise `undefined`.
   */
  readonly fingerprint: string | undefined
}

/** A stream that asks to join a connection, whose CID it knew. */
export interface JoinRequest {
  /** Nothing may be read from it or written to it. */
  readonly stream: IncomingStream
  /** The connection that the stream asks to join. */
  readonly conn: MultipathConn
  /** What is known of the peer behind the stream. */
  readonly peer: PeerFacts
  /** Of the stream that opened the connection. */
  readonly first: PeerFacts
}

/** Only `true` lets the stream in. */
export type AuthorizeJoin = (request: JoinRequest) => boolean | Promise<boolean>
