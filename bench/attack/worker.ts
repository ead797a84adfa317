/** One process of `npm run attack`: the listener, its friend, the sink or the attacker. Talks with the parent in messages. */
import { once } from 'node:events'
import type { AddressInfo, Server } from 'node:net'
import { createServer } from 'node:net'
import { setPriority } from 'node:os'
import { createServer as createTlsServer } from 'node:tls'
import { MultipathDialer, MultipathListener, tcpDialer, tlsDialer } from 'multipath-net'
import { attack } from '../../spec/support/attacks.js'
import { CERTIFICATE } from '../../spec/support/certificate.js'
import { percentile } from '../shared/figures.js'

const MIB = 1_048_576
/** A message of the friend, bytes; one is due each so many milliseconds. */
const MESSAGE_BYTES = 16_384
const EVERY_MS = 10
/** The attacker comes from 127.0.0.1. */
const FRIEND_ADDRESS = '127.0.0.2'
/** Of the attacker: on the internet it has processors of its own, and takes none of the listener's. */
const LOWEST_PRIORITY = 19
/** 128 connections of at most 2 MiB, beside the 100 MiB of the process: the budget is 384 MiB. */
const LIMITS = {
  maxConnections: 128,
  maxUnackedBytes: MIB / 2,
  sendBufferBytes: MIB / 4,
  maxUnreadBytes: MIB / 2,
  maxReorderBytes: MIB / 2,
  lingerMs: 2000,
}

function tell(what: unknown): void {
  process.send!(what)
}

async function listening(isTls: boolean): Promise<Server> {
  const server = isTls ? createTlsServer(CERTIFICATE) : createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

function tellPort(server: Server): void {
  // Asked: what it has used and holds. A disconnected parent ends it in order, so that a profile is written.
  process.on('message', () => {
    const { user, system } = process.cpuUsage()
    tell({ memory: process.memoryUsage().rss / MIB, cpuSeconds: (user + system) / 1e6 })
  })
  process.on('disconnect', () => process.exit())
  tell((server.address() as AddressInfo).port)
}

async function serve(isTls: boolean): Promise<void> {
  const server = await listening(isTls)
  const listener = new MultipathListener([server], [], LIMITS)
  tellPort(server)
  for await (const conn of listener) {
    conn.on('error', () => {})
    conn.pipe(conn)
  }
}

/** What Node alone does with the same bytes: it reads and drops them. */
async function sink(isTls: boolean): Promise<void> {
  const server = await listening(isTls)
  server.on('connection', (socket) => {
    socket.on('error', () => {})
    if (!isTls) socket.resume()
  })
  server.on('tlsClientError', () => {})
  tellPort(server)
}

async function befriend(isTls: boolean, port: number): Promise<void> {
  const place = { host: '127.0.0.1', port, localAddress: FRIEND_ADDRESS }
  const path = isTls ? tlsDialer({ ...place, rejectUnauthorized: false }) : tcpDialer(place)
  const conn = await new MultipathDialer('friend', [path]).dial()
  const sentAt: number[] = []
  let times: number[] = []
  let received = 0
  conn.on('data', (chunk: Buffer) => {
    const before = Math.floor(received / MESSAGE_BYTES)
    received += chunk.length
    for (let n = before; n < Math.floor(received / MESSAGE_BYTES); n++)
      times.push(performance.now() - sentAt[n]!)
  })
  const from = performance.now()
  setInterval(() => {
    // A late timer catches up: the rate is to tell of the listener, not of this process.
    while (sentAt.length * EVERY_MS <= performance.now() - from) {
      sentAt.push(performance.now())
      conn.write(Buffer.alloc(MESSAGE_BYTES))
    }
  }, EVERY_MS)
  process.on('message', ({ seconds }: { seconds: number }) => {
    times = []
    const before = received
    setTimeout(() => {
      tell({
        rate: (received - before) / seconds / 1e6,
        median: percentile(times, 50),
        p99: percentile(times, 99),
      })
    }, seconds * 1000)
  })
  tell('ready')
}

const [role, name = '', port, sockets] = process.argv.slice(2)
const isTls = name === 'truncated-tls'
if (role === 'serve') await serve(isTls)
else if (role === 'sink') await sink(isTls)
else if (role === 'friend') await befriend(isTls, Number(port))
else {
  setPriority(LOWEST_PRIORITY)
  attack(name, { port: Number(port), sockets: Number(sockets), everyMs: 1000 })
  tell('ready')
}
