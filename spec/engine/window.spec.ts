// SPDX-License-Identifier: Apache-2.0
/** The window of a path over time: full, but not much more, and right again after the path has changed. */
import { describe, expect, it, vi } from 'vitest'
import type { LinkOptions } from '../../lib/testing/link.js'
import { SimulatedNetwork } from '../../lib/testing/simulated-network.js'
import { corePair } from '../support/core-pair.js'
import { expectNoLoss } from '../support/expect-no-loss.js'
import { plainStream } from '../support/plain-stream.js'

// Minutes of virtual time are seconds of a busy machine's.
vi.setConfig({ testTimeout: 60_000 })

const MIB = 1_048_576
/** Bytes that a path of 50 Mbit/s and 20 ms holds. */
const PIPE = 125_000

const LARGE = { maxUnackedBytes: 2 ** 27, maxUnreadBytes: 2 ** 27, maxReorderBytes: 2 ** 27 }

function bulk(link: LinkOptions, seed = 1) {
  const pair = corePair({ links: [{ queueBytes: 2_000_000, ...link }], seed })
  pair.near.write(1000 * MIB)
  const rate = (ms: number): number => {
    const before = pair.far.received.bytes
    pair.advance(ms)
    return ((pair.far.received.bytes - before) * 8) / 1000 / ms
  }
  return { ...pair, rate }
}

/** What ours brings, of what a plain stream does, over several seeds. */
function shareOfPlain(link: LinkOptions, ms: number): number {
  let [ours, plain] = [0, 0]
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    const pair = corePair({ links: [link], seed, options: LARGE })
    pair.near.write(1000 * MIB)
    pair.advance(ms)
    ours += pair.far.received.bytes
    const network = new SimulatedNetwork({ seed })
    const stream = plainStream(network.link(link))
    network.clock.advance(ms)
    plain += stream.bytes
  }
  return ours / plain
}

describe('the window of a path', () => {
  it('fills it within a second, and keeps it full', () => {
    const { near, far, rate, advance } = bulk({ rateMbps: 50, delayMs: 10 })
    advance(1000)
    expect(rate(10_000)).toBeGreaterThan(0.97 * 50)
    expectNoLoss(near, far)
  })

  it.each([
    [20, 160, 0.01, 0.78],
    [20, 300, 0.03, 0.4],
  ])(
    'is found at %i Mbit/s and %i ms in spite of losses (%f), nearly as soon as a plain stream with BBR finds it',
    (rateMbps, rttMs, lossRate, least) => {
      const link = { rateMbps, delayMs: rttMs / 2, lossRate, queueBytes: rateMbps * 125 * rttMs }
      const buffers = { sendBufferBytes: 4 * MIB, receiveBufferBytes: 128 * MIB }
      expect(shareOfPlain({ ...link, ...buffers, kernel: 'bbr' }, 10_000)).toBeGreaterThan(least)
    },
  )

  it.each([
    [20, 60, 0, 0.25, 2000, 0.9],
    [50, 30, 0, 0.25, 2000, 0.95],
    [200, 50, 0, 0.25, 2000, 0.85],
    [200, 60, 0.01, 1, 4000, 0.85],
  ])(
    'lets BBR end its startup: %i Mbit/s, %i ms, losses of %f, a queue of %f pipes, %i ms',
    (rateMbps, rttMs, lossRate, pipes, ms, least) => {
      const link = { rateMbps, delayMs: rttMs / 2, lossRate, queueBytes: pipes * rateMbps * 125 * rttMs }
      const buffers = { sendBufferBytes: 4 * MIB, receiveBufferBytes: 128 * MIB }
      expect(shareOfPlain({ ...link, ...buffers, kernel: 'bbr' }, ms)).toBeGreaterThan(least)
    },
  )

  it.each([40, 80])(
    'loses a packet or two at a time over CUBIC, where a queue holds a quarter of a pipe and the round trip takes %i ms',
    (rttMs) => {
      const queueBytes = 0.25 * 20 * 125 * rttMs
      const buffers = { sendBufferBytes: 4 * MIB, receiveBufferBytes: 128 * MIB }
      const { near, rate, advance } = bulk({
        ...{ rateMbps: 20, delayMs: rttMs / 2, queueBytes, kernel: 'cubic' },
        ...buffers,
      })
      advance(4000)
      expect(rate(16_000)).toBeGreaterThan(0.9 * 20)
      expect(near.joined[0]!.kernel!.retransmits()).toBeLessThan(16)
    },
  )

  it('takes no silence for the repair of a loss', () => {
    const { near, links, advance } = bulk({ rateMbps: 20, delayMs: 10, queueBytes: 60_000 })
    advance(2000)
    links[0]!.freeze()
    advance(1500)
    links[0]!.thaw()
    advance(5000)
    expect(near.joined[0]!.repairs.lastAt).toBe(-Infinity)
  })

  it.each([
    [5, 20],
    [20, 5],
    [20, 20],
    [20, 40],
  ])('keeps it full where its delay of %i ms has %i ms of jitter', (delayMs, jitterMs) => {
    // Of twenty starts, one or two are silent for so long by chance that a suspicion is right: not with this seed.
    const { near, far, rate, advance } = bulk({ rateMbps: 50, delayMs, jitterMs }, 3)
    advance(3000)
    expect(rate(10_000)).toBeGreaterThan(0.75 * 50)
    expectNoLoss(near, far)
  })

  it('commits little more than the path holds', () => {
    const { near, advance } = bulk({ rateMbps: 50, delayMs: 10 })
    advance(3000)
    let most = 0
    for (let step = 0; step < 500; step++) {
      advance(10)
      most = Math.max(most, near.joined[0]!.inFlightBytes)
    }
    expect(most).toBeLessThan(2.5 * PIPE)
    expect(most).toBeGreaterThan(PIPE)
  })

  it('is right again after the path got longer', () => {
    const { links, rate, advance } = bulk({ rateMbps: 50, delayMs: 10 })
    advance(2000)
    links[0]!.change({ delayMs: 60 })
    advance(20_000)
    expect(rate(3000)).toBeGreaterThan(0.9 * 50)
  })

  it.each([60, 100])(
    'takes no stall of slow start for a repair, so that CUBIC does not leave it early (%i ms)',
    (rttMs) => {
      const { near, far, advance } = bulk({
        rateMbps: 20,
        delayMs: rttMs / 2,
        kernel: 'cubic',
        queueBytes: 20 * 125 * rttMs,
      })
      advance(20 * rttMs)
      expect(far.received.bytes / (20 * 125 * 20 * rttMs)).toBeGreaterThan(0.65)
      expectNoLoss(near, far)
    },
  )

  it.each([140, 300])('forgets what slow start brought, once CUBIC has lost it (%i ms)', (rttMs) => {
    const lossy: LinkOptions = {
      rateMbps: 20,
      delayMs: rttMs / 2,
      lossRate: 0.01,
      kernel: 'cubic',
      sendBufferBytes: 4 * MIB,
    }
    const clean: LinkOptions = { rateMbps: 8, delayMs: 1.25 * rttMs, queueBytes: 500_000, kernel: 'cubic' }
    const seeds = [1, 2, 3, 4, 5, 6, 7, 8, 9]
    const rtts = seeds.map((seed) => {
      const links = [{ queueBytes: 500_000, ...lossy }, clean]
      const pair = corePair({ links, options: LARGE, seed })
      pair.near.write(1000 * MIB)
      pair.advance(60 * rttMs)
      return pair.near.joined[0]!.rtt.smoothed!
    })
    // A window of the old rate would take CUBIC ten round trips and more. Losses in slow start itself may do the same to a run.
    expect(rtts.toSorted((a, b) => a - b)[4]).toBeLessThan(4.5 * rttMs)
  })

  it('is right again after the path got faster or slower', () => {
    const { near, links, rate, advance } = bulk({ rateMbps: 20, delayMs: 10 })
    advance(2000)
    links[0]!.change({ rateMbps: 80 })
    advance(5000)
    expect(rate(2000)).toBeGreaterThan(0.9 * 80)
    links[0]!.change({ rateMbps: 10 })
    advance(12_000)
    expect(rate(2000)).toBeGreaterThan(0.9 * 10)
    expect(near.joined[0]!.inFlightBytes).toBeLessThan(PIPE)
  })

  it.each([1, 2, 3])(
    'does not take its own queue for the path while TCP repairs losses (seed %i)',
    (seed) => {
      const { near, rate, advance } = bulk(
        { rateMbps: 8, delayMs: 30, lossRate: 0.01, queueBytes: 60_000 },
        seed,
      )
      const { rtt } = near.joined[0]!
      let [longestMin, sum] = [0, 0]
      for (let step = 0; step < 300; step++) {
        advance(100)
        longestMin = Math.max(longestMin, rtt.min)
        sum += rtt.smoothed!
      }
      expect(longestMin).toBeLessThan(1.3 * 60)
      expect(sum / 300).toBeLessThan(270)
      expect(rate(5000)).toBeGreaterThan(0.93 * 8)
    },
  )

  it('is no longer than before on a short path that got slower, though its old rate still counts', () => {
    const { near, far, links, rate, advance } = bulk({ rateMbps: 20, delayMs: 0.5 })
    advance(2000)
    const { rtt } = near.joined[0]!
    links[0]!.change({ rateMbps: 5 })
    advance(1500)
    expect(rtt.min).toBeLessThan(10)
    expect(rtt.smoothed).toBeLessThan(60)
    expect(rate(2000)).toBeGreaterThan(0.97 * 5)
    expect(rtt.min).toBeLessThan(10)
    links[0]!.change({ rateMbps: 20 })
    advance(1500)
    expect(rtt.smoothed).toBeLessThan(60)
    expectNoLoss(near, far)
  })

  it('is not looked for anew while TCP takes several round trips to repair losses', () => {
    const { near, rate, advance, advanceUntil } = bulk({
      rateMbps: 20,
      delayMs: 100,
      jitterMs: 20,
      lossRate: 0.001,
      queueBytes: 137_500,
      kernel: 'bbr',
    })
    const { window } = near.joined[0]!
    advanceUntil(() => window.rate > 0 && !window.isStartup)
    let startups = 0
    for (let step = 0; step < 400; step++) {
      advance(50)
      if (window.isStartup) startups++
    }
    expect(startups).toBe(0)
    expect(rate(10_000)).toBeGreaterThan(0.6 * 20)
  })

  it('is looked for anew on a path that was not worth its while and has become so', () => {
    const { near, links, advance } = corePair({
      links: [
        { rateMbps: 10, delayMs: 10 },
        { rateMbps: 0.12, delayMs: 20 },
      ],
      options: { keepAliveMs: 2000 },
    })
    near.write(1000 * MIB)
    const slow = near.joined[1]!
    const mbps = (): number => {
      const before = slow.counters.bytesSent
      advance(3000)
      return ((slow.counters.bytesSent - before) * 8) / 3e6
    }
    advance(30_000)
    expect(mbps()).toBeLessThan(0.05)
    links[1]!.change({ rateMbps: 10 })
    let seconds = 0
    while (seconds <= 60 && mbps() < 0.8 * 10) seconds += 3
    expect(seconds).toBeLessThanOrEqual(60)
  })
})
