// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it, test } from 'vitest'
import { OptionError } from '../../lib/errors.js'
import type { LinkEnd } from '../../lib/testing/link-end.js'
import type { LinkOptions } from '../../lib/testing/link.js'
import { SimulatedNetwork } from '../../lib/testing/simulated-network.js'
import { patternAt, PatternChecker } from '../support/pattern.js'

/** What came out of one end, and when. */
class Tap {
  readonly checker = new PatternChecker(1)
  readonly events: string[] = []
  firstAt: number | undefined
  lastAt = 0
  pieces = 0
  rooms = 0

  constructor(end: LinkEnd, now: () => number) {
    end.handle({
      onBytes: (bytes) => {
        this.firstAt ??= now()
        this.lastAt = now()
        this.pieces++
        this.checker.add(bytes)
      },
      onRoom: () => {
        this.rooms++
      },
      onEnd: () => this.events.push(`end ${Math.round(now())}`),
      onReset: () => this.events.push(`reset ${Math.round(now())}`),
    })
  }
}

function open(options: LinkOptions, seed = 1) {
  const network = new SimulatedNetwork({ seed })
  const { clock } = network
  const link = network.link(options)
  const [near, far] = link.openRaw()
  const now = (): number => clock.now()
  return { network, clock, link, near, far, atNear: new Tap(near, now), atFar: new Tap(far, now) }
}

describe('a simulated link', () => {
  it('carries bytes in order, at its rate, after its delay', () => {
    const { clock, near, atFar } = open({ rateMbps: 8, delayMs: 30 })
    near.write(patternAt(1, 0, 100_000))
    clock.advance(1000)
    expect(atFar.checker).toMatchObject({ bytes: 100_000, wrongAt: undefined })
    expect(atFar.firstAt).toBeGreaterThanOrEqual(30)
    expect(atFar.firstAt).toBeLessThan(33)
    expect(atFar.lastAt).toBeCloseTo(130, 0)
  })

  it('copies what it is given', () => {
    const { clock, near, atFar } = open({ rateMbps: 8, delayMs: 30 })
    const bytes = Buffer.from(patternAt(1, 0, 10_000))
    near.write(bytes)
    bytes.fill(0)
    clock.advance(1000)
    expect(atFar.checker.wrongAt).toBeUndefined()
  })

  it('carries what is written in one go in one piece', () => {
    const { clock, near, atFar } = open({ rateMbps: 8 })
    near.writeAll([patternAt(1, 0, 8), patternAt(1, 8, 1000), patternAt(1, 1008, 20)])
    clock.advance(1000)
    expect(atFar.checker).toMatchObject({ bytes: 1028, wrongAt: undefined })
    expect(atFar.pieces).toBe(1)
  })

  it('has no limit of rate where none is wanted', () => {
    const { clock, near, atFar } = open({ rateMbps: Infinity, delayMs: 0 })
    near.write(patternAt(1, 0, 5_000_000))
    clock.advance(1)
    expect(atFar.checker).toMatchObject({ bytes: 5_000_000, wrongAt: undefined })
  })

  it('keeps the order of a stream under jitter and loss, which cost time', () => {
    const { clock, near, atFar } = open({ rateMbps: 80, delayMs: 20, jitterMs: 10, lossRate: 0.01 })
    near.write(patternAt(1, 0, 2_000_000))
    clock.advance(20_000)
    expect(atFar.checker).toMatchObject({ bytes: 2_000_000, wrongAt: undefined })
    expect(atFar.lastAt).toBeGreaterThan(225)
  })

  it('does the same again with the same seed', () => {
    const run = (seed: number): number => {
      const { clock, near, atFar } = open({ rateMbps: 80, jitterMs: 30, lossRate: 0.05 }, seed)
      near.write(patternAt(1, 0, 100_000))
      clock.advance(5000)
      return atFar.lastAt
    }
    expect(run(5)).toBe(run(5))
    expect(run(5)).not.toBe(run(6))
  })

  it('says when its send buffer is full, and when there is room again', () => {
    const { clock, near, atNear, atFar } = open({ rateMbps: 8, sendBufferBytes: 50_000, queueBytes: 10_000 })
    expect(near.write(patternAt(1, 0, 40_000))).toBe(true)
    expect(near.write(patternAt(1, 40_000, 40_000))).toBe(false)
    expect(near.bufferedBytes).toBeGreaterThan(50_000)
    clock.advance(35)
    expect(near.bufferedBytes).toBeLessThan(50_000)
    expect(near.write(patternAt(1, 80_000, 10))).toBe(false)
    expect(atNear.rooms).toBe(0)
    clock.advance(100)
    expect(atNear.rooms).toBe(1)
    expect(atFar.checker).toMatchObject({ bytes: 80_010, wrongAt: undefined })
  })

  it('makes the sender wait for a receiver that does not read', () => {
    const { clock, near, far, atFar } = open({ receiveBufferBytes: 100_000 })
    far.pause()
    near.write(patternAt(1, 0, 250_000))
    clock.advance(1000)
    expect(atFar.checker.bytes).toBe(0)
    expect(near.bufferedBytes).toBe(150_000)
    far.resume()
    expect(atFar.checker.bytes).toBe(100_000)
    clock.advance(1000)
    expect(atFar.checker).toMatchObject({ bytes: 250_000, wrongAt: undefined })
  })

  it('shares its rate among streams, and its queue makes each wait for the others', () => {
    const { clock, link, near, atFar } = open({ rateMbps: 8, delayMs: 0, queueBytes: 20_000 })
    const [second, secondFar] = link.openRaw()
    const atSecond = new Tap(secondFar, () => clock.now())
    near.write(patternAt(1, 0, 200_000))
    clock.advance(1)
    second.write(patternAt(1, 0, 1000))
    clock.advance(15)
    expect(atSecond.checker.bytes).toBe(0)
    clock.advance(10)
    expect(atSecond.checker.bytes).toBe(1000)
    second.write(patternAt(1, 1000, 99_000))
    clock.advance(50)
    const before = [atFar.checker.bytes, atSecond.checker.bytes] as const
    clock.advance(60)
    const share = (atSecond.checker.bytes - before[1]) / (atFar.checker.bytes - before[0])
    expect(share).toBeGreaterThan(0.8)
    expect(share).toBeLessThan(1.25)
  })

  it('takes a new rate and delay at once', () => {
    const { clock, link, near, atFar } = open({ rateMbps: 8, delayMs: 10 })
    near.write(patternAt(1, 0, 100_000))
    clock.advance(50)
    link.change({ rateMbps: 80 })
    clock.advance(20)
    expect(atFar.checker).toMatchObject({ bytes: 100_000, wrongAt: undefined })
  })

  it('takes longer for what is in its queue once it is slower, and keeps the order', () => {
    const { clock, link, near, atFar } = open({ rateMbps: 80, delayMs: 10, jitterMs: 3 })
    near.write(patternAt(1, 0, 100_000))
    clock.advance(2)
    link.change({ rateMbps: 8 })
    near.write(patternAt(1, 100_000, 10_000))
    clock.advance(88)
    expect(atFar.checker.bytes).toBeLessThan(100_000)
    clock.advance(20)
    expect(atFar.checker).toMatchObject({ bytes: 110_000, wrongAt: undefined })
  })
})

describe('a frozen link', () => {
  it('delivers nothing, loses nothing, and goes on when TCP tries again', () => {
    const { clock, link, near, atFar } = open({ rateMbps: 8, delayMs: 50 })
    near.write(patternAt(1, 0, 100_000))
    clock.advance(100)
    const before = atFar.checker.bytes
    expect(before).toBeGreaterThan(40_000)
    link.freeze()
    clock.advance(1000)
    expect(atFar.checker.bytes).toBe(before)
    link.thaw()
    // Tries after 200, 600 and 1,400 ms of silence.
    clock.advance(390)
    expect(atFar.checker.bytes).toBe(before)
    clock.advance(300)
    expect(atFar.checker).toMatchObject({ bytes: 100_000, wrongAt: undefined })
  })

  it('serves a new stream at once after its return', () => {
    const { clock, link } = open({ rateMbps: 8, delayMs: 50 })
    link.freeze()
    clock.advance(1000)
    link.thaw()
    const [near, far] = link.openRaw()
    const atFar = new Tap(far, () => clock.now())
    near.write(patternAt(1, 0, 1000))
    clock.advance(60)
    expect(atFar.checker.bytes).toBe(1000)
  })

  it('survives one freeze after another', () => {
    const { clock, link, near, atFar } = open({ rateMbps: 8, delayMs: 50, lossRate: 0.05 })
    near.write(patternAt(1, 0, 500_000))
    for (let round = 0; round < 40; round++) {
      clock.advance(37)
      link.freeze()
      link.freeze()
      clock.advance(round * 10)
      link.thaw()
      link.thaw()
    }
    clock.advance(60_000)
    expect(atFar.checker).toMatchObject({ bytes: 500_000, wrongAt: undefined })
  })

  it('may freeze one way alone', () => {
    const { clock, link, near, far, atNear, atFar } = open({ delayMs: 5 })
    link.freeze('back')
    expect(link.isFrozen).toBe(true)
    near.write(patternAt(1, 0, 1000))
    far.write(patternAt(1, 0, 1000))
    clock.advance(100)
    expect([atFar.checker.bytes, atNear.checker.bytes]).toEqual([1000, 0])
    link.thaw()
    link.freeze('there')
    near.write(patternAt(1, 1000, 1000))
    clock.advance(1000)
    expect([atFar.checker.bytes, atNear.checker.bytes]).toEqual([1000, 1000])
  })
})

describe('the end of a stream', () => {
  it('comes after all bytes, one direction at a time', () => {
    const { clock, link, near, far, atNear, atFar } = open({ rateMbps: 8, delayMs: 20 })
    near.write(patternAt(1, 0, 50_000))
    near.end()
    near.end()
    clock.advance(200)
    expect(atFar.checker.bytes).toBe(50_000)
    expect(atFar.events).toEqual(['end 70'])
    expect(link.streams).toBe(1)
    far.write(patternAt(1, 0, 1000))
    far.end()
    clock.advance(200)
    expect(atNear.checker.bytes).toBe(1000)
    expect(atNear.events).toEqual(['end 221'])
    expect(link.streams).toBe(0)
    expect(near.isClosed && far.isClosed).toBe(true)
  })

  it('is a reset at both ends when the link is cut, with what was on its way lost', () => {
    const { clock, link, near, far, atNear, atFar } = open({ rateMbps: 8, delayMs: 20 })
    near.write(patternAt(1, 0, 50_000))
    clock.advance(50)
    const before = atFar.checker.bytes
    link.cut()
    clock.advance(1000)
    expect(atFar.checker.bytes).toBe(before)
    expect(atNear.events).toEqual(['reset 50'])
    expect(atFar.events).toEqual(['reset 50'])
    expect(near.write(new Uint8Array(1))).toBe(true)
    near.end()
    far.reset()
    clock.advance(1000)
    expect(atNear.events).toEqual(['reset 50'])
  })

  it('is seen by the other end when one end resets, and what had not left is lost', () => {
    const { clock, near, atNear, atFar } = open({ rateMbps: 8, delayMs: 20, queueBytes: 5000 })
    near.write(patternAt(1, 0, 50_000))
    clock.advance(10)
    near.reset()
    clock.advance(1000)
    expect(atFar.checker.bytes).toBeLessThan(25_000)
    expect(atFar.checker.wrongAt).toBeUndefined()
    expect(atFar.events).toHaveLength(1)
    expect(atFar.events[0]).toMatch(/^reset/)
    expect(atNear.events).toEqual([])
  })

  it('answers bytes with a reset after one end has closed, and still delivers what that end sent', () => {
    const { clock, near, far, atNear, atFar } = open({ rateMbps: 8, delayMs: 20 })
    near.write(patternAt(1, 0, 10_000))
    near.close()
    clock.advance(100)
    expect(atFar.checker.bytes).toBe(10_000)
    far.write(patternAt(1, 0, 10))
    clock.advance(100)
    expect(atFar.events).toEqual(['end 30', 'reset 140'])
    expect(atNear.events).toEqual([])
  })
})

describe('options of a link', () => {
  test.each([
    [{ rateMbps: 0 }, 'rateMbps must be from 0.001 to Infinity, got 0'],
    [{ delayMs: -1 }, 'delayMs must be from 0 to 60000, got -1'],
    [{ lossRate: 1 }, 'lossRate must be from 0 to 0.9, got 1'],
    [{ queueBytes: '9' as unknown as number }, 'queueBytes must be from 1500 to Infinity, got 9'],
    [{ rate: 5 } as LinkOptions, 'unknown option rate'],
  ])('refuses %o', (options, message) => {
    const network = new SimulatedNetwork()
    expect(() => network.link(options)).toThrow(OptionError)
    expect(() => network.link(options)).toThrow(message)
  })

  it('takes undefined for the default', () => {
    const network = new SimulatedNetwork()
    expect(network.link({ rateMbps: undefined }).streams).toBe(0)
  })
})
