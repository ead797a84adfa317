// SPDX-License-Identifier: Apache-2.0
/** Builds the programs that the benches start: the Go peer, the link emulator and the Node workers. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BENCH, BUILD, ROOT } from './places.js'

export const GO_PEER: string = `${BUILD}benchpeer`
export const LINKSIM: string = `${BUILD}linksim`
export const PAGE_PEER: string = `${BUILD}pagepeer`
export const NODE_WORKER: string = `${BUILD}node/worker.js`

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

function isFresh(made: string, sources: readonly string[]): boolean {
  if (!existsSync(made)) return false
  const time = statSync(made).mtimeMs
  return sources.every((source) => statSync(source).mtimeMs <= time)
}

/** Builds a Go program of ours; false where Go is missing or the build fails, which is said on stderr. */
export function buildGo(folder: 'go' | 'linksim' | 'pagego', made: string): boolean {
  const sources = filesIn(BENCH + folder)
  if (isFresh(made, sources)) return true
  try {
    execFileSync('go', ['build', '-o', made, '.'], {
      cwd: BENCH + folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    return true
  } catch (error) {
    console.error(`bench/${folder} was not built: ${(error as Error).message}`)
    return false
  }
}

/**
 * Turns the workers into JavaScript. A loader in the measured process would cost it memory and a thread;
 * types are the type check's business, not this one's.
 */
export async function buildNodeWorkers(): Promise<void> {
  const sources = filesIn(`${BENCH}node`)
  if (isFresh(NODE_WORKER, sources)) return
  const { default: ts } = await import('typescript')
  mkdirSync(`${BUILD}node`, { recursive: true })
  const compilerOptions = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext }
  for (const source of sources) {
    const { outputText } = ts.transpileModule(readFileSync(source, 'utf8'), { compilerOptions })
    writeFileSync(source.replace(`${BENCH}node`, `${BUILD}node`).replace(/\.ts$/, '.js'), outputText)
  }
}

/** Identifies the built library, so that results of an older build aren't taken for this one's. */
export function libraryBuild(): string | undefined {
  const dist = `${ROOT}dist`
  if (!existsSync(`${dist}/index.js`)) return undefined
  const hash = createHash('sha256')
  for (const file of filesIn(dist).toSorted()) if (file.endsWith('.js')) hash.update(readFileSync(file))
  return hash.digest('hex').slice(0, 12)
}
