// SPDX-License-Identifier: Apache-2.0
/** The library as it was before two of ours spoke in extension frames, taken from the history. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type * as library from '../../lib/index.js'

const COMMIT = '56cd5d41'
const ROOT = join(import.meta.dirname, '../..')
const FOLDER = join(ROOT, 'build', `earlier-${COMMIT}`)

export type Library = typeof library

/** `undefined` where the history is not there, as in a package. */
export async function earlierVersion(): Promise<Library | undefined> {
  if (!existsSync(FOLDER) && !extract()) return undefined
  return (await import(join(FOLDER, 'lib/index.ts'))) as Library
}

/** Moved to its place as a whole: another run may look for it at the same time. */
function extract(): boolean {
  const build = join(ROOT, 'build')
  mkdirSync(build, { recursive: true })
  const draft = mkdtempSync(join(build, 'draft-'))
  try {
    const archive = execFileSync('git', ['archive', COMMIT, 'lib'], {
      cwd: ROOT,
      stdio: 'pipe',
      maxBuffer: 2 ** 26,
    })
    execFileSync('tar', ['-x', '-C', draft], { input: archive })
    renameSync(draft, FOLDER)
  } catch {
    rmSync(draft, { recursive: true, force: true })
  }
  return existsSync(FOLDER)
}
