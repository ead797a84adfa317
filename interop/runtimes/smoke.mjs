// SPDX-License-Identifier: Apache-2.0
/**
 * What has to work in every runtime that has the modules of Node: run by runtimes.spec.ts in each, and by hand as
 * `deno run -A interop/runtimes/smoke.mjs`, after `npm run build`. Prints a line for each check.
 */
import { Buffer } from 'node:buffer'
import { execFile } from 'node:child_process'
import console from 'node:console'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect as netConnect, createServer as createNetServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { createServer as createTlsServer } from 'node:tls'
import { setTimeout } from 'node:timers'
import { fileURLToPath, URL } from 'node:url'
import { promisify } from 'node:util'
import {
  connect,
  createServer,
  MultipathDialer,
  MultipathListener,
  tcpDialer,
  tlsDialer,
  unixDialer,
  webSocketDialer,
  webSocketServer,
} from '../../dist/index.js'
import { MuxSession } from '../../dist/mux/index.js'

const MIB = 1_048_576
const LIMIT_MS = 20_000
const HOST = '127.0.0.1'
const bytes = Buffer.alloc(4 * MIB, (index) => index).map((_, index) => (index * 31 + (index >> 8)) & 255)

/** Between a path and its listener: what passes is counted, and may be cut. */
async function relay(port) {
  const sockets = new Set()
  const it = { passed: 0, port: 0, cut: () => {}, close: () => {} }
  const server = createNetServer((near) => {
    const far = netConnect({ port, host: HOST })
    for (const [from, to] of [
      [near, far],
      [far, near],
    ]) {
      sockets.add(from)
      from.on('error', () => to.destroy())
      from.on('close', () => to.destroy())
      from.on('data', (chunk) => {
        it.passed += chunk.length
        to.write(chunk)
      })
    }
  })
  server.listen(0, HOST)
  await once(server, 'listening')
  it.port = server.address().port
  it.cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  it.close = () => {
    server.close()
    it.cut()
  }
  return it
}

/** An echo over two paths. */
async function echo(use) {
  const server = createServer({ allowHalfOpen: true }, (conn) => {
    conn.on('error', () => {})
    conn.pipe(conn)
  })
  server.listen([
    { port: 0, host: HOST },
    { port: 0, host: HOST },
  ])
  await once(server, 'listening')
  const ports = server.addresses().map(({ port }) => port)
  try {
    await use(ports)
  } finally {
    server.close()
  }
}

/** An echo over one path to a server of any kind. */
async function echoBy(server, path) {
  const listener = new MultipathListener([server], [], { allowHalfOpen: true })
  const conn = await new MultipathDialer('smoke', [path], { allowHalfOpen: true }).dial()
  const far = await listener.accept()
  far.pipe(far)
  conn.end(bytes.subarray(0, MIB))
  same(await buffer(conn), bytes.subarray(0, MIB))
  await listener.close()
}

const CHECKS = {
  'connect and createServer: an echo over two paths, byte for byte, with a half-close': () =>
    echo(async (ports) => {
      const conn = connect({ paths: ports.map((port) => ({ port, host: HOST })), allowHalfOpen: true })
      conn.end(bytes)
      same(await buffer(conn), bytes)
    }),
  'a path is cut: the others carry on, and it is dialled again': () =>
    echo(async ([first, second]) => {
      const cut = await relay(first)
      const dialer = new MultipathDialer('smoke', [
        tcpDialer({ label: 'cut', host: HOST, port: cut.port }),
        tcpDialer({ label: 'kept', host: HOST, port: second }),
      ])
      const opened = []
      const closed = []
      dialer.on('subflow-open', ({ label }) => opened.push(label))
      dialer.on('subflow-close', ({ label }) => closed.push(label))
      const conn = await dialer.dial()
      while (!(opened.includes('cut') && opened.includes('kept'))) await once(dialer, 'subflow-open')
      const taken = buffer(conn)
      const writing = pipeline(
        async function* () {
          for (let at = 0; at < bytes.length; at += MIB) {
            if (at === MIB) {
              const again = once(dialer, 'subflow-open')
              cut.cut()
              await again
            }
            yield bytes.subarray(at, at + MIB)
          }
        },
        conn,
        { end: false },
      )
      await writing
      conn.end()
      same(await taken, bytes)
      if (!closed.includes('cut') || opened.filter((label) => label === 'cut').length < 2)
        throw new Error(`opened ${opened}, closed ${closed}`)
      cut.close()
    }),
  'a path over TLS, with a pinned certificate': async () => {
    const { key, cert, fingerprint } = JSON.parse(process.env.SMOKE_TLS)
    const server = createTlsServer({ key, cert }).listen(0, HOST)
    await once(server, 'listening')
    const { port } = server.address()
    await echoBy(server, tlsDialer({ label: 'tls', host: HOST, port, fingerprints: [fingerprint] }))
  },
  'a path over a Unix socket': async () => {
    const folder = mkdtempSync(join(tmpdir(), 'multipath-smoke-'))
    const path = join(folder, 'socket')
    const server = createNetServer().listen(path)
    await once(server, 'listening')
    await echoBy(server, unixDialer({ label: 'unix', path }))
    rmSync(folder, { recursive: true })
  },
  'a path over WebSocket': async () => {
    const server = await webSocketServer({ port: 0, host: HOST })
    await echoBy(server, webSocketDialer({ label: 'ws', url: `ws://${HOST}:${server.address().port}/` }))
  },
  'the command says its version': async () => {
    const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
    const args = process.versions.deno === undefined ? [main] : ['run', '-A', '--no-lock', main]
    const { stdout } = await promisify(execFile)(process.execPath, [...args, '--version'])
    if (!/^\d+\.\d+\.\d+/.test(stdout)) throw new Error(stdout)
  },
  'an error has its code: nobody listens': async () => {
    const server = createNetServer().listen(0, HOST)
    await once(server, 'listening')
    const { port } = server.address()
    server.close()
    await once(server, 'close')
    const conn = connect({ paths: [{ port, host: HOST }] })
    const [error] = await once(conn, 'error').catch((reason) => [reason])
    if (error.multipathCode !== 'ERR_MULTIPATH_FAIL_ON_ALL_DIALERS') throw error
  },
  'mux: a stream inside a connection': () =>
    echo(async () => {
      const server = createServer((conn) => {
        const session = new MuxSession(conn, { role: 'server' })
        session.on('stream', (stream) => stream.pipe(stream))
      })
      server.listen([{ port: 0, host: HOST }])
      await once(server, 'listening')
      const conn = connect({ paths: server.addresses().map(({ port }) => ({ port, host: HOST })) })
      await once(conn, 'connect')
      const session = new MuxSession(conn, { role: 'client' })
      const stream = session.open()
      stream.end(bytes.subarray(0, MIB))
      same(await buffer(stream), bytes.subarray(0, MIB))
      session.destroy()
      server.close()
    }),
}

function same(got, wanted) {
  if (!Buffer.from(wanted).equals(got))
    throw new Error(`${got.length} bytes came, not the ${wanted.length} that were sent`)
}

function late() {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error(`not done within ${LIMIT_MS} ms`)), LIMIT_MS).unref()
  })
}

let failed = 0
for (const [name, check] of Object.entries(CHECKS))
  try {
    await Promise.race([check(), late()])
    console.log(`ok ${name}`)
  } catch (error) {
    failed++
    console.log(`FAILED ${name}: ${error?.stack ?? error}`)
  }
process.exit(failed === 0 ? 0 : 1)
