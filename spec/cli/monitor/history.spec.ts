// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest'
import { History } from '../../../lib/cli/monitor/history.js'
import { statusWith } from '../../support/watched.js'

it('the monitor has the rates of a session and of each of its paths', () => {
  const history = new History()
  for (let n = 0; n <= 20; n++) history.take(statusWith('s', n * 250), n * 250)
  const rate = (label?: string): number => Math.round(history.ratesOf('s', label).sent)
  expect(rate()).toBeGreaterThan(990)
  expect(rate('path 0')).toBe(rate())
  expect(Math.abs(rate('path 1') - rate() / 2)).toBeLessThan(1)
  expect(history.ratesOf('s').received).toBe(0)
})
