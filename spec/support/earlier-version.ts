// SPDX-License-Identifier: Apache-2.0
/** The library as it was in an earlier version, taken from the history. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type * as library from '../../lib/index.js'

/** Before two of ours spoke in extension frames. */
const EARLIER = '56cd5d41'
const ROOT = join(import.meta.dirname, '../..')

export type Library = typeof library

/** `undefined` where the history is not there, as in a package. */
export async function earlierVersion(commit: string = EARLIER): Promise<Library | undefined> {
  const folder = join(ROOT, 'build', `earlier-${commit}`)
  if (!existsSync(folder) && !extract(commit, folder)) return undefined
  return (await import(join(folder, 'lib/index.ts'))) as Library
}

/** Moved to its place as a whole: another run may look for it at the same time. */
function extract(commit: string, folder: string): boolean {
  const build = join(ROOT, 'build')
  mkdirSync(build, { recursive: true })
  const draft = mkdtempSync(join(build, 'draft-'))
  try {
    const archive = execFileSync('git', ['archive', commit, 'lib'], {
      cwd: ROOT,
      stdio: 'pipe',
      maxBuffer: 2 ** 26,
    })
    execFileSync('tar', ['-x', '-C', draft], { input: archive })
    renameSync(draft, folder)
  } catch {
    rmSync(draft, { recursive: true, force: true })
  }
  return existsSync(folder)
}
