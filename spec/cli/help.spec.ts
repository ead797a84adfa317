// SPDX-License-Identifier: Apache-2.0
/** Help as a terminal's user reads it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'

const MAIN = join(import.meta.dirname, '../../dist/cli/main.js')

describe('multipath nc --help', () => {
  it('does not mind a pager that was left before its end', async () => {
    const child = spawn(process.execPath, [MAIN, 'nc', '--help'], { stdio: ['ignore', 'pipe', 'pipe'] })
    child.stdout.destroy()
    const [diagnostics] = await Promise.all([text(child.stderr), once(child, 'exit')])
    expect(diagnostics).toBe('')
    expect(child.exitCode).toBe(0)
  })
})
