// SPDX-License-Identifier: Apache-2.0
/** A CID is all that it takes to join a connection: nothing that is printed, thrown, emitted or returned holds one. */
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { format, inspect } from 'node:util'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { DialerOptions, ListenerOptions } from '../lib/index.js'
import { MultipathDialer, MultipathListener } from '../lib/index.js'
import type * as Cids from '../lib/listen/cids.js'
import { nc } from './support/cli-process.js'
import { readBytes, upCount } from './support/pair.js'
import { tells } from './support/secrets.js'
import { at, dial, forward, serve, target } from './support/streams.js'
import { client, heardUntilClose, listening, pathTo, portOf } from './support/tcp.js'
import { quiet, until } from './support/turns.js'

/** Every CID of this process. */
const made = vi.hoisted(() => ({ cids: [] as Uint8Array[], told: [] as string[] }))

vi.mock('../lib/listen/cids.js', async (load) => {
  const cids = await load<typeof Cids>()
  return {
    ...cids,
    newCid: () => {
      const cid = cids.newCid()
      made.cids.push(Uint8Array.from(cid))
      return cid
    },
  }
})
// As NODE_DEBUG=multipath would print it.
vi.mock('../lib/debug.js', () => ({ debug: (...words: unknown[]) => void made.told.push(format(...words)) }))

/** A hello, and the pong that every dialer says with the answer. */
const OPENING = Buffer.concat([Buffer.alloc(17), Buffer.of(0, 1)])

function tell(...values: unknown[]): void {
  for (const value of values) {
    made.told.push(inspect(value, { depth: 8, showHidden: true, maxArrayLength: null }))
    if (value instanceof Error) made.told.push(String(value.stack), String(value.cause))
  }
}

/** What events say goes to `made.told`. */
function watched(kind: string, emitter: { on: (name: never, heard: (...args: never[]) => void) => unknown }) {
  const names = ['subflow-open', 'subflow-suspect', 'subflow-recovered', 'subflow-close', 'path-failure']
  // The connection is looked at by itself: its streams hold what they have sent, as any socket does.
  for (const name of [...names, 'refused'])
    emitter.on(name as never, (...args: unknown[]) => tell(`${kind} ${name}`, args[0]))
}

const trace = (line: string): void => void made.told.push(line)

async function listener(options: ListenerOptions = {}) {
  const server = await listening()
  const listens = new MultipathListener([server], [], { trace, ...options })
  onTestFinished(() => listens.close())
  watched('listener', listens)
  return { server, listens }
}

function dialer(server: Awaited<ReturnType<typeof listener>>['server'], options: DialerOptions = {}) {
  const paths = ['a', 'b', 'c'].map((label) => pathTo(server, label))
  const dials = new MultipathDialer('x', paths, { trace, ...options })
  watched('dialer', dials)
  return dials
}

/** Says `hello` to `server`. Resolves once it has been refused. */
async function refused(server: Parameters<typeof client>[0], hello: Uint8Array): Promise<void> {
  const socket = await client(server)
  socket.write(hello)
  expect(await heardUntilClose(socket)).toHaveLength(0)
  await quiet()
}

const helloOf = (cid: Uint8Array): Buffer => Buffer.concat([Buffer.alloc(1), cid])

afterEach(() => {
  made.told.length = 0
  made.cids.length = 0
})

/** What was told holds none of the CIDs, but did hold what it was looked for in. */
function expectNoCid(...words: string[]): void {
  const all = made.told.join('\n')
  for (const word of words) expect(all).toContain(word)
  expect(made.cids.length).toBeGreaterThan(0)
  expect(made.cids.filter((cid) => tells(all, cid))).toEqual([])
}

describe('the search for a CID', () => {
  const uuid = randomUUID()
  const cid = Buffer.from(uuid.replaceAll('-', ''), 'hex')

  it.each([
    ['a UUID', `conn ${uuid}!`],
    ['hex in capitals', cid.toString('hex').toUpperCase()],
    ['a part in hex', cid.subarray(5, 11).toString('hex')],
    ['what Node shows of a Buffer', inspect(cid)],
    ['what Node shows of an Uint8Array', inspect(Uint8Array.from(cid))],
    ['the JSON of a Buffer', JSON.stringify({ cid })],
    ['base64', cid.toString('base64')],
    ['base64 of the hello', helloOf(cid).toString('base64url')],
    ['the bytes themselves', cid.toString('latin1')],
  ])('finds %s', (_what, told) => {
    expect(tells(told, cid)).toBe(true)
  })

  it('finds nothing in the name of a connection, or in that of another', () => {
    expect(tells(`${cid.toString('hex', 0, 3)}… ${randomUUID()} ${randomUUID()}`, cid)).toBe(false)
  })
})

describe('no CID is to be found', () => {
  it('in events, stats, traces and the debug log of connections, whole or failing', async () => {
    const { server, listens } = await listener()
    const dials = dialer(server)
    const [near, far] = await Promise.all([dials.dial(), listens.accept()])
    await until(() => upCount(far) === 3)
    near.write('hello')
    await readBytes(far, 5)
    for (const conn of [near, far]) {
      conn.on('error', tell)
      tell(conn.name, conn.subflows(), conn.paths(), conn.address())
    }
    tell(dials.stats(), dials.formatStats(), dials.label, inspect(dials), inspect(listens))
    near.resetAndDestroy()
    far.destroy()
    await until(() => listens.connections === 0)
    expect(near.name.length).toBe(7)
    expectNoCid('subflow-open', '"ev":"open"', 'subflow 1 127.0.0.1', near.name)
  })

  it('in the refusals of joins: an unknown CID, that of a connection which is over, too many', async () => {
    const { server, listens } = await listener({ maxSubflows: 3, maxJoinsPerSecond: 1 })
    const [near, far] = await Promise.all([dialer(server).dial(), listens.accept()])
    await until(() => upCount(far) === 3)
    const [cid] = made.cids as [Uint8Array]
    await refused(server, helloOf(cid))
    near.destroy()
    far.destroy()
    await until(() => listens.connections === 0)
    await refused(server, helloOf(cid))
    const guess = randomBytes(16)
    made.cids.push(guess)
    await refused(server, helloOf(guess))
    expectNoCid(': too many subflows of one connection', 'has just ended', 'unknown CID')
  })

  it.each<[string, ListenerOptions['authorizeJoin']]>([
    ['false', () => false],
    [
      'an error',
      () => {
        throw new Error('authorizeJoin did not let it in')
      },
    ],
  ])('in what authorizeJoin gets, and in its refusal by %s', async (_what, answer) => {
    const { server, listens } = await listener({
      authorizeJoin: (request) => {
        tell(request.peer, request.first, request.conn.name)
        return answer!(request)
      },
    })
    const [near, far] = await Promise.all([dialer(server, { redialRetries: 0 }).dial(), listens.accept()])
    await until(() => made.told.filter((line) => line.includes('authorizeJoin did not let')).length >= 2)
    near.destroy()
    far.destroy()
    expectNoCid('authorizeJoin did not let', 'fingerprint')
  })

  it('in the errors of a dialer whom a listener answers with another CID, or with bytes that are no frames', async () => {
    const answers = [randomBytes(16), randomBytes(16)]
    made.cids.push(...answers)
    let said = 0
    const server = await listening(
      createServer((socket) => {
        socket.on('error', () => {})
        // The first stream opens a connection, the others get a CID that was not asked for.
        const cid = answers[Math.min(said++, 1)]!
        socket.once('data', () => {
          socket.write(helloOf(cid))
          if (said > 2) setImmediate(() => socket.write(Buffer.alloc(64, 0xff)))
        })
      }),
    )
    const dials = dialer(server, { redialRetries: 0 })
    const near = await dials.dial()
    near.on('error', tell)
    await until(() => made.told.filter((line) => line.includes('a different CID')).length >= 2)
    near.destroy()
    tell(await dials.dial({ signal: AbortSignal.abort() }).catch((error: unknown) => error))
    expectNoCid('ERR_MULTIPATH_UNEXPECTED_CID')
  })

  it('in an error of a subflow that brings what is no frame', async () => {
    const { server, listens } = await listener()
    const socket = await client(server)
    socket.write(OPENING)
    const far = await listens.accept()
    far.on('error', tell)
    const [cid] = made.cids as [Uint8Array]
    // A frame that would be too long, and the CID as if it were one.
    socket.write(Buffer.concat([Buffer.from('bfffffff', 'hex'), cid]))
    await until(() => listens.connections === 0)
    far.destroy()
    expectNoCid('subflow-close', 'ERR_MULTIPATH_')
  })

  it('in what multipath nc prints and traces', async () => {
    const { env, traces } = traced()
    await using listens = nc(['-l', '-v', '-a'], { env })
    const sniffer = await sniffing(await listens.port())
    await using dials = nc(['-v', '-a', '-x', '3', at(sniffer)], { input: 'pipe', env })
    dials.stdin.end('hello')
    for (const { lines, out } of await Promise.all([listens.exited, dials.exited]))
      made.told.push(lines.join('\n'), out.toString('latin1'))
    made.told.push(...traces())
    expectNoCid('MULTIPATH', 'hello', '"ev":"open"', '"side":"listener"')
  })

  it.each([[[]], [['--json']]])('in what multipath serve and forward print and trace %j', async (json) => {
    const { env, traces } = traced()
    const start = { env: { ...env, MULTIPATH_TOKEN: 'a token that only this spec knows' } }
    const port = await target((socket) => socket.end('hello'))
    const server = await serve(['-v', ...json, '--allow', at(port)], start)
    const client = await forward(await sniffing(server.port), at(port), ['-v', ...json], start)
    made.told.push(await text(await dial(client.port)))
    for (const { cli } of [client, server]) {
      cli.kill('SIGTERM')
      made.told.push(...(await cli.exited).lines)
    }
    made.told.push(...traces())
    expectNoCid('MULTIPATH', 'hello', '"ev":"open"', '"side":"listener"')
  })
})

/** An environment in which a process tells all it can. */
function traced(): { env: Record<string, string>; traces: () => string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'secrecy-'))
  onTestFinished(() => {
    rmSync(folder, { recursive: true })
  })
  return {
    env: { NODE_DEBUG: 'multipath', MULTIPATH_TRACE: join(folder, '%p') },
    traces: () => readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8')),
  }
}

/** Passes everything on to `port`, and takes the CID out of the listener's answers. */
async function sniffing(port: number): Promise<number> {
  const server = createServer((socket) => {
    const on = connect(port, '127.0.0.1')
    for (const end of [socket, on]) end.on('error', () => {})
    on.once('data', (bytes: Buffer) => made.cids.push(bytes.subarray(1, 17)))
    socket.pipe(on).pipe(socket)
  })
  return portOf(await listening(server))
}
