// SPDX-License-Identifier: Apache-2.0
/** TLS 1.2 lets a peer ask for one handshake after the other on a connection that stands. TLS 1.3 does not. */
import { constants } from 'node:crypto'

interface WithSecureOptions {
  /** As of `tls.createSecureContext`. */
  readonly secureOptions?: number | undefined
}

/** Options of a client that refuses: a hostile server would have it compute. */
export function withoutRenegotiation<Options extends WithSecureOptions>(
  options: Options,
): Options & { secureOptions: number } {
  return { ...options, secureOptions: (options.secureOptions ?? 0) | constants.SSL_OP_NO_RENEGOTIATION }
}
