// SPDX-License-Identifier: Apache-2.0
/** How programs use the streams of Node, on the two ends of a connection. */
import { createHash } from 'node:crypto'
import { on, once } from 'node:events'
import { Agent, createServer as createHttpServer, request } from 'node:http'
import type { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import {
  addAbortSignal,
  Duplex,
  finished as finishedWithCallback,
  isErrored,
  isReadable,
  PassThrough,
  Readable,
  Writable,
} from 'node:stream'
import { buffer, json, text } from 'node:stream/consumers'
import { finished, pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { quiet } from '../support/turns.js'
import type { Scenario, World } from './world.js'

const DATA = Buffer.from(Array.from({ length: 400_000 }, (_, index) => index % 251))

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function codeOf(error: unknown): unknown {
  return (error as NodeJS.ErrnoException).code
}

/** Both ends, which nobody reads yet. What is told of them is what the idiom returns. */
async function ends(world: World, options: object = {}): Promise<[client: Socket, server: Socket]> {
  const pair = await world.pair({ reads: [], client: options, server: options })
  for (const end of pair) end.on('error', () => {})
  return pair
}

/** An idiom whose result alone counts. */
function idiom(
  name: string,
  run: (client: Socket, server: Socket, world: World) => Promise<unknown>,
  options = {},
): Scenario {
  return [
    name,
    async (world) => {
      const result = await run(...(await ends(world, options)), world)
      world.logs.client.length = 0
      world.logs.server.length = 0
      return result
    },
  ]
}

const HALF = { allowHalfOpen: true }

export const IDIOMS: readonly Scenario[] = [
  idiom('once(data): a short write comes whole', async (client, server) => {
    const sizes: number[] = []
    for (const size of [3000, 5000]) {
      client.cork()
      client.write(DATA.subarray(0, 9))
      client.write(DATA.subarray(9, size))
      client.uncork()
      const [chunk] = (await once(server, 'data')) as [Buffer]
      sizes.push(chunk.length)
    }
    client.destroy()
    return sizes
  }),
  idiom('pipeline from a Readable to a consumer of all', async (client, server) => {
    const arrived = buffer(server)
    await pipeline(Readable.from([DATA, DATA]), client.resume())
    return digest(await arrived)
  }),
  idiom('pipeline through gzip and back', async (client, server) => {
    const chunks: Buffer[] = []
    const sink = new Writable({
      write(chunk: Buffer, _encoding, done) {
        chunks.push(chunk)
        done()
      },
    })
    await Promise.all([
      pipeline(Readable.from([DATA]), createGzip(), client.resume()),
      pipeline(server, createGunzip(), sink),
    ])
    return digest(Buffer.concat(chunks))
  }),
  idiom('pipeline both ways, as an echo', async (client, server) => {
    const echo = pipeline(server, server)
    client.end(DATA)
    const back = await buffer(client)
    await echo
    return digest(back)
  }),
  idiom('pipeline with a generator in the middle', async (client, server) => {
    const shout = async function* (source: AsyncIterable<Buffer>): AsyncGenerator<string> {
      for await (const chunk of source) yield String(chunk).toUpperCase()
    }
    const answered = pipeline(server, shout, server)
    client.end('whisper')
    const answer = await text(client)
    await answered
    return answer
  }),
  idiom('finished() with a callback', async (client, server) => {
    server.resume()
    const done = new Promise((resolve) => finishedWithCallback(client, resolve))
    client.resume().end('x')
    return (await done) ?? 'no error'
  }),
  idiom('finished() with a promise, of a socket that is reset', async (client, server) => {
    const done = finished(server.resume()).catch(codeOf)
    client.resetAndDestroy()
    return done
  }),
  idiom('finished() of a socket destroyed before its end', async (client) => {
    const done = finished(client).catch(codeOf)
    client.destroy()
    return done
  }),
  idiom('for await', async (client, server) => {
    client.resume().end(DATA)
    const chunks: Buffer[] = []
    for await (const chunk of server) chunks.push(chunk as Buffer)
    return [digest(Buffer.concat(chunks)), server.destroyed]
  }),
  idiom('for await, left by break, which destroys', async (client, server) => {
    client.write('x')
    for await (const _chunk of server) break
    await once(client.resume(), 'close')
    return [server.destroyed, client.errored]
  }),
  idiom('an iterator that does not destroy when it is left', async (client, server) => {
    client.write('first')
    for await (const _chunk of server.iterator({ destroyOnReturn: false })) break
    client.resume().end('second')
    return [server.destroyed, await text(server)]
  }),
  idiom('Readable.from() an async generator', async (client, server) => {
    const numbers = async function* (): AsyncGenerator<string> {
      for (let n = 0; n < 1000; n++) {
        if (n % 100 === 0) await quiet(1)
        yield `${n}\n`
      }
    }
    const arrived = text(server)
    await pipeline(Readable.from(numbers()), client.resume())
    return digest(Buffer.from(await arrived))
  }),
  idiom('Readable.toWeb() and Writable.toWeb()', async (client, server) => {
    const writer = Writable.toWeb(client.resume()).getWriter()
    await writer.write(DATA)
    const closed = writer.close()
    const chunks: Uint8Array[] = []
    for await (const chunk of Readable.toWeb(server)) chunks.push(chunk as Uint8Array)
    await closed
    return digest(Buffer.concat(chunks))
  }),
  idiom('Duplex.toWeb(), both ways', async (client, server) => {
    server.pipe(server)
    const { readable, writable } = Duplex.toWeb(client)
    const writer = writable.getWriter()
    void writer.write(Buffer.from('both ways'))
    void writer.close()
    return text(Readable.fromWeb(readable as never))
  }),
  idiom('addAbortSignal()', async (client) => {
    const limit = new AbortController()
    addAbortSignal(limit.signal, client)
    const closed = new Promise((resolve) => client.once('close', resolve))
    limit.abort()
    return [await closed, client.errored?.name]
  }),
  idiom('cork() and uncork()', async (client, server) => {
    client.resume().cork()
    for (const part of ['a', 'b', 'c']) client.write(part)
    const corked = client.writableLength
    client.uncork()
    client.end()
    return [corked, await text(server)]
  }),
  idiom('setEncoding()', async (client, server) => {
    server.setEncoding('utf8')
    client.resume().end('grün'.repeat(30_000))
    let whole = ''
    for await (const part of server) whole += part as string
    return [whole.length, digest(Buffer.from(whole))]
  }),
  idiom('setDefaultEncoding()', async (client, server) => {
    client.resume().setDefaultEncoding('hex').end('c3bc')
    return text(server)
  }),
  idiom('pause() and resume() at each chunk', async (client, server) => {
    const chunks: Buffer[] = []
    server.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      server.pause()
      setImmediate(() => server.resume())
    })
    client.resume().end(DATA)
    await once(server, 'end')
    return digest(Buffer.concat(chunks))
  }),
  idiom('unshift() of what belongs to somebody else', async (client, server) => {
    client.resume().end('HEAD rest')
    const [chunk] = (await once(server, 'data')) as [Buffer]
    server.pause()
    server.unshift(chunk.subarray(5))
    return [String(chunk.subarray(0, 4)), await text(server)]
  }),
  idiom('read(n) at each readable', async (client, server) => {
    const sizes: number[] = []
    server.on('readable', () => {
      for (let part = server.read(4) as Buffer | null; part !== null; part = server.read(4) as Buffer | null)
        sizes.push(part.length)
    })
    client.resume().end('0123456789')
    await once(server, 'end')
    return sizes
  }),
  idiom('once() and on() as promises', async (client, server) => {
    client.resume().write('one')
    const [first] = (await once(server, 'data')) as [Buffer]
    client.end('two')
    const rest: string[] = []
    for await (const [chunk] of on(server, 'data', { close: ['end'] }) as AsyncIterable<[Buffer]>)
      rest.push(String(chunk))
    return [String(first), rest.join('')]
  }),
  idiom('await using', async (client, server) => {
    const arrived = text(server)
    {
      const disposable: AsyncDisposable = client
      await using _using = disposable
    }
    return [client.destroyed, await arrived]
  }),
  idiom('consumers: json()', async (client, server) => {
    client.resume().end(JSON.stringify({ of: ['all', 1, null] }))
    return json(server)
  }),
  idiom('helpers of Readable: map, filter, take, toArray', async (client, server) => {
    client.resume().end('x'.repeat(1000))
    const bytes = server.map((chunk: Buffer) => chunk.length).filter((length: number) => length > 0)
    const sizes = (await bytes.take(1000).toArray()) as number[]
    return sizes.reduce((sum, size) => sum + size, 0)
  }),
  idiom('readline', async (client, server) => {
    client.resume().end('one\ntwo\nthree')
    const lines: string[] = []
    for await (const line of createInterface({ input: server })) lines.push(line)
    return lines
  }),
  idiom('pipe() with { end: false }', async (client, server) => {
    const arrived = text(server)
    const first = new PassThrough()
    first.pipe(client.resume(), { end: false })
    first.end('first ')
    await once(first, 'end')
    client.end('then mine')
    return arrived
  }),
  idiom('pipe() to two', async (client, server) => {
    const copies = [new PassThrough(), new PassThrough()]
    for (const copy of copies) server.pipe(copy)
    client.resume().end(DATA)
    return (await Promise.all(copies.map((copy) => buffer(copy)))).map(digest)
  }),
  idiom('unpipe()', async (client, server) => {
    const copy = new PassThrough()
    server.pipe(copy)
    server.unpipe(copy)
    client.resume().end('for me')
    return text(server)
  }),
  idiom('isReadable() and isErrored()', async (client, server) => {
    const before = [isReadable(server), isErrored(server)]
    client.resume().end()
    server.resume()
    await once(server, 'close')
    return [before, isReadable(server), isErrored(server)]
  }),
  idiom(
    'the answer behind the end of the question',
    async (client, server) => {
      server.on('end', () => server.end('answer')).resume()
      client.end('question')
      return text(client)
    },
    HALF,
  ),
  idiom('http, as a server takes a connection and a client makes one', async (client, server) => {
    const web = createHttpServer((incoming, response) => {
      incoming.resume().on('end', () => response.end(DATA))
    })
    web.emit('connection', server)
    const agent = Object.assign(new Agent(), { createConnection: () => client })
    const asked = request({ method: 'POST', agent }).end(DATA)
    const [response] = (await once(asked, 'response')) as [Readable]
    const bytes = await buffer(response)
    agent.destroy()
    return digest(bytes)
  }),
  idiom("http: Node's own answer to a bad request", async (client, server) => {
    const web = createHttpServer(() => {})
    web.emit('connection', server)
    client.end('no http\r\n\r\n')
    return text(client)
  }),
  idiom('http: a response that is cut off at its finish', async (client, server) => {
    const web = createHttpServer((_incoming, response) => {
      response.on('finish', () => server.destroy()).end(DATA)
    })
    web.emit('connection', server)
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    const answer = await buffer(client)
    return digest(answer.subarray(-DATA.length))
  }),
]
