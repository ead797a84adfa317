// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest'
import { NullTracker } from '../../lib/core/tracker.js'

it('a NullTracker follows nothing and never complains', () => {
  const tracker = new NullTracker()
  expect(() => {
    tracker.onRecv(1)
    tracker.onSent(1)
    tracker.onRetransmit(1)
    tracker.updateRTT(1)
  }).not.toThrow()
})
