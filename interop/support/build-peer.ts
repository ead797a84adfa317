// SPDX-License-Identifier: Apache-2.0
/** Builds the Go peer once for each state of its sources. Owns build/interop/ and nothing else. */
import { execFile, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, mkdir, readFile, readdir, rename } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const sources = fileURLToPath(new URL('../go/', import.meta.url))
const cache = fileURLToPath(new URL('../../build/interop/', import.meta.url))

/** The version that `go version` prints, or `undefined` without Go. */
export function goVersion(): string | undefined {
  const found = spawnSync('go', ['version'], { encoding: 'utf8', timeout: 30_000 })
  return found.status === 0 ? found.stdout.trim() : undefined
}

/**
 * Path of the built peer.
 *
 * @throws what `go build` printed, when it fails
 */
export async function buildPeer(): Promise<string> {
  const suffix = process.platform === 'win32' ? '.exe' : ''
  const binary = path.join(cache, `peer-${await sourceHash()}${suffix}`)
  if (await exists(binary)) return binary
  await mkdir(cache, { recursive: true })
  // Another process may run or build the same file: build aside, then rename in one step.
  const aside = path.join(cache, `building-${process.pid}${suffix}`)
  await run('go', ['build', '-trimpath', '-buildvcs=false', '-o', aside, '.'], { cwd: sources })
  await rename(aside, binary)
  return binary
}

async function sourceHash(): Promise<string> {
  const hash = createHash('sha256').update(goVersion() ?? '')
  for (const name of (await readdir(sources)).filter((file) => /\.(go|mod|sum)$/.test(file)).sort()) {
    hash.update(name).update(await readFile(path.join(sources, name)))
  }
  return hash.digest('hex').slice(0, 12)
}

async function exists(file: string): Promise<boolean> {
  try {
    await access(file)
    return true
  } catch {
    return false
  }
}
