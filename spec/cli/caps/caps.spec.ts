// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { CapCount } from '../../../lib/cli/caps/cap-book.js'
import { readCaps, writeCaps } from '../../../lib/cli/caps/cap-file.js'

const FOLDER = mkdtempSync(join(tmpdir(), 'multipath-caps-'))
afterAll(() => {
  rmSync(FOLDER, { recursive: true })
})

const NOVEMBER = new Date(2026, 10, 29)
const DECEMBER = new Date(2026, 11, 1)
const CAP = { limitBytes: 1000, period: 'month' } as const

describe('a cap of a month', () => {
  it('counts on where the last run has ended', () => {
    const count = new CapCount(CAP, { period: '2026-11', bytes: 400 }, NOVEMBER)
    expect(count.maxBytes).toBe(600)
    count.count(150, NOVEMBER)
    expect(count.spent).toEqual({ period: '2026-11', bytes: 550 })
  })

  it('begins again with the next month, also while the command runs', () => {
    expect(new CapCount(CAP, { period: '2026-10', bytes: 999 }, NOVEMBER).maxBytes).toBe(1000)
    const count = new CapCount(CAP, { period: '2026-11', bytes: 900 }, NOVEMBER)
    expect(count.count(100, NOVEMBER)).toBe(false)
    expect(count.count(100, DECEMBER)).toBe(true)
    expect(count.maxBytes).toBe(1100)
    count.count(130, DECEMBER)
    expect(count.spent).toEqual({ period: '2026-12', bytes: 30 })
  })

  it('of a day begins again at midnight', () => {
    const count = new CapCount({ ...CAP, period: 'day' }, { period: '2026-11-29', bytes: 1000 }, NOVEMBER)
    expect(count.maxBytes).toBe(0)
    expect(count.count(0, new Date(2026, 10, 30))).toBe(true)
    expect(count.maxBytes).toBe(1000)
  })
})

describe('the file of caps', () => {
  const path = join(FOLDER, 'state', 'caps.json')

  it('keeps what other commands have written', () => {
    expect(readCaps(path)).toEqual({})
    writeCaps(path, { lte: { period: '2026-11', bytes: 5 } })
    writeCaps(path, { dsl: { period: '2026-11', bytes: 7 } })
    expect(Object.keys(readCaps(path))).toEqual(['lte', 'dsl'])
    expect(readFileSync(path, 'utf8').endsWith('\n')).toBe(true)
  })

  it('is refused where it holds something else: nothing that was spent is forgotten', () => {
    const other = join(FOLDER, 'other.json')
    for (const text of ['{}', '{"paths":{"lte":{"bytes":-1,"period":"x"}}}', 'x']) {
      writeFileSync(other, text)
      expect(() => readCaps(other)).toThrow()
    }
  })
})
