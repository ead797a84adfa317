// SPDX-License-Identifier: Apache-2.0
import { expect, describe, it } from 'vitest'
import { ByAddress } from '../../lib/listen/by-address.js'

describe('what is grouped by address', () => {
  const filled = (): ByAddress<string> => {
    const all = new ByAddress<string>()
    for (const [address, item] of [
      ['10.0.0.1', 'a'],
      ['10.0.0.2', 'b'],
      ['10.0.0.2', 'c'],
      [undefined, 'd'],
    ] as const)
      all.add(address, item)
    return all
  }

  it('is counted in all and for each address, none included', () => {
    const all = filled()
    expect([all.size, all.of('10.0.0.2'), all.of(undefined), all.of('10.0.0.3')]).toEqual([4, 2, 1, 0])
    expect(all.all).toEqual(['a', 'b', 'c', 'd'])
  })

  it('names the oldest of the address that has most, the one that came first among equals', () => {
    const all = filled()
    expect(all.oldestOfMost()).toBe('b')
    all.delete('10.0.0.2', 'b')
    expect(all.oldestOfMost()).toBe('a')
    expect(new ByAddress().oldestOfMost()).toBeUndefined()
  })

  it('forgets an item once, and an address with its last item', () => {
    const all = filled()
    expect(all.delete('10.0.0.1', 'b')).toBe(false)
    expect([all.delete('10.0.0.1', 'a'), all.delete('10.0.0.1', 'a')]).toEqual([true, false])
    expect([all.size, all.groups.length, all.oldestOf('10.0.0.1')]).toEqual([3, 2, undefined])
  })
})
