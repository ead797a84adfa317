// SPDX-License-Identifier: Apache-2.0
/** Draws the charts of docs/policies.md from traces of its examples: `npm run docs:policies`. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { policyExamples } from './policy-examples.js'

const ROOT = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'multipath-policies-'))
for (const { name, run } of policyExamples()) {
  await run(folder)
  const chart = join(ROOT, `docs/policies/${name}.svg`)
  const command = join(ROOT, 'dist/cli/main.js')
  execFileSync(process.execPath, [command, 'trace', join(folder, `${name}.jsonl`), '--output', chart])
}
rmSync(folder, { recursive: true })
