// SPDX-License-Identifier: Apache-2.0
/** What `npm run release` would publish, without the network. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { faults, stageForJsr } from '../spec/support/release.js'
import { binaryOf, RUNTIMES } from './runtimes/runtimes.js'

const run = promisify(execFile)
const deno = binaryOf(RUNTIMES.find(({ name }) => name === 'Deno')!)

it('jsr.json has the version and the entries of package.json', () => {
  expect(faults()).toEqual([])
})

it('npm would publish it', async () => {
  const args = ['publish', '--dry-run', '--ignore-scripts', '--access', 'public', '--offline']
  expect((await run('npm', args)).stdout).toMatch(/^\+ multipath-net@/)
})

it.skipIf(deno === undefined)('JSR would take it, with the types of every entry', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'multipath-jsr-'))
  onTestFinished(() => {
    rmSync(folder, { recursive: true })
  })
  stageForJsr(folder)
  const args = ['publish', '--dry-run', '--allow-dirty', '--no-check']
  const { stderr } = await run(deno!, args, { cwd: folder, env: { ...process.env, NO_COLOR: '1' } })
  expect(stderr).toContain('Success Dry run complete')
})
