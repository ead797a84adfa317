// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it, onTestFinished } from 'vitest'
import { MultipathDialer, NullTracker } from '../../lib/index.js'
import { connectedPair, meeting, readBytes, upCount } from '../support/pair.js'
import { MemoryPath } from '../support/memory-path.js'
import { quiet, until } from '../support/turns.js'

const OPTION = { code: 'ERR_MULTIPATH_OPTION' }

describe('a dialer of many paths', () => {
  it('makes Node warn of no leak', async () => {
    const warned: Error[] = []
    const processOnWarning = (warning: Error): void => void warned.push(warning)
    process.on('warning', processOnWarning)
    onTestFinished(() => void process.off('warning', processOnWarning))
    const { near } = await connectedPair({ paths: 16 })
    expect(upCount(near)).toBe(16)
    await quiet()
    expect(warned).toEqual([])
  })
})

describe('the constructor', () => {
  it("labels itself as Go's dialer does", () => {
    expect(meeting({ paths: 3 }).dialer.label).toBe('multipath dialer to memory with 3 paths')
  })

  it.each([
    ['no dialers', []],
    ['something else', 'dialers'],
    ['a dialer without a label', [{ dial: () => {} }]],
    ['a dialer without dial()', [{ label: 'x' }]],
    ['nothing as a dialer', [undefined]],
  ])('refuses %s', (_what, dialers) => {
    expect(() => new MultipathDialer('x', dialers as never)).toThrow(expect.objectContaining(OPTION) as Error)
  })

  it('is itself a path of another dialer: connections of connections work', async () => {
    const inner = meeting({ paths: 2 })
    const outer = meeting()
    const dialer = new MultipathDialer('outer', [inner.dialer])
    void (async () => {
      for await (const conn of inner.listener) outer.paths[0]!.server.emit('connection', conn)
    })()
    const [near, far] = await Promise.all([dialer.dial(), outer.listener.accept()])
    near.write('through both')
    expect(String(await readBytes(far, 12))).toBe('through both')
    far.resume()
    near.resume().end()
    await until(() => near.closed && far.closed)
    await until(() => inner.listener.connections === 0)
  })
})

describe('statistics of the paths', () => {
  it('count frames and bytes, and survive the reconnects of a path', async () => {
    const { near, far, paths, dialer } = await connectedPair({ dialer: { redialMinMs: 1 }, paths: 2 })
    for (let round = 0; round < 4; round++) {
      near.write('12345')
      far.write('123')
      expect((await readBytes(far, 5)).length).toBe(5)
      expect((await readBytes(near, 3)).length).toBe(3)
      await Promise.all([near.flushed(), far.flushed()])
      paths[round % 2]!.last.cut()
      await until(() => upCount(near) === 1)
      await until(() => upCount(near) === 2 && upCount(far) === 2)
    }
    const stats = dialer.stats()
    const sum = (name: 'sentFrames' | 'sentBytes' | 'receivedFrames' | 'receivedBytes' | 'successes') =>
      stats.reduce((total, path) => total + path[name], 0)
    expect(sum('sentFrames')).toBe(4)
    expect(sum('sentBytes')).toBe(20)
    expect(sum('receivedFrames')).toBe(4)
    expect(sum('receivedBytes')).toBe(12)
    expect(sum('successes')).toBe(6)
    for (const { rttMs } of stats) expect(rttMs).toBeGreaterThanOrEqual(0)
  })

  it('count failures, and begin successes in a row anew', async () => {
    const { paths, dialer, near } = await connectedPair({ dialer: { redialMinMs: 1, redialMaxMs: 1 } })
    near.on('error', () => {})
    paths[0]!.mode = 'refuse'
    await expect(dialer.dial()).rejects.toThrow()
    expect(dialer.stats()[0]).toMatchObject({ successes: 1, consecutiveSuccesses: 0, failures: 1 })
    expect(dialer.stats()[0]!.rttMs).toBeUndefined()
    paths[0]!.mode = 'open'
    const again = await dialer.dial()
    expect(dialer.stats()[0]).toMatchObject({ successes: 2, consecutiveSuccesses: 1, failures: 1 })
    again.destroy()
  })

  it("are printed in the columns of Go's FormatStats, a line for each path", async () => {
    const { near, far, dialer } = await connectedPair({ paths: 2 })
    near.write(Buffer.alloc(1500))
    await readBytes(far, 1500)
    const lines = dialer.formatStats()
    expect(lines).toHaveLength(2)
    const columns =
      /^path \d {2}S: {4}1\( {2}1\) {2}F: {4}0 {2}RTT: +\d+ms {2}SENT: +\d+\/ +[\d.]+ k?B {2}RECV: +0\/ +0 B {2}RT: +0\/ +0 B$/
    for (const line of lines) expect(line).toMatch(columns)
    expect(lines.join('\n')).toContain('1.5 kB')
  })

  it('reach the tracker of each path, on the dialer and on the listener', async () => {
    const calls = new Map<string, number>()
    class Recorder extends NullTracker {
      override onSent(bytes: number): void {
        calls.set('sent', (calls.get('sent') ?? 0) + bytes)
      }
      override onRecv(bytes: number): void {
        calls.set('received', (calls.get('received') ?? 0) + bytes)
      }
      override updateRTT(milliseconds: number): void {
        calls.set('rtt', milliseconds)
      }
    }
    const { near, far } = await connectedPair({ paths: 2, tracker: new Recorder() })
    near.write('12345')
    await readBytes(far, 5)
    expect(Object.fromEntries(calls)).toEqual({ sent: 5, received: 5, rtt: expect.any(Number) as number })
  })
})

describe('a path', () => {
  it('of another kind than TCP is any object with a label and dial()', async () => {
    const { listener, paths } = meeting()
    const own = new MemoryPath(paths[0]!.server, 'own kind')
    const [near] = await Promise.all([new MultipathDialer('x', [own]).dial(), listener.accept()])
    expect(near.subflows().map(({ label }) => label)).toEqual(['own kind'])
    near.destroy()
  })
})
