// SPDX-License-Identifier: Apache-2.0
/** Attacks of spec/support/websocket-attacks.ts on a `webSocketServer` with a port of its own. */
import type { AddressInfo } from 'node:net'
import { MultipathDialer, MultipathListener, webSocketDialer, webSocketServer } from 'multipath-net'
import { attack } from '../../../spec/support/attacks.js'
import { WEBSOCKET_ATTACKS } from '../../../spec/support/websocket-attacks.js'
import type { AttackCase } from '../attack-case.js'
import { FRIEND_ADDRESS } from '../attack-case.js'

/** Attacks by the number of sockets; the others send all that they can. */
const BY_NUMBER: readonly string[] = ['websocket-idle']

async function serve(): Promise<number> {
  const acceptor = await webSocketServer({ port: 0, host: '127.0.0.1' })
  const listener = new MultipathListener([acceptor])
  void (async () => {
    for await (const conn of listener) conn.on('error', () => {}).pipe(conn)
  })()
  return (acceptor.address() as AddressInfo).port
}

function webSocketCase(name: string): AttackCase {
  return {
    sockets: BY_NUMBER.includes(name) ? 2000 : 8,
    budgetMiB: 200,
    messageBytes: 64,
    serve,
    befriend: (port) => {
      const path = webSocketDialer({ url: `ws://127.0.0.1:${port}`, localAddress: FRIEND_ADDRESS })
      return new MultipathDialer('friend', [path]).dial()
    },
    attack: (port, sockets) => attack(name, { port, sockets, everyMs: 100, behaviours: WEBSOCKET_ATTACKS }),
  }
}

export const WEBSOCKET_CASES: Readonly<Record<string, AttackCase>> = Object.fromEntries(
  Object.keys(WEBSOCKET_ATTACKS).map((name) => [name, webSocketCase(name)]),
)
