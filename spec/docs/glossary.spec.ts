// SPDX-License-Identifier: Apache-2.0
/** The glossary of CONTRIBUTING.md: one meaning a word, and the file that owns it. */
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const TEXT = readFileSync('CONTRIBUTING.md', 'utf8')
const SECTION = TEXT.slice(TEXT.indexOf('## Glossary'), TEXT.indexOf('## How code looks here'))
const ROWS = [...SECTION.matchAll(/^\| ([^|]+) \| ([^|]+) \| `(lib\/[^`]+)` \|$/gm)]
const TERMS = ROWS.map(([, term]) => term!)

describe('the glossary', () => {
  it('has a row for each of its terms', () => {
    const lines = SECTION.split('\n').filter((line) => line.startsWith('| '))
    expect(lines).toHaveLength(ROWS.length + 2)
    expect(ROWS.length).toBeGreaterThan(40)
  })

  it('gives each term once, in order', () => {
    const inOrder = [...new Set(TERMS)].toSorted((a, b) => a.localeCompare(b, 'en'))
    expect(TERMS).toEqual(inOrder)
  })

  it.each(ROWS.map(([, term, , file]) => [term!, file!]))(
    'names a file for %s that exists: %s',
    (_term, file) => {
      expect(existsSync(file)).toBe(true)
    },
  )
})
