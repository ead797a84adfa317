// SPDX-License-Identifier: Apache-2.0
/** Silent sockets from five addresses, at a victim that may have 1,024 descriptors, and needs some of its own. */
import { execFileSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import type { AttackCase } from '../attack-case.js'
import { befriend, flood, MESSAGE_BYTES, serveEcho } from '../echo-listener.js'

/** Descriptors that the victim opens and closes for itself, as for targets of streams. */
const OWN = 100
const ADDRESSES = [11, 12, 13, 14, 15].map((n) => `127.0.0.${n}`)

async function serve(): Promise<number> {
  execFileSync('prlimit', ['--pid', String(process.pid), '--nofile=1024:1024'])
  let isExhausted = false
  setInterval(() => {
    const own: number[] = []
    try {
      for (let n = 0; n < OWN; n++) own.push(openSync('/dev/null', 'r'))
    } catch {
      isExhausted = true
    }
    for (const fd of own) closeSync(fd)
  }, 100)
  return serveEcho({}, () => isExhausted)
}

export const DESCRIPTORS: AttackCase = {
  sockets: 2000,
  budgetMiB: 384,
  messageBytes: MESSAGE_BYTES,
  serve,
  befriend,
  attack: (port, sockets) => {
    for (const localAddress of ADDRESSES)
      flood({ port, host: '127.0.0.1', localAddress }, sockets / ADDRESSES.length, () => {})
  },
}
