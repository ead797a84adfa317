// SPDX-License-Identifier: Apache-2.0
/** docs/engine.md gives every constant of the engine, as it is in the code. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { EXCEPTIONS } from '../../bench/grid/judge.js'

/** Their constants are about memory and copying, and explained where they stand. */
const OTHERS = ['options.ts', 'reorder.ts']
const DECLARATION = /^(?:export )?const ([A-Z][A-Z0-9_]*)(?:: \w+)? = ([\d(][^\n]*)$/gm
const ROW = /^\| `([\w/.-]+)` ([A-Z][A-Z0-9_]*) \| ([^|]+) \| ([^|]+) \|$/gm

function inCode(): string[] {
  const files = readdirSync('lib/core', { recursive: true, encoding: 'utf8' })
  return files
    .filter((file) => file.endsWith('.ts') && !OTHERS.includes(file))
    .flatMap((file) =>
      [...readFileSync(`lib/core/${file}`, 'utf8').matchAll(DECLARATION)]
        .filter(([, name]) => name !== 'KIB')
        .map(([, name, value]) => `${file} ${name} ${value}`),
    )
    .toSorted()
}

describe('docs/engine.md', () => {
  const rows = [...readFileSync('docs/engine.md', 'utf8').matchAll(ROW)]

  it('lists the constants of lib/core with their values', () => {
    expect(rows.map(([, file, name, value]) => `${file} ${name} ${value}`).toSorted()).toEqual(inCode())
  })

  it('gives each its reason', () => {
    expect(rows.filter(([, , , , reason]) => reason!.trim().length < 5)).toEqual([])
  })

  it('lists the steps at which the grid may differ, with their reasons', () => {
    const table = EXCEPTIONS.map(({ steps, why }) => `| ${steps} | ${why} |\n`).join('')
    expect(readFileSync('docs/engine.md', 'utf8')).toContain(`| step | reason |\n| --- | --- |\n${table}\n`)
  })
})
