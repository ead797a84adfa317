// SPDX-License-Identifier: Apache-2.0
/** Tells of clients that do not have the token: the listener refuses them, some before it announces their connection. */
import type { MultipathListener } from '../index.js'
import { RemoteProtocolError } from '../index.js'
import { shortAddress } from './live/client-session.js'
import { isAuthError, tokenError } from './streams/greet.js'

/** @param token - of this end */
export function reportUnproven(
  listener: MultipathListener,
  token: Uint8Array | undefined,
  tell: (message: string, client: string) => void,
): void {
  listener.on('refused', (error, { remoteAddress = 'a client' }) => {
    // Of a path that joins a connection, the violation is told of.
    if (!isAuthError(error) || error instanceof RemoteProtocolError) return
    const client = shortAddress(remoteAddress)
    tell(`refused ${client}: ${tokenError('a client', token).message}`, client)
  })
}
