// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { report, savedCalls, shortTable } from '../../bench/call/results.js'
import { drawn, savedResults } from '../../bench/links/results.js'

describe('what is shown of the benchmarks', () => {
  it.each([...drawn(savedResults()!)])(
    'is drawn from the saved figures: %s (npm run bench:charts)',
    (file, text) => {
      expect(readFileSync(file, 'utf8')).toBe(text)
    },
  )

  it('is written from the saved calls (npm run bench:call -- --save)', () => {
    const saved = savedCalls()
    expect(readFileSync('bench/results/call.md', 'utf8')).toBe(report(saved))
    expect(readFileSync('docs/datagrams.md', 'utf8')).toContain(shortTable(saved.calls))
  })
})
