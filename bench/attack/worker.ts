// SPDX-License-Identifier: Apache-2.0
/** One process of `npm run attack`: the victim, its friend, the sink or the attacker. Talks with the parent in messages. */
import { setPriority } from 'node:os'
import type { Duplex } from 'node:stream'
import { percentile } from '../shared/figures.js'
import { CASES } from './cases/index.js'

const MIB = 1_048_576
const EVERY_MS = 10
/** Of the attacker: on the internet it has processors of its own, and takes none of the victim's. */
const LOWEST_PRIORITY = 19

function tell(what: unknown): void {
  process.send!(what)
}

function tellPort(port: number): void {
  // Asked: what it has used and holds. A disconnected parent ends it in order, so that a profile is written.
  process.on('message', () => {
    const { user, system } = process.cpuUsage()
    tell({ memory: process.memoryUsage().rss / MIB, cpuSeconds: (user + system) / 1e6 })
  })
  process.on('disconnect', () => process.exit())
  tell(port)
}

function echoOn(conn: Duplex, messageBytes: number): void {
  const sentAt: number[] = []
  let times: number[] = []
  let received = 0
  conn.on('data', (chunk: Buffer) => {
    const before = Math.floor(received / messageBytes)
    received += chunk.length
    for (let n = before; n < Math.floor(received / messageBytes); n++)
      times.push(performance.now() - sentAt[n]!)
  })
  const from = performance.now()
  setInterval(() => {
    // A late timer catches up: the rate is to tell of the victim, not of this process.
    while (sentAt.length * EVERY_MS <= performance.now() - from) {
      sentAt.push(performance.now())
      conn.write(Buffer.alloc(messageBytes))
    }
  }, EVERY_MS)
  process.on('message', ({ seconds }: { seconds: number }) => {
    times = []
    const before = received
    setTimeout(() => {
      // What has not come back yet counts with its age: a victim that answers nothing has no good round trips.
      const now = performance.now()
      const waiting = sentAt.slice(Math.floor(received / messageBytes)).map((at) => now - at)
      const all = [...times, ...waiting]
      tell({
        rate: (received - before) / seconds / 1e6,
        median: percentile(all, 50),
        p99: percentile(all, 99),
      })
    }, seconds * 1000)
  })
  tell('ready')
}

const [role, name = '', port, sockets] = process.argv.slice(2)
const attackCase = CASES[name]
if (attackCase === undefined) throw new Error(`no attack ${name}; there are ${Object.keys(CASES).join(', ')}`)
if (role === 'serve') tellPort(await attackCase.serve())
else if (role === 'sink') tellPort(await attackCase.sink!())
else if (role === 'friend') echoOn(await attackCase.befriend(Number(port)), attackCase.messageBytes)
else {
  setPriority(LOWEST_PRIORITY)
  await attackCase.attack(Number(port), Number(sockets))
  tell('ready')
}
