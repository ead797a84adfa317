// SPDX-License-Identifier: Apache-2.0
/**
 * One end of a call: `serve PORT` says how long each message took, at its end; `dial SECONDS BYTES EVERY_MS HOST:PORT…` sends them. Both
 * read the same clock, whatever their network namespace.
 */
import { once } from 'node:events'
import type { MultipathConn } from 'multipath-net'
import { connect, createServer } from 'multipath-net'

const WARM_UP_MS = 3000
/** Longer than anything that is still worth something. */
const EXPIRES_MS = 1000

const [mode, ...args] = process.argv.slice(2)
const now = (): number => Number(process.hrtime.bigint()) / 1e6

async function serve(port: number): Promise<void> {
  const server = createServer((conn: MultipathConn) => {
    /** When each left, and how long it took. */
    const came: [at: number, tookMs: number][] = []
    const datagrams = conn.datagrams()
    datagrams.on('data', (message: Buffer) => {
      const at = message.readDoubleBE()
      came.push([at, now() - at])
    })
    conn.resume().once('end', () => {
      console.log(JSON.stringify({ came, stats: datagrams.stats }))
      conn.end()
    })
  })
  server.listen([{ port }])
  await once(server, 'listening')
  console.log('listening')
}

async function dial(
  seconds: number,
  bytes: number,
  everyMs: number,
  places: readonly string[],
): Promise<void> {
  const paths = places.map((place) => {
    const [host, port] = place.split(':')
    return { host, port: Number(port) }
  })
  const conn = connect({ paths })
  await once(conn, 'connect')
  await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS))
  console.log('begins')
  const datagrams = conn.datagrams({ expiresMs: EXPIRES_MS })
  const beganAt = now()
  let given = 0
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      // By the clock, however late the timer is.
      for (; beganAt + given * everyMs <= now(); given++) {
        const message = Buffer.alloc(bytes)
        message.writeDoubleBE(now())
        datagrams.send(message)
      }
      if (now() - beganAt < seconds * 1000) return
      clearInterval(timer)
      resolve()
    }, 1)
  })
  await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS))
  console.log(JSON.stringify({ given, stats: datagrams.stats }))
  conn.end()
  conn.resume()
  await once(conn, 'close')
}

if (mode === 'serve') await serve(Number(args[0]))
else await dial(Number(args[0]), Number(args[1]), Number(args[2]), args.slice(3))
