// SPDX-License-Identifier: Apache-2.0
/** Unknown CIDs from an address that has a connection: it is no licence. */
import { randomBytes } from 'node:crypto'
import type { AttackCase } from '../attack-case.js'
import { befriend, flood, MESSAGE_BYTES, open, serveEcho } from '../echo-listener.js'

export const UNKNOWN_CIDS_WITH_CONNECTION: AttackCase = {
  sockets: 50,
  budgetMiB: 384,
  messageBytes: MESSAGE_BYTES,
  serve: () => serveEcho({}),
  befriend,
  attack: async (port, sockets) => {
    await open(port)
    flood({ port, host: '127.0.0.1' }, sockets, (socket) => {
      socket.write(Buffer.concat([Buffer.alloc(1), randomBytes(16)]))
    })
  },
}
