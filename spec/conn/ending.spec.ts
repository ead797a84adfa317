// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../lib/testing/manual-clock.js'
import { pass } from '../support/pass.js'
import { closing, connectedPair, readAll } from '../support/pair.js'
import { quiet, until } from '../support/turns.js'

const KIB = 1024

describe('end()', () => {
  it('delivers all that was written before the reader sees the end', async () => {
    const { near, far } = await connectedPair({ paths: 3 })
    const data = Buffer.alloc(700 * KIB, 'abc')
    near.end(data)
    expect((await readAll(far)).equals(data)).toBe(true)
  })

  it('lets the peer go on writing where half-open connections are wanted', async () => {
    const halfOpen = { allowHalfOpen: true }
    const { near, far } = await connectedPair({ dialer: halfOpen, listener: halfOpen })
    near.end('question')
    expect(String(await readAll(far))).toBe('question')
    expect(far.writable).toBe(true)
    far.end('answer')
    expect(String(await readAll(near))).toBe('answer')
  })

  it('ends the other direction, too, where half-open connections are not wanted', async () => {
    const { near, far } = await connectedPair()
    const ended = [closing(near), closing(far)]
    near.resume().end()
    far.resume()
    expect(await Promise.all(ended)).toEqual([undefined, undefined])
  })

  it('closes every socket in order', async () => {
    const { near, far, paths } = await connectedPair({ paths: 3 })
    const ended = [closing(near), closing(far)]
    far.resume()
    near.resume().end('bye')
    await Promise.all(ended)
    await until(() => paths.every(({ live }) => live.length === 0))
    for (const path of paths) expect(path.last.errored ?? undefined).toBeUndefined()
  })

  it('fails with its own code when unacked data is left after the linger limit', async () => {
    const clock = new ManualClock()
    const { near, paths } = await connectedPair({ dialer: { clock, lingerMs: 3000, deadMs: 600_000 } })
    paths[0]!.last.freeze()
    paths[0]!.mode = 'hang'
    const failed = closing(near)
    near.resume().end('lost')
    await pass(clock, 2900)
    expect(near.destroyed).toBe(false)
    await pass(clock, 200)
    expect(await failed).toMatchObject({ multipathCode: 'ERR_MULTIPATH_LINGER' })
  })

  it('calls its callback when everything is acked', async () => {
    const { near, far } = await connectedPair()
    far.resume()
    await new Promise<void>((resolve) => near.end(Buffer.alloc(300 * KIB), resolve))
    expect(near.unflushedBytes).toBe(0)
  })
})

describe('a connection that nobody reads', () => {
  it('ends, finishes and closes when the peer ends', async () => {
    const { near, far } = await connectedPair()
    const told: string[] = []
    for (const event of ['end', 'finish', 'close']) far.on(event, () => told.push(event))
    near.resume().end()
    await until(() => told.includes('close'))
    expect(told).toEqual(['end', 'finish', 'close'])
  })

  it('keeps its end until what arrived has been read', async () => {
    const { near, far } = await connectedPair()
    let hasEnded = false
    far.on('end', () => (hasEnded = true))
    near.end('unread')
    await quiet()
    expect(hasEnded).toBe(false)
    expect(String(await readAll(far))).toBe('unread')
  })
})

describe('the last subflow going', () => {
  it('is an error of its own code where data was not acked', async () => {
    const { near, paths } = await connectedPair({ dialer: { redialRetries: 0, holdMs: 0 } })
    const failed = closing(near)
    paths[0]!.last.freeze()
    near.write('lost')
    await quiet()
    paths[0]!.last.destroy(new Error('unplugged'))
    const error = await failed
    expect(error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_UNACKED' })
    expect(error?.cause).toMatchObject({ message: 'unplugged' })
  })

  it('is an error of its own code where the end of the data is missing', async () => {
    const { near, far, paths } = await connectedPair({ dialer: { holdMs: 0 } })
    const failed = [closing(near), closing(far)]
    near.resume()
    far.resume()
    paths[0]!.last.cut()
    for (const error of await Promise.all(failed))
      expect(error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_INCOMPLETE' })
  })

  it('lets the reader drain what arrived before it tells of the error', async () => {
    const { near, far, paths } = await connectedPair({ dialer: { redialRetries: 0, holdMs: 0 } })
    const data = Buffer.alloc(500 * KIB, 'x')
    near.on('error', () => {}).write(data)
    await near.flushed()
    paths[0]!.last.cut()
    await quiet()
    const chunks: Buffer[] = []
    const failed = closing(far)
    far.on('data', (chunk: Buffer) => chunks.push(chunk))
    expect(await failed).toMatchObject({ multipathCode: 'ERR_MULTIPATH_INCOMPLETE' })
    expect(Buffer.concat(chunks).equals(data)).toBe(true)
  })

  it('lets a reader of few bytes at a time drain, too', async () => {
    const { near, far, paths } = await connectedPair({ dialer: { redialRetries: 0, holdMs: 0 } })
    const data = Buffer.alloc(200 * KIB, 'yz')
    near.on('error', () => {}).write(data)
    await near.flushed()
    paths[0]!.last.cut()
    await quiet()
    const into = Buffer.alloc(data.length)
    const netConn = far.netConn()
    for (let at = 0; at < data.length; ) at += await netConn.read(into.subarray(at, at + 1000))
    expect(into.equals(data)).toBe(true)
    await expect(netConn.read(into)).rejects.toMatchObject({ multipathCode: 'ERR_MULTIPATH_INCOMPLETE' })
  })

  it('does not wait for ever for a reader that has stopped', async () => {
    const clock = new ManualClock()
    const { near, far, paths } = await connectedPair({ listener: { clock, lingerMs: 5000, holdMs: 0 } })
    near.on('error', () => {}).write('unread')
    await near.flushed()
    paths[0]!.last.cut()
    const failed = closing(far)
    await pass(clock, 4900)
    expect(far.destroyed).toBe(false)
    await pass(clock, 200)
    expect(await failed).toMatchObject({ multipathCode: 'ERR_MULTIPATH_INCOMPLETE' })
  })

  it('fails writes that come too late', async () => {
    const halfOpen = { allowHalfOpen: true }
    const { near, far } = await connectedPair({ dialer: halfOpen, listener: halfOpen })
    far.end()
    far.destroy()
    const failed = closing(near)
    near.resume()
    await until(() => near.subflows().length === 0)
    const written = new Promise((resolve) => near.write('late', resolve))
    expect(await written).toMatchObject({ code: 'ERR_MULTIPATH_CLOSED' })
    expect(await failed).toMatchObject({ code: 'ERR_MULTIPATH_CLOSED' })
  })
})

describe('destroy()', () => {
  it('is immediate here, and delivers behind the scenes what was accepted', async () => {
    const { near, far, paths } = await connectedPair({ paths: 2 })
    const [nearError, farError, arrived] = [closing(near), closing(far), readAll(far)]
    paths[0]!.last.freeze()
    const data = Buffer.alloc(500 * KIB, 'accepted')
    near.write(data)
    near.destroy()
    expect(near.destroyed).toBe(true)
    expect(await nearError).toBeUndefined()
    paths[0]!.last.thaw()
    expect((await arrived).equals(data)).toBe(true)
    expect(await farError).toBeUndefined()
    await until(() => paths.every(({ live }) => live.length === 0))
    expect(near.subflows()).toEqual([])
  })

  it('delivers what waits for room, and what Node still holds, before the buffers are their callers again', async () => {
    const { near, far } = await connectedPair({ dialer: { sendBufferBytes: 1000 } })
    const arrived = readAll(far)
    const lent = [Buffer.alloc(200 * KIB, 1), Buffer.alloc(200 * KIB, 2)]
    const failures = lent.map(
      (buffer) =>
        new Promise((resolve) => {
          near.write(buffer, (error) => {
            buffer.fill(0)
            resolve(error)
          })
        }),
    )
    near.end('end')
    near.destroy()
    for (const failure of failures) expect(await failure).toBeInstanceOf(Error)
    const expected = [Buffer.alloc(200 * KIB, 1), Buffer.alloc(200 * KIB, 2), Buffer.from('end')]
    expect((await arrived).equals(Buffer.concat(expected))).toBe(true)
  })

  it('lets paths join and be dialled again until all is delivered', async () => {
    const { near, far, paths } = await connectedPair({ paths: 2, dialer: { redialMinMs: 1 } })
    const arrived = readAll(far)
    for (const path of paths) path.last.freeze()
    near.write(Buffer.alloc(100 * KIB))
    near.destroy()
    await quiet()
    paths[1]!.last.cut()
    await until(() => paths[1]!.dials === 2)
    for (const path of paths) path.last.thaw()
    expect((await arrived).length).toBe(100 * KIB)
  })

  it('waits no longer than lingerMs for a peer that acks nothing', async () => {
    const clock = new ManualClock()
    const { near, paths } = await connectedPair({ dialer: { clock, lingerMs: 3000, deadMs: 600_000 } })
    paths[0]!.mode = 'hang'
    paths[0]!.last.freeze()
    near.write('lost')
    const flushed = near.flushed()
    flushed.catch(() => {})
    near.destroy()
    await pass(clock, 2900)
    expect(near.subflows()).toHaveLength(1)
    await pass(clock, 200)
    expect(near.subflows()).toEqual([])
    await expect(flushed).rejects.toMatchObject({ multipathCode: 'ERR_MULTIPATH_LINGER' })
  })

  it('reads to nobody what the peer still sends, so that it cannot hold up the rest', async () => {
    const { near, far } = await connectedPair({ listener: { maxUnreadBytes: 65_536 } })
    const arrived = readAll(far)
    far.on('error', () => {}).write(Buffer.alloc(2000 * KIB))
    near.write(Buffer.alloc(2000 * KIB))
    near.destroy()
    expect((await arrived.catch(() => Buffer.alloc(0))).length).toBeGreaterThanOrEqual(0)
    await until(() => far.bytesRead === 2000 * KIB)
  })

  it('holds its place in maxConnections until all is delivered', async () => {
    const { far, paths, listener, dialer } = await connectedPair({ listener: { maxConnections: 1 } })
    paths[0]!.last.freeze()
    far.write('answer')
    far.destroy()
    await quiet()
    await expect(dialer.dial()).rejects.toThrow()
    paths[0]!.last.thaw()
    await until(() => listener.connections === 0)
    const again = await dialer.dial()
    again.destroy()
  })

  it('with everything acked lets the peer know that nothing is missing', async () => {
    const { near, far } = await connectedPair()
    near.write('all of it')
    await near.flushed()
    near.destroy()
    expect(String(await readAll(far))).toBe('all of it')
  })

  it('with an error drops what was not acked, and the peer learns that it was cut', async () => {
    const { near, far, paths } = await connectedPair()
    const failed = [closing(near), closing(far)]
    paths[0]!.last.freeze()
    let bytes = 0
    far.on('data', (chunk: Buffer) => (bytes += chunk.length))
    near.write(Buffer.alloc(1000 * KIB), () => {})
    await quiet()
    near.destroy(new Error('mine'))
    paths[0]!.last.thaw()
    expect((await failed[1])?.message).toBe('the peer reset the connection: mine')
    expect(bytes).toBeLessThan(1000 * KIB)
  })

  it('with an error in the same breath as a write delivers these last words, and an end', async () => {
    const { near, far } = await connectedPair()
    const [farError, arrived] = [closing(far), readAll(far)]
    near.on('error', () => {}).write('400 Bad Request')
    near.destroy(new Error('bad request'))
    expect(String(await arrived)).toBe('400 Bad Request')
    expect(await farError).toBeUndefined()
  })

  it('with an error closes the sockets, and tells both sides of the error', async () => {
    const { near, far } = await connectedPair()
    const failed = [closing(near), closing(far)]
    far.resume()
    near.destroy(new Error('mine'))
    const [nearError, farError] = await Promise.all(failed)
    expect(nearError).toMatchObject({ message: 'mine' })
    expect(farError).toMatchObject({
      multipathCode: 'ERR_MULTIPATH_RESET',
      code: 'ECONNRESET',
      reason: 'mine',
    })
  })

  it('with an error of the system tells the peer its code, and not the file that its message names', async () => {
    const { near, far } = await connectedPair()
    const failed = closing(far)
    far.resume()
    near
      .on('error', () => {})
      .destroy(Object.assign(new Error("ENOENT: open '/etc/secret'"), { code: 'ENOENT' }))
    expect(await failed).toMatchObject({ reason: 'ENOENT' })
  })

  it('calls back every write and end that waits', async () => {
    const { near, paths } = await connectedPair({ dialer: { sendBufferBytes: 1000 } })
    paths[0]!.last.freeze()
    const written = new Promise((resolve) => near.write(Buffer.alloc(100 * KIB), resolve))
    const ended = new Promise((resolve) => near.end(resolve))
    await quiet()
    near.destroy()
    expect(await written).toBeInstanceOf(Error)
    expect(await ended).toBeInstanceOf(Error)
  })
})

describe('resetAndDestroy()', () => {
  it('closes without an error here, and with one at the peer', async () => {
    const { near, far, paths } = await connectedPair({ dialer: { sendBufferBytes: 1000 } })
    paths[0]!.last.freeze()
    near.write(Buffer.alloc(100 * KIB), () => {})
    await quiet()
    const failed = [closing(near), closing(far)]
    far.resume()
    near.resetAndDestroy()
    paths[0]!.last.thaw()
    const [nearError, farError] = await Promise.all(failed)
    expect(nearError).toBeUndefined()
    expect(farError).toMatchObject({ multipathCode: 'ERR_MULTIPATH_RESET', code: 'ECONNRESET' })
  })
})

describe('flushed()', () => {
  it('resolves at once where nothing was written', async () => {
    const { near } = await connectedPair()
    await expect(near.flushed()).resolves.toBeUndefined()
  })

  it('resolves only when everything is acked', async () => {
    const { near, far, paths } = await connectedPair()
    far.resume()
    paths[0]!.last.freeze()
    near.write(Buffer.alloc(100 * KIB))
    let isFlushed = false
    const flushed = near.flushed().then(() => {
      isFlushed = true
    })
    await quiet()
    expect(isFlushed).toBe(false)
    expect(near.unflushedBytes).toBe(100 * KIB)
    paths[0]!.last.thaw()
    await flushed
    expect(near.unflushedBytes).toBe(0)
  })

  it('rejects when the connection is destroyed before', async () => {
    const { near, paths } = await connectedPair()
    paths[0]!.last.freeze()
    near.write('lost')
    const flushed = near.flushed()
    await quiet()
    near.on('error', () => {}).destroy(new Error('mine'))
    await expect(flushed).rejects.toThrow('mine')
  })

  it('resolves behind destroy() where that delivers what was written', async () => {
    const { near, far } = await connectedPair()
    far.resume()
    near.write('arrives')
    const flushed = near.flushed()
    near.destroy()
    await Promise.all([flushed, near.flushed()])
  })

  it('rejects afterwards, too, where data was lost, and resolves where none was', async () => {
    const lossy = await connectedPair()
    lossy.paths[0]!.last.freeze()
    lossy.near.write('lost')
    lossy.near.resetAndDestroy()
    await expect(lossy.near.flushed()).rejects.toMatchObject({ multipathCode: 'ERR_MULTIPATH_UNACKED' })
    const whole = await connectedPair()
    whole.near.write('arrives')
    await whole.near.flushed()
    whole.near.destroy()
    await expect(whole.near.flushed()).resolves.toBeUndefined()
  })
})

describe('await using', () => {
  it('delivers what was written before it closes', async () => {
    const { near, far } = await connectedPair()
    const arrived = readAll(far)
    {
      await using conn = near
      conn.write(Buffer.alloc(300 * KIB))
    }
    expect(near.closed).toBe(true)
    expect((await arrived).length).toBe(300 * KIB)
  })

  it('throws where it could not be delivered', async () => {
    const { near, paths } = await connectedPair({ dialer: { redialRetries: 0 } })
    paths[0]!.last.freeze()
    near.write('lost')
    const disposed = near[Symbol.asyncDispose]()
    await quiet()
    paths[0]!.last.destroy()
    await expect(disposed).rejects.toMatchObject({ multipathCode: 'ERR_MULTIPATH_UNACKED' })
  })
})
