// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { DeadlineError } from '../../lib/index.js'
import { connectedPair, readBytes } from '../support/pair.js'
import { quiet } from '../support/turns.js'

const past = (): Date => new Date(Date.now() - 1)
const soon = (ms = 15): Date => new Date(Date.now() + ms)

describe('read()', () => {
  it('fills no more than it is given, and returns how much', async () => {
    const { near, far } = await connectedPair()
    near.write('abcdef')
    const into = Buffer.alloc(4, '.')
    expect(await far.netConn().read(into)).toBe(4)
    expect(String(into)).toBe('abcd')
    expect(await far.netConn().read(into)).toBe(2)
    expect(String(into)).toBe('efcd')
  })

  it('returns -1 at the end, again and again', async () => {
    const { near, far } = await connectedPair()
    near.end('x')
    const into = new Uint8Array(10)
    expect(await far.netConn().read(into)).toBe(1)
    expect(await far.netConn().read(into)).toBe(-1)
    expect(await far.netConn().read(into)).toBe(-1)
  })

  it('returns 0 for an empty array', async () => {
    const { far } = await connectedPair()
    expect(await far.netConn().read(new Uint8Array(0))).toBe(0)
  })

  it('rejects past its deadline with a code of its own, data or not', async () => {
    const { near, far } = await connectedPair()
    near.write('there')
    await near.flushed()
    far.netConn().setReadDeadline(past())
    const late = far.netConn().read(new Uint8Array(5))
    await expect(late).rejects.toBeInstanceOf(DeadlineError)
    await expect(late).rejects.toMatchObject({ code: 'ERR_MULTIPATH_DEADLINE' })
  })

  it('loses no byte to a deadline, and goes on once that is moved', async () => {
    const { near, far } = await connectedPair({ paths: 2 })
    const conn = far.netConn()
    const data = Buffer.from(Array.from({ length: 2000 }, (_, i) => i))
    const got: Buffer[] = []
    const into = Buffer.alloc(300)
    for (let at = 0; at < data.length; at += 500) {
      conn.setReadDeadline(soon())
      const waiting = conn.read(into)
      await expect(waiting).rejects.toMatchObject({ code: 'ERR_MULTIPATH_DEADLINE' })
      near.write(data.subarray(at, at + 500))
      await near.flushed()
      await expect(conn.read(into)).rejects.toMatchObject({ code: 'ERR_MULTIPATH_DEADLINE' })
      conn.setReadDeadline(null)
      for (let left = 500; left > 0; ) {
        const count = await conn.read(into.subarray(0, left))
        got.push(Buffer.from(into.subarray(0, count)))
        left -= count
      }
    }
    expect(Buffer.concat(got).equals(data)).toBe(true)
  })

  it('waits on when the deadline is moved while it waits', async () => {
    const { near, far } = await connectedPair()
    const conn = far.netConn()
    conn.setDeadline(soon(60_000))
    const waiting = conn.read(new Uint8Array(1))
    await quiet()
    conn.setDeadline(soon())
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_MULTIPATH_DEADLINE' })
    conn.setDeadline(soon(60_000))
    const other = conn.read(new Uint8Array(1))
    conn.setDeadline(null)
    near.write('!')
    expect(await other).toBe(1)
  })

  it('rejects once the connection is destroyed, also a call that waits', async () => {
    const { far } = await connectedPair()
    const waiting = far.netConn().read(new Uint8Array(1))
    await quiet()
    far.destroy()
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_MULTIPATH_CLOSED' })
    await expect(far.netConn().read(new Uint8Array(1))).rejects.toMatchObject({
      code: 'ERR_MULTIPATH_CLOSED',
    })
  })

  it('rejects with what destroyed the connection, without anybody listening for errors', async () => {
    const { near, far, paths } = await connectedPair({ dialer: { redialRetries: 0, holdMs: 0 } })
    near.on('error', () => {})
    const waiting = far.netConn().read(new Uint8Array(1))
    await quiet()
    paths[0]!.last.cut()
    await expect(waiting).rejects.toMatchObject({ multipathCode: 'ERR_MULTIPATH_INCOMPLETE' })
  })
})

describe('write()', () => {
  it('returns the number of bytes, and copies them', async () => {
    const { near, far, paths } = await connectedPair()
    paths[0]!.last.freeze()
    const data = Buffer.alloc(100_000, 'a')
    expect(await near.netConn().write(data)).toBe(100_000)
    data.fill('b')
    paths[0]!.last.thaw()
    expect((await readBytes(far, 100_000)).equals(Buffer.alloc(100_000, 'a'))).toBe(true)
  })

  it('writes nothing for an empty array', async () => {
    const { near, far } = await connectedPair()
    expect(await near.netConn().write(new Uint8Array(0))).toBe(0)
    await near.netConn().write(Buffer.from('x'))
    expect(String(await readBytes(far, 1))).toBe('x')
  })

  it('rejects past its deadline and says how much was taken, which arrives', async () => {
    const { near, far, paths } = await connectedPair({ dialer: { sendBufferBytes: 100_000 } })
    paths[0]!.last.freeze()
    paths[0]!.mode = 'hang'
    const conn = near.netConn()
    const data = Buffer.from(Array.from({ length: 900_000 }, (_, i) => i >> 8))
    conn.setWriteDeadline(soon(100))
    const error = await conn.write(data).catch((thrown: unknown) => thrown as DeadlineError)
    expect(error).toMatchObject({ code: 'ERR_MULTIPATH_DEADLINE' })
    const { bytesWritten } = error as DeadlineError
    expect(bytesWritten).toBeGreaterThan(0)
    expect(bytesWritten).toBeLessThan(900_000)
    await expect(conn.write(data)).rejects.toMatchObject({ bytesWritten: 0 })
    conn.setWriteDeadline(null)
    paths[0]!.last.thaw()
    const arrived = readBytes(far, 900_000)
    expect(await conn.write(data.subarray(bytesWritten))).toBe(900_000 - bytesWritten)
    expect((await arrived).equals(data)).toBe(true)
  })

  it('writes one call after another where calls overlap', async () => {
    const { near, far } = await connectedPair({ dialer: { sendBufferBytes: 1000 } })
    const conn = near.netConn()
    const arrived = readBytes(far, 600_000)
    await Promise.all(['a', 'b', 'c'].map((fill) => conn.write(Buffer.alloc(200_000, fill))))
    const expected = Buffer.concat(['a', 'b', 'c'].map((fill) => Buffer.alloc(200_000, fill)))
    expect((await arrived).equals(expected)).toBe(true)
  })

  it('rejects on a connection that has ended', async () => {
    const { near } = await connectedPair()
    near.end()
    await expect(near.netConn().write(Buffer.from('x'))).rejects.toMatchObject({
      code: 'ERR_MULTIPATH_CLOSED',
    })
    near.destroy()
    await expect(near.netConn().write(Buffer.from('x'))).rejects.toMatchObject({
      code: 'ERR_MULTIPATH_CLOSED',
    })
  })
})

describe('close()', () => {
  it('delivers what was written', async () => {
    const { near, far } = await connectedPair({ paths: 2 })
    const arrived = readBytes(far, 500_000)
    await near.netConn().write(Buffer.alloc(500_000))
    await near.netConn().close()
    expect(near.closed).toBe(true)
    expect((await arrived).length).toBe(500_000)
    await near.netConn().close()
  })

  it('rejects where that was not possible', async () => {
    const { near, far, paths } = await connectedPair({ dialer: { redialRetries: 0 } })
    far.on('error', () => {})
    paths[0]!.last.freeze()
    await near.netConn().write(Buffer.from('lost'))
    const closed = near.netConn().close()
    await quiet()
    paths[0]!.last.destroy()
    await expect(closed).rejects.toMatchObject({ multipathCode: 'ERR_MULTIPATH_UNACKED' })
    await expect(near.netConn().close()).rejects.toMatchObject({ multipathCode: 'ERR_MULTIPATH_UNACKED' })
  })
})

describe('deadlines', () => {
  it.each([['tomorrow'], [5], [new Date(Number.NaN)], [undefined]])('refuse %s', async (value) => {
    const { near } = await connectedPair()
    expect(() => near.netConn().setDeadline(value as Date)).toThrow(
      expect.objectContaining({ code: 'ERR_MULTIPATH_OPTION' }) as Error,
    )
  })
})

describe('addresses', () => {
  it('are empty where the first stream is no socket', async () => {
    const { near } = await connectedPair()
    expect(near.netConn().localAddr).toEqual({})
    expect(near.netConn().remoteAddr).toEqual({})
  })
})
