// SPDX-License-Identifier: Apache-2.0
/** A stranger that resets its sockets before they are accepted, with a PROXY header in them: it names nobody. */
import { BlockList } from 'node:net'
import type { AttackCase } from '../attack-case.js'
import { FRIEND_ADDRESS } from '../attack-case.js'
import { befriend, flood, MESSAGE_BYTES, OPENING, serveEcho } from '../echo-listener.js'

const FORGED = '203.0.113.9'
const HEADER = Buffer.from(`PROXY TCP4 ${FORGED} 192.0.2.1 51000 7000\r\n`)

async function serve(): Promise<number> {
  const allowList = new BlockList()
  for (const address of [FRIEND_ADDRESS, FORGED]) allowList.addAddress(address)
  let isForged = false
  return serveEcho({ trustedProxies: ['127.0.0.200'], allowList }, ({ remoteAddress }) => {
    isForged ||= remoteAddress !== FRIEND_ADDRESS
    return isForged
  })
}

export const PROXY_RESET: AttackCase = {
  sockets: 50,
  budgetMiB: 384,
  messageBytes: MESSAGE_BYTES,
  serve,
  befriend,
  attack: (port, sockets) => {
    // The opening's answer is awaited by nobody: a frame of one byte comes right behind it.
    const frame = Buffer.from([0x01, 0x0a, 0x78])
    flood({ port, host: '127.0.0.1' }, sockets, (socket) => {
      socket.write(Buffer.concat([HEADER, OPENING, frame]), () => socket.resetAndDestroy())
    })
  },
}
