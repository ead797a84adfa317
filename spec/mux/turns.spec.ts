// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { Turns } from '../../lib/mux/turns.js'

describe('turns', () => {
  const always = (): boolean => true

  it('come round to everybody', () => {
    const turns = new Turns<string>()
    for (const item of 'abc') turns.add(item)
    expect(Array.from({ length: 7 }, () => turns.next(always)).join('')).toBe('abcabca')
  })

  it('come at once to who had nothing to send, and no more often than to others after that', () => {
    const turns = new Turns<string>()
    for (const item of 'abc') turns.add(item)
    for (let turn = 0; turn < 5; turn++) turns.next(always)
    turns.add('x')
    expect(turns.next(always)).toBe('x')
    turns.add('x')
    expect(Array.from({ length: 4 }, () => turns.next(always)).join('')).toBe('cabx')
  })

  it('pass over who is not ready or gone', () => {
    const turns = new Turns<string>()
    for (const item of 'abc') turns.add(item)
    turns.delete('a')
    expect(turns.next((item) => item !== 'b')).toBe('c')
    expect(turns.next(() => false)).toBeUndefined()
    expect(turns.next(always)).toBeUndefined()
  })
})
