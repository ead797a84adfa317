// SPDX-License-Identifier: Apache-2.0
/** Messages without an order as an application has them, and the parts that they travel in. */
import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { MultipathConn, MultipathError, UnorderedMessageStream } from '../../lib/index.js'
import { MultipathDialer, OptionError } from '../../lib/index.js'
import { ignore } from '../../lib/ignore.js'
import { Inbox } from '../../lib/messages/inbox.js'
import { messages } from '../../lib/mux/index.js'
import { FIRST_LIMIT_BYTES, Outbox } from '../../lib/messages/outbox.js'
import {
  costOf,
  decodePart,
  encodeEnd,
  encodeLimit,
  encodePiece,
  encodeWhole,
} from '../../lib/messages/part.js'
import { GoLikeSubflow } from '../support/go-like.js'
import { memoryPaths, type MemoryStream } from '../support/memory-path.js'
import { duplexPair } from '../support/mux.js'
import { connectedPair } from '../support/pair.js'
import { quiet, until } from '../support/turns.js'

const MIB = 1_048_576

interface Pair {
  readonly near: UnorderedMessageStream
  readonly far: UnorderedMessageStream
  readonly conns: readonly MultipathConn[]
}

/** The spec closes the connection at its end, which none of its readers minds then. */
function open(conn: MultipathConn, maxMessageBytes = MIB): UnorderedMessageStream {
  return conn.messages({ ordered: false, maxMessageBytes }).on('error', ignore)
}

async function messagePair(allowHalfOpen = false): Promise<Pair> {
  const sides = { dialer: { allowHalfOpen }, listener: { allowHalfOpen } }
  const { near, far } = await connectedPair({ paths: 2, ...sides })
  return { near: open(near), far: open(far), conns: [near, far] }
}

/** What comes until the end or an error. */
function received(stream: UnorderedMessageStream): Promise<{ texts: string[]; code?: string }> {
  const texts: string[] = []
  stream.on('data', (message: Buffer) => texts.push(String(message)))
  return new Promise((resolve) => {
    stream.once('error', (error: MultipathError) => resolve({ texts, code: error.multipathCode }))
    stream.once('end', () => resolve({ texts }))
  })
}

describe('messages without an order', () => {
  it('keep their boundaries, empty and long ones as well, both ways, and end with the connection', async () => {
    const { near, far, conns } = await messagePair(true)
    const sent = ['one', '', 'x'.repeat(100_000), 'y'.repeat(MIB), 'five']
    const arrived = [near, far].map(received)
    for (const stream of [near, far]) {
      for (const message of sent) await stream.send(message)
      stream.end()
    }
    for (const { texts, code } of await Promise.all(arrived))
      expect([texts.toSorted(), code]).toEqual([sent.toSorted(), undefined])
    await until(() => conns.every(({ destroyed }) => destroyed))
    expect(conns.map(({ errored }) => errored)).toEqual([null, null])
  })

  it('are sent before the other side has asked for them', async () => {
    const { near, far } = await connectedPair()
    const ours = open(near)
    for (let n = 0; n < 100; n++) ours.write(Buffer.alloc(5000, String(n)))
    ours.end()
    await quiet()
    const { texts, code } = await received(open(far))
    expect([texts.length, code]).toEqual([100, undefined])
  })

  it('go on in the other direction after the end of one', async () => {
    const { near, far } = await messagePair(true)
    const ours = received(near)
    near.end('last words')
    const theirs: string[] = []
    // Reading it by its iterator would end it.
    far.on('data', (message: Buffer) => theirs.push(String(message)))
    await once(near, 'finish')
    for (let n = 0; n < 50; n++) await far.send('x'.repeat(500_000))
    far.end()
    expect((await ours).texts).toHaveLength(50)
    expect(theirs).toEqual(['last words'])
  })

  it('wait for a reader that pauses, and none is lost', async () => {
    const { near, far } = await messagePair()
    let taken = 0
    const all = Array.from({ length: 60 }, (_, n) =>
      near.send(Buffer.alloc(MIB, String.fromCharCode(65 + n))).then(() => taken++),
    )
    await until(() => taken >= 10)
    for (let n = 0; n < 50; n++) await quiet()
    // What the reader's stream holds, and the window; the rest waits.
    expect(taken).toBeLessThan(45)
    const arrived = received(far)
    await Promise.all(all)
    near.end()
    expect((await arrived).texts).toHaveLength(60)
  })

  it('end with an error where the connection does, after what has come in full', async () => {
    const { near, far, conns } = await messagePair()
    await near.send('in full')
    await until(() => far.readableLength > 0 || far.read(0) !== null || far.readableLength > 0)
    const arrived = received(far)
    near.destroy(new Error('no more'))
    expect(await arrived).toEqual({ texts: ['in full'], code: 'ERR_MULTIPATH_RESET' })
    expect(conns[1]!.destroyed).toBe(true)
    await expect(far.send('x')).rejects.toMatchObject({ code: expect.any(String) as string })
  })

  it('are incomplete where the peer closes without an end of them', async () => {
    const { near, far, conns } = await messagePair()
    far.write('x')
    await once(near, 'data')
    const arrived = received(near)
    conns[1]!.end()
    expect(await arrived).toEqual({ texts: [], code: 'ERR_MULTIPATH_INCOMPLETE' })
  })

  it('fail where the peer sends its messages in order', async () => {
    const { near, far } = await connectedPair()
    const arrived = received(open(near))
    void far.messages().on('error', ignore).send('in order')
    expect((await arrived).code).toBe('ERR_MULTIPATH_FRAME')
  })

  it('refuse what is too long: the call at the sender, the stream at the receiver', async () => {
    const { near, far } = await connectedPair()
    const [ours, theirs] = [open(near), open(far, 1000)]
    await expect(ours.send(new Uint8Array(MIB + 1))).rejects.toMatchObject({
      multipathCode: 'ERR_MULTIPATH_LIMIT',
    })
    await expect(ours.send(7 as unknown as string)).rejects.toThrow(OptionError)
    const arrived = received(theirs)
    await ours.send('short')
    await ours.send(new Uint8Array(1001))
    expect(await arrived).toEqual({ texts: ['short'], code: 'ERR_MULTIPATH_LIMIT' })
  })

  it('fail with a code where the peer is Go, and their connection with them', async () => {
    const paths = memoryPaths(1)
    paths[0]!.server.on('connection', (stream: unknown) => {
      new GoLikeSubflow(stream as MemoryStream, 'ab'.repeat(16))
    })
    const conn = await new MultipathDialer('go', paths, {}).dial()
    conn.on('error', ignore)
    onTestFinished(() => {
      conn.destroy()
    })
    const stream = open(conn)
    const sent = stream.send('x'.repeat(MIB))
    const [error] = (await once(stream, 'error')) as [MultipathError]
    expect(error.multipathCode).toBe('ERR_MULTIPATH_PEER')
    await expect(sent).rejects.toThrow('Go')
    expect(conn.destroyed).toBe(true)
  })

  it('need the datagrams of the connection, and are of a connection alone', async () => {
    const { near, far } = await connectedPair()
    near.datagrams()
    expect(() => near.messages({ ordered: false })).toThrow(OptionError)
    open(far)
    expect(() => far.datagrams()).toThrow(OptionError)
    expect(() => far.messages({ ordered: false })).toThrow(OptionError)
    expect(() => far.messages({ ordered: 1 as unknown as true })).toThrow('ordered must be true or false')
    expect(() => messages(duplexPair()[0], { ordered: false } as object)).toThrow('unknown option ordered')
  })

  it('may be cut short by destroying them, as the connection', async () => {
    const { near, far, conns } = await messagePair()
    const arrived = received(far)
    const sent = Array.from({ length: 100 }, () => near.send(new Uint8Array(MIB)).catch(() => 'failed'))
    near.destroy()
    expect(await Promise.all(sent)).toContain('failed')
    expect((await arrived).code).toMatch(/ERR_MULTIPATH_(RESET|INCOMPLETE)/)
    expect(conns.map(({ destroyed }) => destroyed)).toEqual([true, true])
  })
})

const LIMITS = { maxMessageBytes: 100_000, windowBytes: 300_000 }
/** A piece of a message of 20,000 bytes. */
const piece = (message: number, index: 0 | 1, length = 20_000): Uint8Array =>
  encodePiece({ message, length, index, bytes: new Uint8Array(index === 0 ? 16_384 : length - 16_384) })

describe('the parts of messages', () => {
  it('make messages that are there once they are complete, whatever is missing of others', () => {
    const inbox = new Inbox(LIMITS)
    inbox.add(piece(0, 1))
    inbox.add(piece(1, 0))
    inbox.add(encodeWhole(Buffer.from('whole')))
    expect(String(inbox.take())).toBe('whole')
    expect(inbox.take()).toBeUndefined()
    inbox.add(piece(1, 1))
    expect(inbox.take()).toHaveLength(20_000)
    inbox.add(encodeEnd(3))
    expect(inbox.hasEnded).toBe(false)
    inbox.add(piece(0, 0))
    expect([inbox.hasEnded, inbox.take()?.length, inbox.keptBytes]).toEqual([true, 20_000, 0])
  })

  it('are sent as far as the peer takes them, and the limit grows by what was read', () => {
    const [outbox, inbox] = [new Outbox(), new Inbox(LIMITS)]
    const opened = decodePart(inbox.limitDue()!)
    expect(opened).toEqual({ type: 'limit', limitBytes: 300_000 })
    expect(inbox.limitDue()).toBeUndefined()
    let sent = 0
    const send = (): void => {
      for (;;) {
        const part = outbox.next()
        if (part !== undefined) inbox.add(part)
        else if (outbox.isEmpty) {
          sent++
          outbox.add(new Uint8Array(10_000))
        } else break
      }
    }
    send()
    expect(sent).toBe(Math.floor(FIRST_LIMIT_BYTES / 10_065) + 1)
    outbox.opened(300_000)
    // One that was overtaken on its way.
    outbox.opened(100_000)
    send()
    expect(sent).toBe(Math.floor(300_000 / 10_065) + 1)
    expect(inbox.keptBytes).toBe(29 * 10_065)
    while (inbox.limitDue() === undefined) inbox.take()
    expect(inbox.keptBytes).toBe(21 * 10_065)
  })

  it.each<[string, Uint8Array[], string]>([
    ['a part of an unknown type', [Buffer.of(4)], 'of the unknown type 4'],
    ['nothing', [new Uint8Array(0)], 'ends inside a number'],
    ['a limit with more behind it', [Buffer.of(2, 1, 1)], 'bytes behind its end'],
    ['half a number', [Buffer.of(2, 0x40)], 'ends inside a number'],
    ['a piece beyond its message', [Buffer.of(1, 0, 1, 1, 0)], 'at piece 1'],
    ['a piece that is too short', [Buffer.of(1, 0, 0x40, 0xff, 0, 0)], 'with 1 bytes'],
    ['an empty piece', [Buffer.of(1, 0, 0, 0)], 'with 0 bytes'],
    ['a piece twice', [piece(0, 0), piece(0, 0)], 'that came twice'],
    ['a piece of another length', [piece(0, 0), piece(0, 1, 20_001)], 'had another length'],
    ['a message that is too long', [piece(0, 0, 100_001)], '100001 bytes, and maxMessageBytes is 100000'],
    ['two ends', [encodeEnd(1), encodeEnd(2)], 'contradicts what has come'],
    ['an end before the last message', [piece(0, 0), encodeEnd(0)], 'contradicts what has come'],
    ['a message behind the end', [encodeEnd(0), encodeWhole(Buffer.of(1))], 'behind the last message'],
  ])('are refused for %s', (_what, parts, reason) => {
    const inbox = new Inbox(LIMITS)
    expect(() => {
      for (const part of parts) inbox.add(part)
    }).toThrow(reason)
  })

  it('are refused beyond the limit, unfinished messages included', () => {
    const inbox = new Inbox(LIMITS)
    const cost = costOf(piece(0, 0))
    const most = Math.floor(FIRST_LIMIT_BYTES / cost)
    for (let n = 0; n < most; n++) inbox.add(piece(n, 0))
    expect(inbox.keptBytes).toBe(most * cost)
    expect(() => inbox.add(piece(most, 0))).toThrow('more messages than it was allowed to')
    // Only messages count.
    expect(new Inbox(LIMITS).add(encodeLimit(2 ** 50))).toEqual({ type: 'limit', limitBytes: 2 ** 50 })
  })
})
