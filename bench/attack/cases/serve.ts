// SPDX-License-Identifier: Apache-2.0
/** Attacks on `multipath serve` by those without its token. */
import type { Duplex } from 'node:stream'
import { PassThrough } from 'node:stream'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:net'
import { MultipathDialer, tcpDialer } from 'multipath-net'
import { MuxSession } from 'multipath-net/mux'
import { processIo } from '../../../lib/cli/process-io.js'
import { runCli } from '../../../lib/cli/program.js'
import { greetAsClient } from '../../../lib/cli/streams/greet.js'
import { ANSWER_BYTES, encodeRequest } from '../../../lib/cli/streams/stream-request.js'
import { takeBytes } from '../../../lib/cli/streams/take-bytes.js'
import { attack } from '../../../spec/support/attacks.js'
import type { AttackCase } from '../attack-case.js'
import { FRIEND_ADDRESS } from '../attack-case.js'

const TOKEN = 'a token that only the friend knows'
const LIMITS = { timeoutMs: 10_000 }
const HELLO = Buffer.alloc(17)
const TICK_MS = 10
/** A valid client is in within this time, or it stops sending until it is. */
const ENTRY_MS = 2000
const AGAIN_MS = 1000

async function portOf(server: ReturnType<typeof createServer>): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

async function serve(): Promise<number> {
  const echo = await portOf(createServer((socket) => socket.on('error', () => {}).pipe(socket)))
  const free = createServer()
  const port = await portOf(free)
  free.close()
  const args = ['serve', '--listen', `127.0.0.1:${port}`, '--allow', `echo=127.0.0.1:${echo}`]
  const io = processIo(() => {
    throw new Error('serve has no namespace')
  })
  const listening = new Promise<void>((resolve) => {
    const report = (line: string): void => {
      if (line.includes('listening on')) resolve()
    }
    void runCli(args, { ...io, env: { MULTIPATH_TOKEN: TOKEN }, report })
  })
  await listening
  return port
}

/** A stream of a session of its own that leads to the echo. */
async function join(port: number): Promise<Duplex> {
  const path = tcpDialer({ host: '127.0.0.1', port, localAddress: FRIEND_ADDRESS })
  const conn = await new MultipathDialer('friend', [path], { secret: TOKEN }).dial()
  conn.on('error', () => {})
  await greetAsClient(conn, Buffer.from(TOKEN), LIMITS)
  const stream = new MuxSession(conn, { role: 'client' }).open()
  stream.on('error', () => {})
  stream.on('close', () => conn.destroy())
  stream.write(encodeRequest({ kind: 'service', host: 'echo', port: 0 }))
  await takeBytes(stream, ANSWER_BYTES, LIMITS)
  return stream
}

/** What is written comes back; each second it goes over to a session anew. */
class Newcomer extends PassThrough {
  readonly #port: number
  #stream: Duplex
  #isLate = false

  constructor(port: number, stream: Duplex) {
    super()
    this.#port = port
    this.#stream = this.#hear(stream)
    setTimeout(() => void this.#again(), AGAIN_MS)
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    if (!this.#isLate) this.#stream.write(chunk)
    callback()
  }

  #hear(stream: Duplex): Duplex {
    return stream.on('data', (bytes: Buffer) => this.push(bytes))
  }

  async #again(): Promise<void> {
    const timer = setTimeout(() => (this.#isLate = true), ENTRY_MS)
    const old = this.#stream
    for (;;)
      try {
        this.#stream = this.#hear(await join(this.#port))
        break
      } catch {
        // As forward does: again.
      }
    clearTimeout(timer)
    this.#isLate = false
    old.end()
    setTimeout(() => void this.#again(), AGAIN_MS)
  }
}

/** `perSecond` complete hellos, and not a byte more. */
function helloFlood(port: number, perSecond: number): void {
  let sent = 0
  const from = performance.now()
  setInterval(() => {
    for (; sent < ((performance.now() - from) * perSecond) / 1000; sent++) {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => {})
      socket.once('connect', () => socket.write(HELLO))
      socket.resume()
    }
  }, TICK_MS)
}

const SERVE = { budgetMiB: 200, messageBytes: 64, serve }

export const SERVE_CASES: Readonly<Record<string, AttackCase>> = {
  /** 918 hellos a second from one address. */
  strangers: {
    ...SERVE,
    sockets: 918,
    befriend: async (port) => new Newcomer(port, await join(port)),
    attack: helloFlood,
  },
  /** Connections without a token send all that they can: in order, and without the first frame. */
  'serve-memory': {
    ...SERVE,
    sockets: 40,
    befriend: join,
    attack: (port, sockets) => {
      attack('announced-never-reading', { port, sockets: sockets / 2, everyMs: 1000 })
      attack('announced-far-ahead', { port, sockets: sockets / 2, everyMs: 1000 })
    },
  },
}
