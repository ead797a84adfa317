// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { drawn, savedResults } from '../../bench/links/results.js'

describe('what is shown of the benchmarks', () => {
  it.each([...drawn(savedResults()!)])(
    'is drawn from the saved figures: %s (npm run bench:charts)',
    (file, text) => {
      expect(readFileSync(file, 'utf8')).toBe(text)
    },
  )
})
