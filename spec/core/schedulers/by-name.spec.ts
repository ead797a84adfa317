// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it, test } from 'vitest'
import type { Scheduler } from '../../../lib/core/scheduler.js'
import { schedulerOf, schedulers } from '../../../lib/core/schedulers/by-name.js'
import { lowestRtt } from '../../../lib/core/schedulers/lowest-rtt.js'
import { OptionError } from '../../../lib/errors.js'

const none = (): undefined => undefined

describe('the schedulers', () => {
  it('are found by the names that they have themselves', () => {
    const names = Object.keys(schedulers)
    expect(names).toEqual(['lowest-rtt', 'redundant', 'hybrid', 'weighted', 'round-robin'])
    expect(Object.values(schedulers).map(({ name }) => name)).toEqual(names)
    for (const name of names) expect(schedulerOf(name).name).toBe(name)
  })

  it('cannot be exchanged', () => {
    expect(Object.isFrozen(schedulers)).toBe(true)
  })
})

describe('an option scheduler', () => {
  it('is lowest-rtt by default', () => {
    expect(schedulerOf()).toBe(lowestRtt)
    expect(schedulerOf(undefined)).toBe(lowestRtt)
  })

  it("takes one's own as it is, of a class too", () => {
    const own: Scheduler = { name: 'own', choose: none }
    expect(schedulerOf(own)).toBe(own)
    class Mine implements Scheduler {
      readonly name = 'mine'
      choose(): undefined {}
      isShared(): boolean {
        return false
      }
    }
    const mine = new Mine()
    expect(schedulerOf(mine)).toBe(mine)
  })

  test.each([
    ['fastest', '"fastest"'],
    ['toString', '"toString"'],
    ['', '""'],
    [null, 'object'],
    [5, 'number'],
    [none, 'function'],
    [{ name: 'a' }, 'object'],
    [{ choose: none }, 'object'],
    [{ name: 'a', choose: 'first' }, 'object'],
    [{ name: 'a', choose: none, isShared: true }, 'object'],
  ])('refuses %j, and says what there is', (value, got) => {
    expect(() => schedulerOf(value)).toThrow(OptionError)
    expect(() => schedulerOf(value)).toThrow(
      `scheduler must be one of lowest-rtt, redundant, hybrid, weighted, round-robin, or have a name and choose(), got ${got}`,
    )
  })
})
