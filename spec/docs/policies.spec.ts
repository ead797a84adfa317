// SPDX-License-Identifier: Apache-2.0
/** docs/policies.md: its examples hold, its charts are there, and nothing is left out. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { schedulers } from '../../lib/index.js'
import { policyExamples } from '../support/policy-examples.js'

// Minutes of virtual time are seconds of a busy machine's.
vi.setConfig({ testTimeout: 60_000 })

const page = readFileSync(new URL('../../docs/policies.md', import.meta.url), 'utf8')
const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'multipath-policies-'))
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})

describe('the page on policies', () => {
  it.each(policyExamples())(
    'has an example of $name that holds, and leaves a trace',
    async ({ name, run }) => {
      await run(folder)
      expect(readFileSync(join(folder, `${name}.jsonl`), 'utf8').split('\n').length).toBeGreaterThan(20)
    },
  )

  it('has a chart for each example', () => {
    const examples = policyExamples()
    expect(examples.length).toBeGreaterThan(6)
    for (const { name } of examples) {
      expect(page).toContain(`(policies/${name}.svg)`)
      expect(existsSync(new URL(`../../docs/policies/${name}.svg`, import.meta.url)), name).toBe(true)
    }
  })

  it('and the README name every scheduler', () => {
    for (const name of Object.keys(schedulers)) {
      expect(page).toContain(`\`${name === 'lowest-rtt' ? name : `scheduler: '${name}'`}\``)
      expect(readme).toContain(`scheduler: '${name}'`)
    }
  })
})
