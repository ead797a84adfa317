// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { messages } from '../../lib/mux/index.js'
import type { MessageOptions, MessageStream } from '../../lib/mux/index.js'
import { SeededRandom } from '../../lib/testing/seeded-random.js'
import { writeVarInt } from '../../lib/wire/varint.js'
import { duplexPair } from '../support/mux.js'
import { connectedPair } from '../support/pair.js'
import { seeds } from '../support/seeds.js'
import { quiet, until } from '../support/turns.js'

function messagePair(options?: MessageOptions): [MessageStream, MessageStream] {
  const [near, far] = duplexPair()
  return [messages(near, options), messages(far, options)]
}

/** A message stream over bytes that the spec writes itself. */
function raw(options?: MessageOptions): { bytes: Duplex; stream: MessageStream } {
  const [bytes, far] = duplexPair()
  return { bytes, stream: messages(far, options) }
}

function framed(message: string): Buffer {
  const head = Buffer.alloc(8)
  return Buffer.concat([head.subarray(0, writeVarInt(head, message.length)), Buffer.from(message)])
}

/** What comes until the end or an error. */
function received(stream: MessageStream): Promise<{ texts: string[]; error?: unknown }> {
  const texts: string[] = []
  stream.on('data', (message: Buffer) => texts.push(String(message)))
  return new Promise((resolve) => {
    stream.once('error', (error) => resolve({ texts, error }))
    stream.once('end', () => resolve({ texts }))
  })
}

describe('messages', () => {
  it('keep their boundaries, even empty ones, both ways', async () => {
    const [near, far] = messagePair()
    const sent = ['one', '', 'x'.repeat(100_000), 'four']
    const arrived = [near, far].map(received)
    for (const stream of [near, far]) {
      for (const message of sent) await stream.send(message)
      stream.end()
    }
    expect(await Promise.all(arrived)).toEqual([{ texts: sent }, { texts: sent }])
  })

  it.each(seeds(4))('arrive as they were sent, however the bytes are cut: seed %i', async (seed) => {
    const random = new SeededRandom(seed)
    const sent = Array.from({ length: 100 }, () =>
      'm'.repeat(random.integer(0, random.pick([3, 70, 20_000]))),
    )
    const all = Buffer.concat(sent.map(framed))
    const { bytes, stream } = raw()
    const done = received(stream)
    for (let at = 0; at < all.length; ) {
      const to = at + random.integer(1, random.pick([1, 3, 5000]))
      bytes.write(all.subarray(at, to))
      at = to
    }
    bytes.end()
    expect(await done).toEqual({ texts: sent })
  })

  it('are sent by write as well, as bytes or text', async () => {
    const [near, far] = messagePair()
    near.write(Buffer.from('bytes'))
    near.write('text')
    near.end(new Uint8Array([0x79]))
    expect((await received(far)).texts).toEqual(['bytes', 'text', 'y'])
  })

  it('belong to the caller again once they are sent', async () => {
    const [near, far] = messagePair()
    const arrived = received(far)
    const buffer = Buffer.alloc(50)
    for (let round = 0; round < 20; round++) {
      buffer.fill(65 + round)
      await near.send(buffer)
    }
    near.end()
    const expected = Array.from({ length: 20 }, (_, round) => String.fromCharCode(65 + round).repeat(50))
    expect((await arrived).texts).toEqual(expected)
  })

  it('run over a multipath connection by a method of it', async () => {
    const { near, far } = await connectedPair({ paths: 2 })
    const [here, there] = [near.messages(), far.messages({ maxMessageBytes: 1000 })]
    await here.send('over several paths')
    here.end()
    expect(await received(there)).toEqual({ texts: ['over several paths'] })
    there.end()
    await once(here.resume(), 'close')
  })
})

describe('a limit of messages', () => {
  it('refuses one that is too long to be sent, and goes on', async () => {
    const [near, far] = messagePair({ maxMessageBytes: 10 })
    await expect(near.send('x'.repeat(11))).rejects.toMatchObject({ code: 'ERR_MULTIPATH_LIMIT' })
    await near.send('x'.repeat(10))
    near.end()
    expect(await received(far)).toEqual({ texts: ['x'.repeat(10)] })
  })

  it('ends the stream with an error for one that is too long and written, or comes', async () => {
    const [near] = messagePair({ maxMessageBytes: 10 })
    const failed = once(near, 'error')
    near.write('x'.repeat(11))
    expect((await failed)[0]).toMatchObject({ code: 'ERR_MULTIPATH_LIMIT' })

    const { bytes, stream } = raw({ maxMessageBytes: 10 })
    bytes.on('error', () => {}).write(Buffer.concat([framed('first'), framed('x'.repeat(11))]))
    expect(await received(stream)).toMatchObject({
      texts: ['first'],
      error: { code: 'ERR_MULTIPATH_LIMIT', message: expect.stringContaining('11 bytes') as string },
    })
  })

  it('takes no memory for what a length only claims', async () => {
    const { bytes, stream } = raw({ maxMessageBytes: 2 ** 30 })
    const head = Buffer.alloc(8)
    const before = process.memoryUsage().arrayBuffers
    stream.on('data', () => {})
    bytes.write(head.subarray(0, writeVarInt(head, 2 ** 30)))
    bytes.write('only this')
    await quiet()
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50_000_000)
  })

  it('stops reading when the reader does', async () => {
    const { bytes, stream } = raw()
    const message = framed('x'.repeat(1000))
    let written = 0
    for (let round = 0; round < 100; round++) {
      while (!bytes.writableNeedDrain && bytes.write(message)) written += message.length
      await quiet(5)
    }
    expect(stream.readableLength).toBeLessThanOrEqual(64)
    expect(written).toBeLessThan(500_000)
  })

  it.each([[{ maxMessageBytes: 0 }], [{ maxMessageBytes: 1.5 }], [{ maxBytes: 5 }]])(
    'refuses %j',
    (options) => {
      expect(() => messages(duplexPair()[0], options as MessageOptions)).toThrow(
        expect.objectContaining({ code: 'ERR_MULTIPATH_OPTION' }),
      )
    },
  )

  it('refuses what is no message', async () => {
    const [near] = messagePair()
    await expect(near.send(5 as never)).rejects.toMatchObject({ code: 'ERR_MULTIPATH_OPTION' })
  })
})

describe('an end of messages', () => {
  it.each([1, 3, 6])('within one, after %i bytes of it, is an error behind those before it', async (cut) => {
    const { bytes, stream } = raw()
    bytes.on('error', () => {})
    bytes.end(Buffer.concat([framed('whole'), framed('y'.repeat(100)).subarray(0, cut)]))
    expect(await received(stream)).toMatchObject({
      texts: ['whole'],
      error: { multipathCode: 'ERR_MULTIPATH_INCOMPLETE' },
    })
  })

  it('by a break of the stream below is an error', async () => {
    const [bytes, farBelow] = duplexPair()
    const stream = messages(farBelow)
    bytes.write(framed('whole'))
    const done = received(stream)
    await quiet()
    farBelow.destroy(new Error('broken'))
    expect(await done).toMatchObject({ texts: ['whole'], error: { message: 'broken' } })
  })

  it('comes to both streams, and closes both', async () => {
    const [below, farBelow] = duplexPair()
    const [near, far] = [messages(below), messages(farBelow)]
    for (const stream of [near, far]) stream.resume()
    near.end('last')
    far.end()
    await until(() => [near, far, below, farBelow].every((stream) => stream.closed))
    expect([near.errored, far.errored]).toEqual([null, null])
  })

  it('by destroy() takes the stream below with it', () => {
    const [below] = duplexPair()
    messages(below).destroy()
    expect(below.destroyed).toBe(true)
  })
})
