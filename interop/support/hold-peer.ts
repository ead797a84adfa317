// SPDX-License-Identifier: Apache-2.0
/**
 * One side of a connection that loses all of its paths: `listen HOST PORT BYTES` or `dial HOST PORT BYTES`. Sends so many seeded
 * bytes at a steady rate, checks as many that it gets, and prints a line of JSON for each thing that happens.
 */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { interfacePaths, MultipathDialer, MultipathListener, type MultipathConn } from '../../lib/index.js'
import { Checker, SeededStream } from './seeded-data.js'

const [side, host, port, bytes] = process.argv.slice(2) as [string, string, string, string]
const CHUNK_BYTES = 256 * 1024
/** Between two chunks, milliseconds: 16 MiB/s at most. */
const PAUSE_MS = 16
/** So long without a byte, and the next one is told. */
const GAP_MS = 1500
const SEEDS = { listen: 191, dial: 192 }
const now: () => number = Date.now.bind(Date)
const tell = (event: object): void => console.log(JSON.stringify({ at: now(), ...event }))
// Somebody sets the clock.
process.on('SIGUSR2', () => {
  Date.now = () => now() + 3_600_000
})

async function send(conn: MultipathConn, seed: number): Promise<void> {
  const data = new SeededStream(seed)
  for (let sent = 0; sent < Number(bytes); sent += CHUNK_BYTES) {
    const chunk = data.next(Math.min(CHUNK_BYTES, Number(bytes) - sent))
    await new Promise<void>((resolve, reject) => {
      conn.write(chunk, (error) => (error ? reject(error) : resolve()))
    })
    await delay(PAUSE_MS)
  }
  conn.end()
}

async function receive(conn: MultipathConn, seed: number): Promise<void> {
  const checker = new Checker(seed)
  let last = now()
  for await (const chunk of conn.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Buffer>) {
    const gapMs = now() - last
    if (gapMs > GAP_MS) tell({ event: 'data', gapMs })
    if (checker.bytes === 0) tell({ event: 'first' })
    last = now()
    checker.add(chunk)
  }
  tell({ event: 'received', ...checker.result() })
}

async function serve(conn: MultipathConn): Promise<void> {
  conn.on('suspended', () => tell({ event: 'suspended' }))
  conn.on('resumed', ({ durationMs: ms }) => tell({ event: 'resumed', ms }))
  const [mine, theirs] = side === 'dial' ? [SEEDS.dial, SEEDS.listen] : [SEEDS.listen, SEEDS.dial]
  await Promise.all([send(conn, mine), receive(conn, theirs)])
}

async function listening(): Promise<MultipathListener> {
  const server = createServer().listen(Number(port), host)
  await once(server, 'listening')
  const listener = new MultipathListener([server], undefined, { allowHalfOpen: true })
  tell({ event: 'listening' })
  return listener
}

if (side === 'dial') {
  const dialer = new MultipathDialer('the server', interfacePaths({ host, port: Number(port) }), {
    allowHalfOpen: true,
  })
  await serve(await dialer.dial())
} else {
  const listener = await listening()
  await serve(await listener.accept())
  await listener.close()
}
