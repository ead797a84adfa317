// SPDX-License-Identifier: Apache-2.0
/**
 * Scripts of ours that run in processes of their own, as one file of JavaScript each: a process that compiles and loads
 * hundreds of modules is busy with that for most of a second.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const FOLDER = fileURLToPath(new URL('../../build/scripts/', import.meta.url))
const made = new Map<string, Promise<string>>()

/** @returns the path of the file, which stays, and is named by what is in it */
export function bundled(script: string): Promise<string> {
  const path = made.get(script) ?? make(script)
  made.set(script, path)
  return path
}

async function make(script: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [script],
    write: false,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    sourcemap: 'inline',
    logLevel: 'warning',
  })
  const { contents } = outputFiles[0]!
  const hash = createHash('sha256').update(contents).digest('hex').slice(0, 12)
  const path = join(FOLDER, `${basename(script, '.ts')}-${hash}.js`)
  if (existsSync(path)) return path
  mkdirSync(FOLDER, { recursive: true })
  // Another process may make or run the same file: it comes to its place as a whole.
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, contents)
  renameSync(draft, path)
  return path
}
