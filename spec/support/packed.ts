// SPDX-License-Identifier: Apache-2.0
/** The package as npm would install it: its tarball, in a folder that is otherwise empty. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

const ROOT = join(import.meta.dirname, '../..')
const run = promisify(execFile)
let packed: Promise<string> | undefined

/** What {@link packedFolder} is made of; once for each process of the runner, which removes it as it exits. */
export function packedFolder(): Promise<string> {
  return (packed ??= unpack())
}

/**
 * Packs what was built.
 *
 * @returns the tarball
 */
export async function packTarball(folder: string): Promise<string> {
  const args = ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder]
  const { stdout } = await run('npm', args, { cwd: ROOT })
  return join(folder, stdout.trim())
}

/** Its entries, and what else an example of a page imports. */
export async function packedModules(): Promise<Readonly<Record<string, unknown>>> {
  const dist = join(await packedFolder(), 'node_modules/multipath-net/dist')
  const entry = (file: string): Promise<unknown> => import(pathToFileURL(join(dist, file)).href)
  return {
    'multipath-net': await entry('index.js'),
    'multipath-net/testing': await entry('testing/index.js'),
    'node:assert/strict': (await import('node:assert/strict')).default,
  }
}

/** Like `npm install` of the tarball, without a registry: the dependencies are those of the checkout. */
async function unpack(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'multipath-packed-'))
  process.once('exit', () => {
    rmSync(folder, { recursive: true, force: true })
  })
  const home = join(folder, 'node_modules/multipath-net')
  mkdirSync(home, { recursive: true })
  await run('tar', ['-xzf', await packTarball(folder), '--strip-components=1', '-C', home])
  const { dependencies } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
  }
  for (const name of Object.keys(dependencies))
    symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name))
  return folder
}
