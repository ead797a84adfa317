// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { execPath } from 'node:process'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { MultipathConn } from '../../lib/index.js'
import { createServer } from '../../lib/index.js'

const run = promisify(execFile)

/** What every program begins with; `closedAt` is set when nothing should keep it up any more. */
const PRELUDE = `
import { once } from 'node:events'
import { createServer } from 'node:net'
import { MultipathDialer, MultipathListener, connect, tcpDialer } from './dist/index.js'

const servers = [createServer(), createServer()]
for (const server of servers) { server.listen(0, '127.0.0.1'); await once(server, 'listening') }
const paths = servers.map((server) => tcpDialer({ host: '127.0.0.1', port: server.address().port }))
const hanging = { label: 'hanging', dial: ({ signal }) => new Promise((_, reject) => {
  signal.addEventListener('abort', () => reject(signal.reason))
}) }
let closedAt
process.on('exit', () => console.log(JSON.stringify({ lateMs: performance.now() - closedAt })))
async function pair(more = [], options) {
  const listener = new MultipathListener(servers)
  const dialer = new MultipathDialer('x', [...paths, ...more], options)
  const [near, far] = await Promise.all([dialer.dial(), listener.accept()])
  return { listener, near, far }
}
`

/** Milliseconds that the program stayed up after it had closed everything. */
async function lateness(program: string): Promise<number> {
  const { stdout, stderr } = await run(execPath, ['--input-type=module', '--eval', PRELUDE + program], {
    timeout: 25_000,
  })
  expect(stderr).toBe('')
  return (JSON.parse(stdout) as { lateMs: number }).lateMs
}

/** A program that has an echo of `ports` behind it, as `conn`, and goes on with `ending`. */
function runClient(ports: readonly number[], ending: string): Promise<{ stdout: string }> {
  const program = `
    import { once } from 'node:events'
    import { connect, tcpDialer } from './dist/index.js'
    const paths = ${JSON.stringify(ports)}.map((port) => tcpDialer({ host: '127.0.0.1', port }))
    const conn = connect({ paths })
    conn.write('echo')
    await once(conn, 'data')
    ${ending}`
  return run(execPath, ['--input-type=module', '--eval', program], { timeout: 25_000 })
}

/** What a program of another process dials. */
async function echoServer(): Promise<
  AsyncDisposable & { ports: number[]; accepted: MultipathConn[]; failure: Promise<Error> }
> {
  const accepted: MultipathConn[] = []
  const server = createServer((conn) => {
    accepted.push(conn)
    conn.pipe(conn)
  })
  const failure = once(server, 'connection').then(async ([conn]) => {
    const [error] = (await once(conn as MultipathConn, 'error')) as [Error]
    return error
  })
  failure.catch(() => undefined)
  server.listen([
    { port: 0, host: '127.0.0.1' },
    { port: 0, host: '127.0.0.1' },
  ])
  await once(server, 'listening')
  return {
    ports: server.addresses().map(({ port }) => port),
    accepted,
    failure,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

describe('a program', () => {
  it.each([
    [
      'that ended its connection and closed its listener',
      `const { listener, near, far } = await pair()
       far.pipe(far)
       near.resume().end('echo')
       await Promise.all([once(near, 'close'), once(far, 'close')])
       await listener.close()`,
    ],
    [
      'that destroyed its connection at one end',
      `const { listener, near, far } = await pair()
       far.on('error', () => {}).resume()
       near.write('unsent')
       near.destroy()
       await new Promise((resolve) => far.once('close', resolve))
       await listener.close()`,
    ],
    [
      'that set an idle time on a connection that is closed',
      `const { listener, near, far } = await pair()
       near.setTimeout(60_000)
       far.setTimeout(60_000)
       near.destroy()
       far.destroy()
       near.setTimeout(60_000)
       await listener.close()`,
    ],
    [
      'that destroyed a connection while a path of it was being dialled',
      `const { listener, near, far } = await pair([hanging])
       near.destroy()
       far.destroy()
       await listener.close()`,
    ],
    [
      'that destroyed a connection while a path of it waited for its redial',
      `const broken = { label: 'broken', dial: () => Promise.reject(new Error('broken')) }
       const { listener, near, far } = await pair([broken], { redialMinMs: 60_000, redialMaxMs: 60_000 })
       near.destroy()
       far.destroy()
       await listener.close()`,
    ],
    [
      'that aborted its dial',
      `const limit = new AbortController()
       const dialled = new MultipathDialer('x', [...paths, hanging]).dial({ signal: limit.signal })
       setTimeout(() => limit.abort(), 50)
       await dialled.catch(() => {})
       for (const server of servers) server.close()`,
    ],
    [
      'that gave up connect()',
      `const conn = connect({ paths: [...paths, hanging] })
       conn.write('never')
       conn.destroy()
       await once(conn, 'close')
       for (const server of servers) server.close()`,
    ],
    [
      'that closed its listener during a handshake',
      `const listener = new MultipathListener(servers)
       const socket = await paths[0].dial({ signal: new AbortController().signal })
       while (listener.pendingHandshakes === 0) await new Promise(setImmediate)
       await listener.close()
       socket.destroy()`,
    ],
    [
      'whose open connection and servers are unreferenced',
      `const { near, far } = await pair()
       near.unref()
       far.unref()
       for (const server of servers) server.unref()`,
    ],
  ])(
    '%s exits by itself',
    async (_what, program) => {
      expect(await lateness(`${program}\nclosedAt = performance.now()`)).toBeLessThan(2500)
    },
    30_000,
  )

  it('whose connection is referenced again stays up', async () => {
    const program = `
      const { listener, near, far } = await pair()
      for (const server of servers) server.unref()
      far.unref()
      near.unref()
      near.ref()
      closedAt = performance.now()
      setTimeout(() => { near.destroy(); far.destroy() }, 300).unref()`
    expect(await lateness(program)).toBeGreaterThan(290)
  }, 30_000)

  it('that destroys a connection delivers what it has accepted before it exits', async () => {
    const program = `
      const conn = connect({ paths })
      await once(conn, 'connect')
      for (const server of servers) server.unref()
      conn.write(Buffer.alloc(3_000_000))
      conn.destroy()
      closedAt = performance.now()
      const far = await listener.accept()
      let bytes = 0
      far.on('data', (chunk) => (bytes += chunk.length))
      far.unref()
      far.on('end', () => { if (bytes !== 3_000_000) throw new Error('only ' + bytes) })
      far.on('close', () => listener.close())
      process.on('exit', () => { if (bytes !== 3_000_000) console.error('only ' + bytes) })`
    expect(await lateness(`const listener = new MultipathListener(servers)\n${program}`)).toBeLessThan(2500)
  }, 30_000)

  it.each([
    ['by process.exit()', 'process.exit(3)', 3],
    ['by an uncaught exception', 'throw new Error("on purpose")', 1],
  ])(
    'that ends with open connections %s ends them for its peers at once',
    async (_how, last, code) => {
      await using server = await echoServer()
      const ending = `await conn.flushed()
${last}`
      await expect(runClient(server.ports, ending)).rejects.toMatchObject({ code })

      const [conn] = server.accepted
      if (!conn!.closed) await once(conn!, 'close')
      expect({ ended: conn!.readableEnded, suspended: conn!.isSuspended }).toEqual({
        ended: true,
        suspended: false,
      })
    },
    30_000,
  )

  it('that ends before its data is acked ends the connection with an error for its peer', async () => {
    await using server = await echoServer()
    const failed = server.failure
    await runClient(server.ports, 'conn.write(Buffer.alloc(30_000_000)); process.exit(0)')
    expect(await failed).toMatchObject({ multipathCode: 'ERR_MULTIPATH_INCOMPLETE' })
  }, 30_000)
})
