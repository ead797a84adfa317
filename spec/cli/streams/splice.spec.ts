// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { Duplex } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { describe, expect, it, onTestFinished } from 'vitest'
import { dismiss, Splice } from '../../../lib/cli/streams/splice.js'
import { ending } from '../../support/streams.js'
import { listening, portOf } from '../../support/tcp.js'
import { quiet, until } from '../../support/turns.js'

/** Two ends of a connection, either of which may be half open. */
async function connection(): Promise<[Socket, Socket]> {
  const server = await listening(createServer({ allowHalfOpen: true }))
  const accepted = once(server, 'connection')
  const near = connect({ port: portOf(server), host: '127.0.0.1', allowHalfOpen: true })
  const [far] = (await accepted) as [Socket]
  for (const socket of [near, far]) {
    socket.on('error', () => {})
    onTestFinished(() => void socket.destroy())
  }
  return [near, far]
}

/** `client` and `server` with a splice in between. */
async function spliced(): Promise<{ client: Socket; server: Socket; over: Promise<void> }> {
  const [[client, near], [far, server]] = await Promise.all([connection(), connection()])
  const splice = new Splice(near, far)
  splice.lead()
  return { client, server, over: splice.join() }
}

/** Takes what is written only when it is told to. */
class SlowEnd extends Duplex {
  isReset = false
  heard = ''
  #waiting: (() => void) | undefined

  override _read(): void {}

  override _write(chunk: Buffer, _: string, callback: () => void): void {
    this.#waiting = () => {
      this.heard += String(chunk)
      callback()
    }
  }

  takeOne(): void {
    const take = this.#waiting
    this.#waiting = undefined
    take?.()
  }

  resetAndDestroy(): void {
    this.isReset = true
    this.destroy()
  }
}

describe('a splice', () => {
  it('passes on bytes and ends, each direction by itself', async () => {
    const { client, server, over } = await spliced()
    const file = randomBytes(3_000_000)
    client.end(file)
    expect((await buffer(server.once('end', () => server.end('done')))).equals(file)).toBe(true)
    expect(String(await buffer(client))).toBe('done')
    await over
  })

  it('passes on a reset, either way', async () => {
    for (const which of ['client', 'server'] as const) {
      const ends = await spliced()
      ends[which].resetAndDestroy()
      const other = ends[which === 'client' ? 'server' : 'client']
      other.resume()
      expect(await ending(other)).toBe('ECONNRESET')
      await ends.over
    }
  })

  it('takes no reset for an end, even if it is found together with the last bytes', async () => {
    const [far, server] = await connection()
    const near = new SlowEnd()
    const splice = new Splice(near, far)
    splice.lead()
    const over = splice.join()
    await quiet(3)
    server.write('half a file')
    server.resetAndDestroy()
    await until(() => {
      near.takeOne()
      return near.destroyed || near.writableFinished
    })
    expect(near.isReset).toBe(true)
    await over
  })

  it('delivers all that came before an end, although the other direction is reset, and resets then', async () => {
    const [near, far] = [new SlowEnd(), new SlowEnd()]
    const splice = new Splice(near, far)
    splice.lead()
    const over = splice.join()
    far.push('last words')
    far.push(null)
    await once(far, 'end')
    far.destroy(new Error('reset'))
    await quiet()
    expect(near.destroyed).toBe(false)
    while (!near.destroyed) {
      near.takeOne()
      await quiet(1)
    }
    expect({ heard: near.heard, isReset: near.isReset, finished: near.writableFinished }).toEqual({
      heard: 'last words',
      isReset: true,
      finished: true,
    })
    await over
  })

  it('that is given up again leaves its near end to others', async () => {
    const [[client, near], [far, server]] = await Promise.all([connection(), connection()])
    const splice = new Splice(near, far)
    splice.lead()
    splice.unlead()
    client.end('for nobody')
    dismiss(near, Buffer.from('no'), 60_000)
    expect(String(await buffer(client))).toBe('no')
    // What it said was taken, and thrown away.
    await until(() => near.closed)
    expect(server.bytesRead).toBe(0)
    expect(far.writableEnded).toBe(false)
  })
})

describe('dismiss', () => {
  it('says its last to one that does not stop talking, and closes when the time is over', async () => {
    const [client, near] = await connection()
    client.write(Buffer.alloc(1_000_000))
    dismiss(near, Buffer.from('no'), 200)
    const [word] = (await once(client, 'data')) as [Buffer]
    expect(String(word)).toBe('no')
    await once(near, 'close')
  })
})
