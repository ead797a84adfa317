// SPDX-License-Identifier: Apache-2.0
/** What net tells of the sockets that are opened for a connection, until it stands. */
import type { EventEmitter } from 'node:events'
import { callForeign } from './foreign.js'

const EVENTS = ['lookup', 'connectionAttempt', 'connectionAttemptFailed', 'connectionAttemptTimeout']

/** `conn` tells what `handle` tells: of each path the lookup of its host, and each address that is tried. */
export function tellAttempts(
  handle: EventEmitter,
  conn: EventEmitter & { readonly connecting: boolean },
): void {
  for (const event of EVENTS) {
    handle.on(event, (...args: unknown[]) => {
      if (conn.connecting) callForeign(() => conn.emit(event, ...args))
    })
  }
}
