// SPDX-License-Identifier: Apache-2.0
/** Datagrams as an application has them: a stream of messages beside the connection. */
import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { DatagramStream } from '../../lib/index.js'
import { connect, createServer, MultipathDialer, MultipathError, OptionError } from '../../lib/index.js'
import { catchUncaught } from '../support/outside.js'
import { connectedPair, readAll } from '../support/pair.js'
import { quiet, until } from '../support/turns.js'
import { GoLikeSubflow } from '../support/go-like.js'
import { memoryPaths, type MemoryStream } from '../support/memory-path.js'

/** The next `count` messages, as text. */
async function next(stream: DatagramStream, count: number): Promise<string[]> {
  const texts: string[] = []
  while (texts.length < count) {
    const message = stream.read() as Buffer | null
    if (message === null) await once(stream, 'readable')
    else texts.push(message.toString())
  }
  return texts
}

describe('the datagrams of a connection', () => {
  it('arrive as they were sent, both ways, beside its bytes, and end with it', async () => {
    const { near, far } = await connectedPair({ paths: 2 })
    const [ours, theirs] = [near.datagrams(), far.datagrams()]
    ours.send('to you')
    ours.write(Buffer.from('and again'))
    theirs.send(new Uint8Array(0))
    theirs.send(Buffer.alloc(65_536, 'x'), { copies: 1, priority: 7, expiresMs: 10_000 })
    expect(await next(theirs, 2)).toEqual(['to you', 'and again'])
    expect((await next(ours, 2)).map(({ length }) => length).toSorted()).toEqual([0, 65_536])
    near.end('bytes')
    far.end()
    expect((await readAll(far)).toString()).toBe('bytes')
    near.resume()
    const rest: unknown[] = []
    for await (const message of ours) rest.push(message)
    expect(rest).toEqual([])
    await until(() => theirs.destroyed || theirs.readableEnded || theirs.resume().readableEnded)
    expect(ours.errored).toBeNull()
  })

  it('arrive, and the bytes beside them, though a listener of one throws', async () => {
    const caught = catchUncaught()
    const { near, far } = await connectedPair()
    const [ours, theirs] = [near.datagrams(), far.datagrams()]
    const heard: string[] = []
    theirs.on('data', (message: Buffer) => {
      heard.push(String(message))
      throw new Error(`from the listener of ${String(message)}`)
    })
    for (const text of ['a', 'b']) ours.send(text)
    near.end('bytes')
    far.end()
    expect((await readAll(far)).toString()).toBe('bytes')
    await until(() => caught.exceptions.length === 2)
    expect(heard).toEqual(['a', 'b'])
    expect(far.errored).toBeNull()
  })

  it('say when the peer takes them, and what has become of them', async () => {
    const { near, far } = await connectedPair()
    const [ours, theirs] = [near.datagrams(), far.datagrams()]
    await once(ours, 'ready')
    expect(ours.isTaken).toBe(true)
    ours.send('a')
    await next(theirs, 1)
    await until(() => ours.stats.acked === 1)
    expect(ours.stats).toMatchObject({ sent: 1, resent: 0, copied: 0, queuedBytes: 0 })
    expect(theirs.stats).toMatchObject({ received: 1, duplicates: 0, late: 0 })
  })

  it('wait in a queue with a limit for a reader that pauses, of which the oldest are dropped', async () => {
    const { near, far } = await connectedPair()
    const [ours, theirs] = [near.datagrams(), far.datagrams({ maxQueuedBytes: 100_000 })]
    for (let n = 0; n < 400; n++) {
      ours.send(Buffer.alloc(1000, String(n)))
      if (n % 50 === 0) await quiet()
    }
    await until(() => ours.stats.acked === 400)
    const messages: string[] = []
    theirs.on('data', (message: Buffer) => messages.push(message.toString()))
    await quiet()
    // Each costs its bytes and 64.
    expect(messages).toHaveLength(Math.floor(100_000 / 1064))
    expect(messages.at(-1)).toBe(Buffer.alloc(1000, '399').toString())
    expect(theirs.stats.unread).toBe(400 - messages.length)
  })

  it('are one stream: asked for again, it is the same, until it is destroyed', async () => {
    const { near, far } = await connectedPair()
    const ours = near.datagrams({ expiresMs: 1000 })
    expect(near.datagrams()).toBe(ours)
    expect(() => near.datagrams({ copies: 1 })).toThrow('open already')
    ours.destroy()
    await once(ours, 'close')
    expect(near.destroyed).toBe(false)
    const theirs = far.datagrams()
    near.datagrams({ copies: 1 }).send('new')
    expect(await next(theirs, 1)).toEqual(['new'])
  })

  it.each<[string, () => unknown]>([
    ['an unknown option', () => ({ expires: 1 })],
    ['no time', () => ({ expiresMs: 0 })],
    ['a priority that is none', () => ({ priority: 8 })],
    ['half a copy', () => ({ copies: 0.5 })],
  ])('refuse %s, by its name', async (_what, options) => {
    const { near } = await connectedPair()
    expect(() => near.datagrams(options() as object)).toThrow(OptionError)
    expect(() => near.datagrams().send('x', options() as object)).toThrow(OptionError)
  })

  it('refuse a message that is too long, or no message, and go on', async () => {
    const { near, far } = await connectedPair()
    const [ours, theirs] = [near.datagrams(), far.datagrams()]
    expect(() => ours.send(new Uint8Array(65_537))).toThrow(/has 65537 bytes/)
    expect(() => ours.send(7 as unknown as string)).toThrow(OptionError)
    ours.send('x')
    expect(await next(theirs, 1)).toEqual(['x'])
  })

  it('fail with a code where the peer is Go, which takes none, while the connection goes on', async () => {
    const paths = memoryPaths(1)
    paths[0]!.server.on('connection', (stream: unknown) => {
      new GoLikeSubflow(stream as MemoryStream, 'ab'.repeat(16))
    })
    const conn = await new MultipathDialer('go', paths, {}).dial()
    onTestFinished(() => {
      conn.on('error', () => {}).destroy()
    })
    const ours = conn.datagrams()
    const [error] = (await once(ours, 'error')) as [MultipathError]
    expect(error.multipathCode).toBe('ERR_MULTIPATH_PEER')
    const again = conn.datagrams()
    expect(() => {
      again.send('x')
    }).toThrow(MultipathError)
    await once(again, 'error')
    expect(conn.destroyed).toBe(false)
  })

  it('fail with their connection, and are closed behind it', async () => {
    const { near, far } = await connectedPair()
    far.on('error', () => {})
    near.on('error', () => {})
    const [ours, theirs] = [near.datagrams(), far.datagrams()]
    const failed = once(theirs, 'error') as Promise<[MultipathError]>
    near.destroy(new Error('no more'))
    await once(ours, 'error')
    expect((await failed)[0].multipathCode).toBe('ERR_MULTIPATH_RESET')
    expect(() => {
      ours.send('x')
    }).toThrow('closed')
  })

  it('go over real sockets', async () => {
    const server = createServer((conn) => {
      const theirs = conn.datagrams()
      theirs.on('data', (message: Buffer) => {
        theirs.send(`${message.toString()} yourself`)
      })
      conn.resume()
      conn.on('end', () => conn.end())
    }).listen(0)
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const conn = connect({ paths: [{ port }, { port }] })
    const ours = conn.datagrams()
    for (let n = 0; n < 20; n++) ours.send(String(n))
    const answers = await next(ours, 20)
    expect(answers.toSorted()).toEqual(Array.from({ length: 20 }, (_, n) => `${n} yourself`).toSorted())
    conn.end()
    conn.resume()
    await once(conn, 'close')
    server.close()
  })
})
