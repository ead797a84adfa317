// SPDX-License-Identifier: Apache-2.0
/** Messages without an order, of two cores over links in virtual time: each arrives once, and none waits for another. */
import { describe, expect, it, vi } from 'vitest'
import { MessageExchange } from '../../lib/conn/message-exchange.js'
import type { LinkOptions } from '../../lib/testing/link.js'
import { SeededRandom } from '../../lib/testing/seeded-random.js'
import type { CoreHost } from '../support/core-host.js'
import type { CorePair, CorePairInit } from '../support/core-pair.js'
import { corePair } from '../support/core-pair.js'
import { seeds } from '../support/seeds.js'

vi.setConfig({ testTimeout: 120_000 })

const MIB = 1_048_576
const TWO: readonly LinkOptions[] = [
  { rateMbps: 50, delayMs: 5 },
  { rateMbps: 20, delayMs: 40 },
]

/** One side: it writes messages as fast as they are taken, and reads as fast as they come, or later. */
class Side {
  readonly exchange: MessageExchange
  readonly came: { readonly text: string; readonly length: number; readonly at: number }[] = []
  isReading = true
  error: unknown
  readonly #host: CoreHost
  readonly #waiting: Buffer[] = []
  #isEnding = false
  #hasEnded = false

  constructor(host: CoreHost, maxMessageBytes: number = MIB) {
    this.#host = host
    this.exchange = new MessageExchange(host.core.datagrams, maxMessageBytes)
    host.onRoom = () => {
      this.#write()
    }
    host.onHeard = () => {
      this.hear()
    }
    this.hear()
  }

  /** A message that begins with `text`. */
  write(text: string, bytes = 100): void {
    const message = Buffer.alloc(bytes)
    message.write(`${text}|`)
    this.#waiting.push(message)
    this.#write()
  }

  end(): void {
    this.#isEnding = true
    this.#write()
  }

  /** Messages that have not been taken from this side. */
  get waiting(): number {
    return this.#waiting.length
  }

  get texts(): string[] {
    return this.came.map(({ text }) => text)
  }

  hear(): void {
    try {
      this.exchange.hear(this.#host.clock.now())
    } catch (error) {
      this.error ??= error
    }
    while (this.isReading) {
      const message = this.exchange.take()
      if (message === undefined) break
      const text = message.toString('latin1', 0, message.indexOf('|'))
      this.came.push({ text, length: message.length, at: this.#host.clock.now() })
    }
    if (this.exchange.sayLimit(this.#host.clock.now())) this.#host.flush()
    this.#write()
  }

  #write(): void {
    const { exchange } = this
    for (;;) {
      if (exchange.pump(this.#host.clock.now())) this.#host.flush()
      if (!exchange.isReady) return
      const message = this.#waiting.shift()
      if (message === undefined) break
      exchange.write(message)
    }
    if (!this.#isEnding || this.#hasEnded) return
    this.#hasEnded = true
    exchange.end(this.#host.clock.now())
    this.#host.flush()
  }
}

interface Sides extends CorePair {
  readonly one: Side
  readonly other: Side
}

function sides(init: Partial<CorePairInit> = {}): Sides {
  const pair = corePair({ links: TWO, ...init })
  const both = { one: new Side(pair.near), other: new Side(pair.far) }
  pair.near.flush()
  pair.far.flush()
  pair.advance(1000)
  return { ...pair, ...both }
}

const counted = (count: number): string[] => Array.from({ length: count }, (_, n) => String(n))

describe('messages without an order', () => {
  it('each arrive once, in parts where they are long, and nothing is sent twice while all is calm', () => {
    const { one, other, near, far, advance } = sides()
    for (const text of counted(500)) one.write(text, Number(text) % 50 === 0 ? MIB / 2 : 100)
    one.end()
    advance(4000)
    expect(other.texts.toSorted()).toEqual(counted(500).toSorted())
    expect(other.came.filter(({ length }) => length === MIB / 2)).toHaveLength(10)
    expect([one.exchange.isWriteEnd, other.exchange.isReadEnd]).toEqual([true, true])
    expect(near.core.datagrams.stats).toMatchObject({ resent: 0, dropped: 0, expired: 0 })
    expect(far.core.datagrams.stats).toMatchObject({ duplicates: 0, unread: 0, late: 0 })
  })

  it('are there as soon as they have come, while those on a silent path are late', () => {
    const { one, other, links, advance, clock } = sides()
    const givenAt = new Map<string, number>()
    for (const text of counted(800)) {
      if (text === '400') links[0]!.freeze('there')
      givenAt.set(text, clock.now())
      one.write(text)
      advance(5)
    }
    advance(100)
    const took = other.came.map(({ text, at }) => at - givenAt.get(text)!).toSorted((a, b) => a - b)
    expect(other.texts.toSorted()).toEqual(counted(800).toSorted())
    // The path was silent for two seconds; two round trips of the other are enough.
    expect(took.at(-1)).toBeLessThan(160)
    expect(took.filter((ms) => ms > 60).length).toBeLessThan(10)
  })

  it('leave again on another path where theirs is silent, and come once', () => {
    const { one, other, links, advance, near, far } = sides()
    for (const text of counted(200)) one.write(text, 20_000)
    advance(300)
    links[0]!.freeze()
    advance(3000)
    expect(other.texts).toHaveLength(200)
    links[0]!.thaw()
    one.end()
    advance(3000)
    expect(other.texts.toSorted()).toEqual(counted(200).toSorted())
    expect(near.core.datagrams.stats.resent).toBeGreaterThan(0)
    expect(far.core.datagrams.stats.duplicates).toBeGreaterThan(0)
    expect(other.exchange.isReadEnd).toBe(true)
  })

  it('wait at the sender while the reader does not read, so that none is dropped', () => {
    const { one, other, advance, far } = sides()
    other.isReading = false
    for (const text of counted(400)) one.write(text, 100_000)
    advance(20_000)
    // 16 MiB are kept, one message is cut, and the others wait.
    expect(other.exchange.keptBytes).toBeGreaterThan(15 * MIB)
    expect(other.exchange.keptBytes).toBeLessThanOrEqual(16 * MIB)
    expect(one.waiting).toBeGreaterThan(200)
    expect(one.exchange.isReady).toBe(false)
    other.isReading = true
    other.hear()
    one.end()
    advance(20_000)
    expect(other.texts.toSorted()).toEqual(counted(400).toSorted())
    expect([other.exchange.isReadEnd, other.error]).toEqual([true, undefined])
    expect(far.core.datagrams.stats).toMatchObject({ unread: 0, late: 0 })
  })

  it('wait where their number is too far from that of the oldest whose ack is missing', () => {
    const { one, other, advance, links, near } = sides({ links: [{ rateMbps: 1000, delayMs: 50 }] })
    for (const text of counted(30)) one.write(text, MIB)
    advance(2000)
    links[0]!.freeze('back')
    for (let n = 30; n < 40_030; n++) one.write(String(n), 20)
    advance(60)
    // Beyond it, only what waited in the core already has a number.
    expect(near.core.datagrams.sender.span).toBeGreaterThanOrEqual(32_768)
    expect(near.core.datagrams.sender.span).toBeLessThan(32_768 + 262_144 / 86)
    expect(one.waiting).toBeGreaterThan(3000)
    links[0]!.thaw()
    advance(3000)
    expect(other.texts).toHaveLength(40_030)
    expect(new Set(other.texts).size).toBe(40_030)
  })

  it('wait for a path, however long there is none, and then arrive', () => {
    const { one, other, advance, links, join } = sides({ options: { holdMs: 600_000 } })
    for (const text of counted(300)) one.write(text, 30_000)
    advance(300)
    const before = other.texts.length
    for (const link of links) link.reset()
    advance(60_000)
    expect(other.texts.length).toBeLessThan(300)
    expect(before).toBeGreaterThan(0)
    join(0)
    one.end()
    advance(30_000)
    expect(other.texts.toSorted()).toEqual(counted(300).toSorted())
    expect(one.exchange.isWriteEnd).toBe(true)
  })

  it('of both directions leave room for what each side says that it takes', () => {
    const { one, other, advance } = sides()
    for (const text of counted(600)) {
      one.write(text, 100_000)
      other.write(text, 100_000)
    }
    one.end()
    other.end()
    advance(60_000)
    for (const side of [one, other]) {
      expect(side.texts.toSorted()).toEqual(counted(600).toSorted())
      expect(side.texts).not.toEqual(counted(600))
    }
  })

  it.each(seeds(6))('arrive whatever the links do: seed %i', (seed) => {
    const random = new SeededRandom(seed)
    const links = TWO.map((link) => ({ ...link, jitterMs: random.pick([0, 5, 20]) }))
    const pair = sides({ links, seed })
    const { one, other, advance } = pair
    const given = { one: 0, other: 0 }
    for (let round = 0; round < 40; round++) {
      for (let n = random.integer(0, 40); n > 0; n--)
        one.write(String(given.one++), random.integer(20, random.pick([100, 20_000, 200_000])))
      if (random.random() < 0.5) other.write(String(given.other++), random.integer(20, 40_000))
      if (random.random() < 0.2) other.isReading = !other.isReading
      const link = random.pick(pair.links)
      if (random.random() < 0.3) link.freeze()
      else link.thaw()
      advance(random.integer(1, 800))
    }
    for (const link of pair.links) link.thaw()
    other.isReading = true
    other.hear()
    one.end()
    other.end()
    advance(60_000)
    expect(other.texts.toSorted()).toEqual(counted(given.one).toSorted())
    expect(one.texts.toSorted()).toEqual(counted(given.other).toSorted())
    expect([one.exchange.isReadEnd, other.exchange.isReadEnd]).toEqual([true, true])
    expect([one.error, other.error]).toEqual([undefined, undefined])
  })
})
