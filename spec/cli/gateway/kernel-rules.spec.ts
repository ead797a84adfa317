// SPDX-License-Identifier: Apache-2.0
/** Whether the rules go, whatever happens to the shell that is to remove them: with programs that only note what they are told. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { holdRules } from '../../../lib/cli/gateway/kernel-rules.js'
import type { NetScriptInit } from '../../../lib/cli/gateway/net-script.js'

const INIT: NetScriptInit = {
  ...{ port: 7090, rules: [], interfaces: ['lan0'], isLocal: false, exempt: [], dns: [], ends: [] },
  owner: '17',
}

describe.skipIf(process.platform === 'win32')('the rules that a gateway holds', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'multipath-rules-'))
    program('nft', `echo "$*" >> ${folder}/said`)
    program('ip', `case "$*" in *'rule del'*) exit 1;; esac`)
    vi.stubEnv('PATH', `${folder}${delimiter}${process.env['PATH']}`)
  })
  afterEach(() => {
    vi.unstubAllEnvs()
    rmSync(folder, { recursive: true })
  })

  function program(name: string, script: string): void {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  }

  /** How often the table was deleted. */
  function deletions(): number {
    return readFileSync(join(folder, 'said'), 'utf8').match(/^delete table/gm)?.length ?? 0
  }

  it('are gone when they are released', async () => {
    const release = await holdRules(INIT)
    const before = deletions()
    await release()
    expect(deletions()).toBe(before + 1)
  })

  it('are gone even if a signal reached their shell before it could ignore any', async () => {
    program(
      'sh',
      `case "$2" in trap*) echo $$ > ${folder}/guard.pid; exec sleep 60;; esac\nexec /bin/sh "$@"`,
    )
    const release = await holdRules(INIT)
    const before = deletions()
    const pid = await vi.waitFor(() => {
      const text = readFileSync(join(folder, 'guard.pid'), 'utf8')
      expect(text).toMatch(/^\d+\n$/)
      return Number(text)
    })
    process.kill(pid, 'SIGTERM')
    await release()
    expect(deletions()).toBe(before + 1)
  })
})
