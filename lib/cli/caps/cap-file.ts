// SPDX-License-Identifier: Apache-2.0
/** A small file that remembers what capped paths have spent. It is replaced as a whole, so that no half of it is ever read. */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Spent } from './cap-book.js'

type Env = Readonly<Record<string, string | undefined>>
type Content = Readonly<Record<string, Spent>>

/** Paths that the file remembers; the oldest are forgotten. */
const MOST_ENTRIES = 1000

/** Under XDG_STATE_HOME, or `~/.local/state`. */
export function capFilePath(env: Env): string {
  return join(env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'multipath', 'caps.json')
}

/** Empty where there is no file. @throws {Error} for one that holds something else: what was spent must not be forgotten */
export function readCaps(path: string): Content {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
  const content = JSON.parse(text) as { readonly paths?: unknown }
  const { paths } = content
  if (typeof paths !== 'object' || paths === null || !Object.values(paths).every(isSpent))
    throw new Error(`${path} does not contain the spent bytes of capped paths`)
  return paths as Content
}

/** Changes entries, and keeps those of other commands. @param change - from what stands there to what is new */
export function writeCaps(path: string, change: (stored: Content) => Content): void {
  const stored = readCaps(path)
  const entries = Object.entries({ ...stored, ...change(stored) }).slice(-MOST_ENTRIES)
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const temporary = `${path}.${process.pid}`
  const file = openSync(temporary, 'w', 0o600)
  try {
    writeFileSync(file, `${JSON.stringify({ paths: Object.fromEntries(entries) }, null, 2)}\n`)
    // Some file systems rename before they write: a power cut would leave an empty file.
    fsyncSync(file)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  } finally {
    closeSync(file)
  }
  renameSync(temporary, path)
}

function isSpent(value: unknown): boolean {
  const { period, bytes } = (value ?? {}) as Partial<Spent>
  return typeof period === 'string' && typeof bytes === 'number' && bytes >= 0
}
