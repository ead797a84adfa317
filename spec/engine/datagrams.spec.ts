// SPDX-License-Identifier: Apache-2.0
/** Datagrams of two cores over links in virtual time: a call that must not wait, beside bulk and while a link comes and goes. */
import { describe, expect, it, vi } from 'vitest'
import { DATAGRAM_TABLE, type DatagramSendOptions } from '../../lib/core/datagrams/datagram-options.js'
import { resolveOptions } from '../../lib/options.js'
import type { LinkOptions } from '../../lib/testing/link.js'
import type { CorePair } from '../support/core-pair.js'
import { corePair } from '../support/core-pair.js'

vi.setConfig({ testTimeout: 120_000 })

const MIB = 1_048_576
const THREE: readonly LinkOptions[] = [
  { rateMbps: 50, delayMs: 5 },
  { rateMbps: 50, delayMs: 20 },
  { rateMbps: 5, delayMs: 150 },
]
const EVERY_MS = 5
const BYTES = 100

/** A call of one side: a datagram every 5 ms, with the time at which it was given. */
class Call {
  given = 0
  /** How long each took that came, milliseconds. */
  readonly tookMs: number[] = []
  readonly #pair: CorePair
  readonly #sent = new Map<number, number>()
  #isOver = false

  constructor(pair: CorePair, options: DatagramSendOptions = {}) {
    this.#pair = pair
    const how = resolveOptions(DATAGRAM_TABLE, options)
    const { near, far, clock } = pair
    far.onHeard = () => {
      this.#take()
    }
    const step = (): void => {
      if (this.#isOver) return
      const bytes = Buffer.alloc(BYTES)
      bytes.writeUInt32BE(this.given)
      this.#sent.set(this.given++, clock.now())
      near.core.datagrams.send(bytes, how, clock.now())
      near.flush()
      clock.callAt(clock.now() + EVERY_MS, step)
    }
    step()
  }

  end(): void {
    this.#isOver = true
    this.#pair.advance(2000)
  }

  /** The share of what was given that came within so many milliseconds. */
  shareWithin(ms: number): number {
    return this.tookMs.filter((took) => took <= ms).length / this.given
  }

  #take(): void {
    const { far, clock } = this.#pair
    const { receiver } = far.core.datagrams
    for (let next = receiver.take(clock.now()); next !== undefined; next = receiver.take(clock.now())) {
      const number = Buffer.from(next).readUInt32BE()
      this.tookMs.push(clock.now() - this.#sent.get(number)!)
      this.#sent.delete(number)
    }
  }
}

/** All bytes that the caller wrote to its sockets, headers, copies and pings included, as a share of those given. */
function bytesShare({ near }: CorePair, { given }: Call, before: number): number {
  return (near.wireBytes - before) / (given * BYTES)
}

describe('a call of small datagrams over three links', () => {
  it('takes the fastest, and nothing is sent twice while all are calm', () => {
    const pair = corePair({ links: THREE })
    pair.advance(1000)
    const before = pair.near.wireBytes
    const call = new Call(pair)
    pair.advance(10_000)
    call.end()
    expect(call.shareWithin(6)).toBe(1)
    expect(bytesShare(pair, call, before)).toBeLessThan(1.13)
    expect(pair.near.sum('bytesSent')).toBe(call.given * BYTES)
    expect(pair.near.core.datagrams.stats.resent).toBe(0)
    expect(pair.far.core.datagrams.stats.duplicates).toBe(0)
    expect(pair.near.changes.filter(({ state }) => state !== 'up' && state !== 'probing')).toEqual([])
  })

  it.each([
    [0, 1],
    [0, 2],
    [1, 3],
    [2, 4],
  ])('loses less than one in a thousand in time while link %i comes and goes (seed %i)', (which, seed) => {
    const pair = corePair({ links: THREE, seed })
    const { near, links, network } = pair
    pair.advance(1000)
    const before = near.wireBytes
    const call = new Call(pair, { expiresMs: 200 })
    for (let round = 0; round < 4; round++) {
      pair.advance(network.random.integer(10_000, 15_000) + network.random.random() * EVERY_MS)
      links[which]!.freeze()
      pair.advance(network.random.integer(1000, 4000))
      links[which]!.thaw()
    }
    pair.advance(5000)
    call.end()
    const [inTime, bytes] = [call.shareWithin(5 + 20), bytesShare(pair, call, before)]
    console.info(`link ${which}: ${(100 * inTime).toFixed(3)} % in time, ${bytes.toFixed(3)} × the bytes`)
    expect(inTime).toBeGreaterThanOrEqual(0.999)
    expect(bytes).toBeLessThan(1.2)
    expect(call.tookMs).toHaveLength(call.given)
  })

  it('stays on the better of the rest, whose acks are late at times, while the fastest is silent', () => {
    const [fastest, next, slow] = THREE
    const pair = corePair({ links: [fastest!, { ...next!, jitterMs: 10 }, slow!], seed: 5 })
    pair.advance(1000)
    const before = pair.near.wireBytes
    pair.links[0]!.freeze()
    pair.advance(1000)
    const call = new Call(pair)
    pair.advance(20_000)
    call.end()
    expect(call.shareWithin(20 + 20)).toBeGreaterThanOrEqual(0.999)
    expect(bytesShare(pair, call, before)).toBeLessThan(1.4)
  })

  it('stays so beside bulk, without which no datagram waits', () => {
    const pair = corePair({ links: THREE.slice(0, 2) })
    pair.near.write(1000 * MIB)
    pair.advance(3000)
    const call = new Call(pair)
    pair.advance(5000)
    call.end()
    const sorted = call.tookMs.toSorted((a, b) => a - b)
    console.info(`beside bulk: median ${sorted[sorted.length >> 1]} ms, worst ${sorted.at(-1)} ms`)
    expect(call.shareWithin(1000)).toBe(1)
    // The queue of the fastest path is what the stream has made: its window holds 1.3 pipes.
    expect(sorted[sorted.length >> 1]).toBeLessThan(25)
    expect(call.shareWithin(50)).toBeGreaterThan(0.99)
  })
})

describe('datagrams as bulk', () => {
  it('fill all paths, and what is too much is dropped where it would wait', () => {
    const pair = corePair({ links: THREE.slice(0, 2) })
    pair.advance(1000)
    const { near, far, clock } = pair
    const how = resolveOptions(DATAGRAM_TABLE, { expiresMs: 300 })
    let bytes = 0
    far.core.datagrams.maxQueuedBytes = MIB
    far.onHeard = () => {
      for (let next = far.core.datagrams.receiver.take(clock.now()); next !== undefined; )
        [bytes, next] = [bytes + next.length, far.core.datagrams.receiver.take(clock.now())]
    }
    const step = (): void => {
      for (let n = 0; n < 20; n++) near.core.datagrams.send(new Uint8Array(1200), how, clock.now())
      near.flush()
      clock.callAt(clock.now() + 1, step)
    }
    step()
    pair.advance(2000)
    const before = bytes
    pair.advance(3000)
    console.info(`bulk: ${((bytes - before) * 8) / 3e6} Mbit/s`, near.core.datagrams.stats)
    expect(((bytes - before) * 8) / 3e6).toBeGreaterThan(0.85 * 100)
    expect(near.core.datagrams.stats.queuedBytes).toBeLessThanOrEqual(MIB)
    expect(near.core.datagrams.stats.dropped + near.core.datagrams.stats.expired).toBeGreaterThan(1000)
  })
})
