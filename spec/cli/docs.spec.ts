// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { cliPage } from '../support/cli-docs.js'

it('docs/cli.md is what the parser makes (renew it with npm run docs:cli)', () => {
  expect(readFileSync('docs/cli.md', 'utf8')).toBe(cliPage())
})
