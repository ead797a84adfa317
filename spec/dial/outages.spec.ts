// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it, onTestFinished } from 'vitest'
import type { DialerOptions } from '../../lib/index.js'
import { StandbyPace } from '../../lib/dial/standby.js'
import { ManualClock } from '../../lib/testing/manual-clock.js'
import type { MemoryPath } from '../support/memory-path.js'
import { closing, meeting, readBytes, upCount } from '../support/pair.js'
import { pass, passUntil } from '../support/pass.js'

async function pairOver(clock: ManualClock, count: number, dialerOptions: DialerOptions = {}) {
  const options = { clock, ...dialerOptions }
  const { dialer, listener, paths } = meeting({ paths: count, dialer: options, listener: { clock } })
  const [near, far] = await passUntil(clock, Promise.all([dialer.dial(), listener.accept()]))
  onTestFinished(() => {
    near.on('error', () => {}).destroy()
    far.on('error', () => {}).destroy()
  })
  await pass(clock, 100)
  return { near, far, listener, paths }
}

/** Answers the hello that waits on `path`'s newest stream, and says nothing more. */
function answerHello(path: MemoryPath): void {
  const { peer } = path.last
  peer.once('data', (hello: Buffer) => peer.write(hello.subarray(0, 17)))
}

describe('paths that are reset in turn', () => {
  it.each([2, 3])('never end a connection over %i of them, and every byte arrives', async (count) => {
    const clock = new ManualClock()
    const { near, far, paths, listener } = await pairOver(clock, count)
    const rounds = 150
    const got = readBytes(far, rounds * 8)
    for (let round = 0; round < rounds; round++) {
      near.write(`${round}`.padStart(8))
      paths[round % count]!.last.cut()
      await pass(clock, 400, 25)
    }
    const text = String(await passUntil(clock, got))
    expect(text).toBe(Array.from({ length: rounds }, (_, round) => `${round}`.padStart(8)).join(''))
    expect(near.destroyed || far.destroyed).toBe(false)
    await pass(clock, 31_000, 100)
    expect(upCount(near)).toBe(count)
    expect(listener.connections).toBe(1)
  })
})

describe('a path that waits to be redialled', () => {
  it('is tried at once when the last other one is lost or suspect, however long it was to wait', async () => {
    const clock = new ManualClock()
    const options = { keepAliveMs: 200, redialMinMs: 10, redialMaxMs: 3_600_000 }
    const { near, paths } = await pairOver(clock, 2, options)
    const [steady, broken] = paths as [MemoryPath, MemoryPath]
    broken.mode = 'refuse'
    broken.last.cut()
    await pass(clock, 120_000, 100)
    const { dials } = broken
    broken.mode = 'open'
    steady.last.freeze()
    await pass(clock, 1500)
    expect(broken.dials).toBe(dials + 1)
    expect(upCount(near)).toBeGreaterThanOrEqual(1)
  })

  it('waits on while the other stays up', async () => {
    const clock = new ManualClock()
    const { paths } = await pairOver(clock, 2)
    paths[1]!.mode = 'refuse'
    paths[1]!.last.cut()
    await pass(clock, 60_000, 100)
    expect(paths[1]!.dials).toBeLessThan(30)
  })

  it('waits where it is lost as soon as it has come up, even if it is the last but one', async () => {
    const clock = new ManualClock()
    const { near, paths } = await pairOver(clock, 2)
    near.on('subflow-open', ({ label }) => {
      if (label === 'path 1') paths[1]!.last.cut()
    })
    paths[1]!.last.cut()
    await pass(clock, 60_000, 100)
    expect(paths[1]!.dials).toBeLessThan(30)
  })
})

describe('the standby of a lone suspect', () => {
  it('takes its place only once it has carried something, so that its own end leaves the suspect', async () => {
    const clock = new ManualClock()
    const { near, far, paths } = await pairOver(clock, 1, { keepAliveMs: 200 })
    const [path] = paths as [MemoryPath]
    const suspect = path.last
    const closed = closing(near)
    suspect.freeze()
    near.write('carried on')
    path.mode = 'mute'
    await pass(clock, 500)
    expect(path.streams).toHaveLength(2)
    answerHello(path)
    await pass(clock, 500)
    expect(near.subflows().map(({ state }) => state)).toEqual(['suspect', 'probing'])
    path.mode = 'hang'
    path.last.cut()
    await pass(clock, 100)
    expect(near.subflows().map(({ state }) => state)).toEqual(['suspect'])
    suspect.thaw()
    expect(String(await passUntil(clock, readBytes(far, 10)))).toBe('carried on')
    near.end()
    far.end()
    near.resume()
    expect(await passUntil(clock, closed)).toBeUndefined()
  })

  it('is looked for less often, and then twice a second, while the path refuses', async () => {
    const clock = new ManualClock()
    const { near, paths } = await pairOver(clock, 1, { keepAliveMs: 200, deadMs: 20_000 })
    const [path] = paths as [MemoryPath]
    path.mode = 'refuse'
    path.last.freeze()
    near.write('x')
    await pass(clock, 1200)
    const early = path.dials
    expect(early).toBeGreaterThanOrEqual(3)
    await pass(clock, 10_000)
    expect(path.dials - early).toBeLessThanOrEqual(21)
  })

  it('is looked for no more often while each is reset right after its hello', async () => {
    const clock = new ManualClock()
    const { near, paths } = await pairOver(clock, 1, { keepAliveMs: 200, deadMs: 20_000 })
    const [path] = paths as [MemoryPath]
    path.mode = 'mute'
    path.last.freeze()
    near.write('x')
    for (let known = 1, left = 1000; left > 0; left--) {
      await pass(clock, 10)
      if (path.streams.length === known) continue
      known++
      answerHello(path)
      await pass(clock, 10)
      path.last.cut()
    }
    expect(path.dials).toBeGreaterThan(3)
    expect(path.dials).toBeLessThanOrEqual(23)
    expect(near.destroyed).toBe(false)
  })

  it('is dialled no more often where the suspect comes and goes', () => {
    const pace = new StandbyPace()
    const begun: number[] = []
    // A search begins every 300 ms, and has 200 ms until the suspect is good again.
    for (let now = 0; now < 8000; now += 300) {
      const at = pace.nextAt(now, 200)
      if (at >= now + 200) continue
      pace.began(at)
      begun.push(at)
    }
    expect(begun).toEqual([
      100, 300, 700, 1200, 1600, 2100, 2500, 3000, 3400, 3900, 4300, 4800, 5200, 5700, 6100, 6600, 7000, 7500,
      7900,
    ])
    expect(pace.nextAt(30_000, 200)).toBe(30_100)
  })
})
