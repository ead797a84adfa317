// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it, test } from 'vitest'
import type { CloseReason, SubflowState } from '../../lib/core/health.js'
import { isWorthRedialling, move } from '../../lib/core/health.js'

const STATES: readonly SubflowState[] = ['probing', 'up', 'suspect', 'closed']
const ALLOWED = ['probing up', 'probing closed', 'up suspect', 'up closed', 'suspect up', 'suspect closed']

describe('the life of a subflow', () => {
  it('knows these moves and no others', () => {
    for (const from of STATES)
      for (const to of STATES)
        if (ALLOWED.includes(`${from} ${to}`)) expect(move(from, to)).toBe(to)
        else expect(() => move(from, to)).toThrow(`a subflow cannot go from ${from} to ${to}`)
  })

  test.each<[CloseReason, boolean]>([
    ['ended', true],
    ['failed', true],
    ['silent', true],
    ['limit', true],
    ['protocol', false],
    ['replaced', false],
    ['closed', false],
  ])('ended as %s is worth redialling: %s', (reason, expected) => {
    expect(isWorthRedialling(reason)).toBe(expected)
  })
})
