// SPDX-License-Identifier: Apache-2.0
/** Short connections of one address, many at once, between two processes. In full size: `npm run bursts`. */
import { describe, expect, it } from 'vitest'
import { runBurst } from '../bench/bursts/run.js'

describe('a burst of 400 short connections, 100 at once', () => {
  it.each([1, 3])(
    'is 400 connections over %i paths, of which none fails and none is left behind',
    async (paths) => {
      const { faults, refused } = await runBurst({ kind: 'ours', connections: 400, atOnce: 100, paths })
      expect(faults).toEqual([])
      // A path that joins a connection which has just ended is closed, and never taken for a stranger.
      for (const [code] of refused)
        expect(['ERR_MULTIPATH_HANDSHAKE', 'ERR_MULTIPATH_CLOSED']).toContain(code)
    },
  )
})
