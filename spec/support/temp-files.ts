// SPDX-License-Identifier: Apache-2.0
/** Files that specs hand to what reads files. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

/** Gives a function that writes a file and names its path. All of them are gone when the file of specs that calls this is over. */
export function tempFiles(): (name: string, content: string) => string {
  const folder = mkdtempSync(join(tmpdir(), 'multipath-spec-'))
  afterAll(() => {
    rmSync(folder, { recursive: true })
  })
  return (name, content) => {
    const path = join(folder, name)
    // Of secrets that others may read, the command warns.
    writeFileSync(path, content, { mode: 0o600 })
    return path
  }
}
