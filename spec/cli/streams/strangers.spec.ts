// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import type { Stranger } from '../../../lib/cli/streams/strangers.js'
import { MAX_STRANGERS, Strangers } from '../../../lib/cli/streams/strangers.js'
import { SeededRandom } from '../../../lib/testing/index.js'

/** Remembers whether it had to go. */
class Fake implements Stranger {
  isGone = false
  readonly #crowd: Crowd
  readonly remoteAddress: string | undefined

  constructor(crowd: Crowd, remoteAddress: string | undefined) {
    this.#crowd = crowd
    this.remoteAddress = remoteAddress
  }

  destroy(): void {
    this.isGone = true
    this.#crowd.strangers.delete(this)
  }
}

/** Those who come, in virtual time. */
class Crowd {
  now = 0
  readonly strangers: Strangers
  readonly #leaving: { at: number; one: Fake }[] = []

  constructor(seed: number) {
    this.strangers = new Strangers({ random: new SeededRandom(seed).random })
  }

  /** One comes, and goes by itself after 10 s. */
  join(remoteAddress: string | undefined): Fake {
    while (this.#leaving[0] !== undefined && this.#leaving[0].at <= this.now)
      this.strangers.delete(this.#leaving.shift()!.one)
    const one = new Fake(this, remoteAddress)
    if (this.strangers.add(one) !== undefined) one.isGone = true
    else this.#leaving.push({ at: this.now + 10_000, one })
    return one
  }
}

/** Of those who come beside a flood and need `greetMs`, one a second: how many get in. */
function comeIn(addressOf: (n: number) => string, friend: string, greetMs = 200): number {
  const crowd = new Crowd(1)
  let count = 0
  let most = 0
  let waiting: { one: Fake; until: number } | undefined
  for (let n = 0; n < 918 * 20; n++) {
    crowd.now = (n * 1000) / 918
    crowd.join(addressOf(n))
    if (waiting !== undefined && crowd.now >= waiting.until) {
      if (!waiting.one.isGone) count++
      crowd.strangers.delete(waiting.one)
      waiting = undefined
    }
    if (n % 918 === 459) waiting = { one: crowd.join(friend), until: crowd.now + greetMs }
    most = Math.max(most, crowd.strangers.size)
  }
  expect(most).toBeLessThanOrEqual(MAX_STRANGERS)
  return count
}

describe('strangers', () => {
  it('of one address that come 918 times a second keep nobody of another address out', () => {
    expect(comeIn(() => '203.0.113.9', '198.51.100.7')).toBe(20)
  })

  it('of one IPv6 network of 64 bits count as one address', () => {
    expect(comeIn((n) => `2001:db8::${(n % 65_536).toString(16)}`, '2001:db8:0:1::7')).toBe(20)
  })

  it('of hundreds of addresses leave those who come again and again a chance', () => {
    expect(comeIn((n) => `203.0.${n % 4}.${n % 250}`, '198.51.100.7')).toBeGreaterThan(1)
  })

  it('of one address are dropped by chance from the eighth on, all from the thirty-second on', () => {
    const crowd = new Crowd(2)
    const early = Array.from({ length: 8 }, () => crowd.join('203.0.113.9'))
    expect(early.every(({ isGone }) => !isGone)).toBe(true)
    const later = Array.from({ length: 40 }, () => crowd.join('203.0.113.9'))
    const stayed = later.filter(({ isGone }) => !isGone).length
    expect(stayed).toBeGreaterThan(4)
    expect(stayed).toBeLessThanOrEqual(24)
  })

  it('of the address that has most make room for one of another', () => {
    const crowd = new Crowd(4)
    const few = Array.from({ length: 48 }, (_, n) => crowd.join(`198.51.100.${n}`))
    const many: Fake[] = []
    while (crowd.strangers.size < MAX_STRANGERS) many.push(crowd.join('203.0.113.9'))
    expect(crowd.join(undefined).isGone).toBe(false)
    expect(few.some(({ isGone }) => isGone)).toBe(false)
    expect(crowd.strangers.size).toBe(MAX_STRANGERS)
    crowd.strangers.close()
    expect([...few, ...many].every(({ isGone }) => isGone)).toBe(true)
    expect(crowd.strangers.size).toBe(0)
  })
})
