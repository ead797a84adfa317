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
    expect(await failed).toMatchObject({ code: 'ERR_MULTIPATH_LINGER' })
  })

  it('calls its callback when everything is acked', async () => {
    const { near, far } = await connectedPair()
    far.resume()
    await new Promise<void>((resolve) => near.end(Buffer.alloc(300 * KIB), resolve))
    expect(near.unflushedBytes).toBe(0)
  })
})

describe('the last subflow going', () => {
  it('is an error of its own code where data was not acked', async () => {
    const { near, paths } = await connectedPair({ dialer: { redialRetries: 0 } })
    const failed = closing(near)
    paths[0]!.last.freeze()
    near.write('lost')
    await quiet()
    paths[0]!.last.destroy(new Error('unplugged'))
    const error = await failed
    expect(error).toMatchObject({ code: 'ERR_MULTIPATH_UNACKED' })
    expect(error?.cause).toMatchObject({ message: 'unplugged' })
  })

  it('is an error of its own code where the end of the data is missing', async () => {
    const { near, far, paths } = await connectedPair()
    const failed = [closing(near), closing(far)]
    near.resume()
    far.resume()
    paths[0]!.last.cut()
    for (const error of await Promise.all(failed))
      expect(error).toMatchObject({ code: 'ERR_MULTIPATH_INCOMPLETE' })
  })

  it('lets the reader drain what arrived before it tells of the error', async () => {
    const { near, far, paths } = await connectedPair({ dialer: { redialRetries: 0 } })
    const data = Buffer.alloc(500 * KIB, 'x')
    near.on('error', () => {}).write(data)
    await near.flushed()
    paths[0]!.last.cut()
    await quiet()
    const chunks: Buffer[] = []
    const failed = closing(far)
    far.on('data', (chunk: Buffer) => chunks.push(chunk))
    expect(await failed).toMatchObject({ code: 'ERR_MULTIPATH_INCOMPLETE' })
    expect(Buffer.concat(chunks).equals(data)).toBe(true)
  })

  it('lets a reader of few bytes at a time drain, too', async () => {
    const { near, far, paths } = await connectedPair({ dialer: { redialRetries: 0 } })
    const data = Buffer.alloc(200 * KIB, 'yz')
    near.on('error', () => {}).write(data)
    await near.flushed()
    paths[0]!.last.cut()
    await quiet()
    const into = Buffer.alloc(data.length)
    const netConn = far.netConn()
    for (let at = 0; at < data.length; ) at += await netConn.read(into.subarray(at, at + 1000))
    expect(into.equals(data)).toBe(true)
    await expect(netConn.read(into)).rejects.toMatchObject({ code: 'ERR_MULTIPATH_INCOMPLETE' })
  })

  it('does not wait for ever for a reader that has stopped', async () => {
    const clock = new ManualClock()
    const { near, far, paths } = await connectedPair({ listener: { clock, lingerMs: 5000 } })
    near.on('error', () => {}).write('unread')
    await near.flushed()
    paths[0]!.last.cut()
    const failed = closing(far)
    await pass(clock, 4900)
    expect(far.destroyed).toBe(false)
    await pass(clock, 200)
    expect(await failed).toMatchObject({ code: 'ERR_MULTIPATH_INCOMPLETE' })
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
  it('is immediate, and closes every socket', async () => {
    const { near, far, paths } = await connectedPair({ paths: 2 })
    const [farError, nearError] = [closing(far), closing(near)]
    far.resume()
    paths[0]!.last.freeze()
    near.write(Buffer.alloc(500 * KIB))
    near.destroy()
    expect(near.destroyed).toBe(true)
    expect(await nearError).toBeUndefined()
    expect(near.subflows()).toEqual([])
    paths[0]!.last.thaw()
    expect(await farError).toMatchObject({ code: 'ERR_MULTIPATH_INCOMPLETE' })
    await until(() => paths.every(({ live }) => live.length === 0))
  })

  it('with everything acked lets the peer know that nothing is missing', async () => {
    const { near, far } = await connectedPair()
    near.write('all of it')
    await near.flushed()
    near.destroy()
    expect(String(await readAll(far))).toBe('all of it')
  })

  it('with an error resets the sockets and tells of the error', async () => {
    const { near, far } = await connectedPair()
    const failed = [closing(near), closing(far)]
    far.resume()
    near.destroy(new Error('mine'))
    const [nearError, farError] = await Promise.all(failed)
    expect(nearError).toMatchObject({ message: 'mine' })
    expect(farError).toMatchObject({ code: 'ERR_MULTIPATH_INCOMPLETE' })
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
    expect(farError).toMatchObject({ code: 'ERR_MULTIPATH_INCOMPLETE' })
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
    near.destroy()
    await expect(flushed).rejects.toMatchObject({ code: 'ERR_MULTIPATH_CLOSED' })
  })

  it('rejects afterwards, too, where data was lost, and resolves where none was', async () => {
    const lossy = await connectedPair()
    lossy.paths[0]!.last.freeze()
    lossy.near.write('lost')
    lossy.near.destroy()
    await expect(lossy.near.flushed()).rejects.toMatchObject({ code: 'ERR_MULTIPATH_UNACKED' })
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
    await expect(disposed).rejects.toMatchObject({ code: 'ERR_MULTIPATH_UNACKED' })
  })
})
