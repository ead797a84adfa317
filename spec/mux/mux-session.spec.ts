// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { MuxSession, MuxStream } from '../../lib/mux/index.js'
import { duplexPair, sessions, streamPair, text } from '../support/mux.js'
import { quiet, until } from '../support/turns.js'

/** A stream, `near` and `far`, whose connection `below` takes nothing more until it is uncorked. */
async function fullBelow(): Promise<{ below: Duplex; near: MuxStream; far: MuxStream }> {
  const [below, farBelow] = duplexPair()
  const [client, server] = sessions([below, farBelow])
  const [near, far] = await streamPair(client, server)
  below.cork()
  // What it takes before it says that it is full.
  near.write(Buffer.alloc(below.writableHighWaterMark))
  await quiet()
  return { below, near, far }
}

describe('a session', () => {
  it('carries a stream from one end to the other, and an answer back', async () => {
    const [client, server] = sessions(undefined, { allowHalfOpen: true })
    const near = client.open()
    near.end('question')
    const far = await server.accept()
    expect(await text(far)).toBe('question')
    far.end('answer')
    expect(await text(near)).toBe('answer')
  })

  it('has streams of both ends at once, each with its own bytes', async () => {
    const [client, server] = sessions(undefined, { allowHalfOpen: true })
    const serve = async (session: MuxSession, name: string): Promise<void> => {
      for await (const stream of session) void text(stream).then((asked) => stream.end(`${name}:${asked}`))
    }
    const served = [serve(client, 'client'), serve(server, 'server')]
    const asked = [client, server].flatMap((session) =>
      Array.from({ length: 20 }, async (_, index) => {
        const stream = session.open()
        stream.end(String(index))
        return await text(stream)
      }),
    )
    const answers = await Promise.all(asked)
    expect(answers.slice(0, 20)).toEqual(Array.from({ length: 20 }, (_, index) => `server:${index}`))
    expect(answers.slice(20)).toEqual(Array.from({ length: 20 }, (_, index) => `client:${index}`))
    expect([client.streams, server.streams]).toEqual([0, 0])
    await Promise.all([client.close(), server.close(), ...served])
  })

  it('gives odd ids to the client and even ones to the server', () => {
    const [client, server] = sessions()
    expect([client.open().id, client.open().id]).toEqual([1, 3])
    expect([server.open().id, server.open().id]).toEqual([2, 4])
  })

  it('measures the round trip', async () => {
    const [client] = sessions()
    expect(await client.ping()).toBeGreaterThanOrEqual(0)
  })

  it('tells of streams by an event, those included that came before anybody listened', async () => {
    const [client, server] = sessions()
    client.open()
    await quiet()
    const told: number[] = []
    server.on('stream', ({ id }) => told.push(id))
    client.open()
    await until(() => told.length === 2)
    expect(told).toEqual([1, 3])
  })

  it('closes once its streams have ended, and takes no new ones meanwhile', async () => {
    const [client, server] = sessions()
    const [near, far] = await streamPair(client, server)
    const told: string[] = []
    server.on('goaway', () => told.push('goaway'))
    for (const session of [client, server])
      session.on('close', (error) => told.push(`close ${String(error)}`))
    const closed = client.close().then(() => told.push('closed'))
    expect(client.isOpen).toBe(false)
    expect(() => client.open()).toThrow(expect.objectContaining({ code: 'ERR_MULTIPATH_MUX_CLOSED' }))
    await quiet()
    expect(told).toEqual(['goaway'])
    expect(server.isOpen).toBe(false)
    expect(() => server.open()).toThrow(expect.objectContaining({ code: 'ERR_MULTIPATH_MUX_CLOSED' }))
    far.resume()
    near.end('last words')
    await closed
    await until(() => told.length === 4)
    expect(told.sort()).toEqual(['close undefined', 'close undefined', 'closed', 'goaway'])
  })

  it('loses no stream silently when the connection below breaks', async () => {
    const [below, farBelow] = duplexPair()
    const [client, server] = sessions([below, farBelow])
    const [near, far] = await streamPair(client, server)
    const errors: unknown[] = []
    for (const end of [near, far])
      end.resume().on('error', ({ code }: NodeJS.ErrnoException) => errors.push(code))
    const closed = once(server as unknown as Duplex, 'close')
    farBelow.destroy(new Error('cut'))
    expect((await closed)[0]).toMatchObject({ message: 'cut' })
    below.destroy()
    await until(() => errors.length === 2)
    expect(errors).toEqual(['ERR_MULTIPATH_MUX_CLOSED', 'ERR_MULTIPATH_MUX_CLOSED'])
  })

  it('lets a reader finish what came in full before the session ended', async () => {
    const [client, server] = sessions()
    const near = client.open()
    const sent = Buffer.alloc(200_000, 'x')
    near.end(sent)
    const far = await server.accept()
    far.end()
    near.resume()
    await client.close()
    await until(() => !server.isOpen)
    expect((await text(far)).length).toBe(sent.length)
  })
})

describe('a stream', () => {
  it('tells that the peer has accepted it by connect', async () => {
    const [client, server] = sessions()
    const near = client.open()
    expect([near.connecting, near.readyState]).toEqual([true, 'opening'])
    const connected = once(near, 'connect')
    await server.accept()
    await connected
    expect([near.connecting, near.readyState]).toEqual([false, 'open'])
  })

  it('whose reader is slow holds up no other', async () => {
    const [client, server] = sessions()
    const [stalled, unread] = await streamPair(client, server)
    const [near, far] = await streamPair(client, server)
    const lump = Buffer.alloc(1_000_000, 1)
    stalled.write(lump)
    near.end(lump)
    expect((await text(far)).length).toBe(lump.length)
    expect(unread.bytesRead).toBeLessThan(400_000)
    let bytes = 0
    unread.on('data', (chunk: Buffer) => (bytes += chunk.length))
    await until(() => bytes === lump.length)
  })

  it('calls a write back once it is taken, so that its buffer may be used again, and not before', async () => {
    const { below, near, far } = await fullBelow()
    const buffer = Buffer.alloc(1000, 'x')
    near.write(buffer, () => buffer.fill('y'))
    await quiet()
    expect(buffer.includes('y')).toBe(false)
    below.uncork()
    near.end()
    expect(await text(far)).not.toContain('y')
    expect(buffer.includes('x')).toBe(false)
  })

  it('lets 256 KiB wait for the connection below before writes wait', async () => {
    const { below, near, far } = await fullBelow()
    for (let n = 0; n < 32; n++) near.write(Buffer.alloc(8192))
    await quiet()
    expect(near.writableLength).toBe(8192)
    below.uncork()
    await until(() => near.writableLength === 0)
    far.resume()
  })

  it('is destroyed with an error when the peer resets it', async () => {
    const [client, server] = sessions()
    const [near, far] = await streamPair(client, server)
    const failed = once(near, 'error')
    far.resetAndDestroy()
    expect((await failed)[0]).toMatchObject({ multipathCode: 'ERR_MULTIPATH_MUX_RESET' })
    expect([client.streams, server.streams]).toEqual([0, 0])
  })

  it('that is destroyed delivers what it has accepted, and then an end', async () => {
    const [client, server] = sessions()
    const [near, far] = await streamPair(client, server)
    const lent = Buffer.alloc(1_000_000, 'a')
    near.write(lent, () => lent.fill('z'))
    near.write(Buffer.alloc(1_000_000, 'b'))
    near.end('c')
    near.destroy()
    expect((await text(far)) === `${'a'.repeat(1_000_000)}${'b'.repeat(1_000_000)}c`).toBe(true)
  })

  it('that nobody reads ends and closes all the same', async () => {
    const [client, server] = sessions()
    const [near, far] = await streamPair(client, server)
    near.end()
    await Promise.all([once(near, 'close'), once(far, 'close')])
    expect([client.streams, server.streams]).toEqual([0, 0])
  })

  it('can be answered where its peer had ended it before anybody accepted it', async () => {
    const [client, server] = sessions()
    const near = client.open()
    near.end('question')
    await quiet()
    const far = await server.accept()
    far.end('answer')
    expect([await text(far), await text(near)]).toEqual(['question', 'answer'])
  })

  it('that is destroyed by an error is a reset for the peer, not an end', async () => {
    const [client, server] = sessions()
    const [near, far] = await streamPair(client, server)
    far.on('end', () => expect.unreachable('an end'))
    const failed = once(far, 'error')
    near.on('error', () => {}).write(Buffer.alloc(1_000_000))
    await quiet()
    near.destroy(new Error('mine'))
    expect((await failed)[0]).toMatchObject({ multipathCode: 'ERR_MULTIPATH_MUX_RESET' })
  })

  it('that is destroyed with all data sent is an end for the peer', async () => {
    const [client, server] = sessions()
    const [near, far] = await streamPair(client, server)
    near.write('all')
    await quiet()
    near.destroy()
    expect(await text(far)).toBe('all')
  })
})
