// SPDX-License-Identifier: Apache-2.0
/** Joins that `authorizeJoin` refuses, from an address beside that of the connection. */
import type { AttackCase } from '../attack-case.js'
import { befriend, flood, MESSAGE_BYTES, open, serveEcho } from '../echo-listener.js'

export const REFUSED_JOINS: AttackCase = {
  sockets: 50,
  budgetMiB: 384,
  messageBytes: MESSAGE_BYTES,
  serve: () => serveEcho({ authorizeJoin: ({ first, peer }) => first.remoteAddress === peer.remoteAddress }),
  befriend,
  attack: async (port, sockets) => {
    const hello = await open(port)
    flood({ port, host: '127.0.0.1', localAddress: '127.0.0.3' }, sockets, (socket) => {
      socket.write(hello)
    })
  },
}
