// SPDX-License-Identifier: Apache-2.0
/** The declarations of `npm run build`: which of them an entry of the package needs. */
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/** The entries of the package with their declarations, from `exports` of package.json. */
export function entryDeclarations(root: string): Map<string, string> {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    name: string
    exports: Record<string, { types?: string }>
  }
  const entries = Object.entries(manifest.exports).flatMap(([path, { types }]) =>
    types === undefined ? [] : [[join(manifest.name, path), join(root, types)] as const],
  )
  return new Map(entries)
}

/** Deletes the declarations that no entry needs. */
export function pruneDeclarations(root: string): void {
  const needed = new Set<string>()
  for (const file of entryDeclarations(root).values()) need(file, needed)
  const folder = join(root, 'dist')
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  for (const name of names) {
    const file = join(folder, name)
    if (name.endsWith('.d.ts') && !needed.has(file)) rmSync(file)
  }
}

function need(file: string, needed: Set<string>): void {
  if (needed.has(file)) return
  needed.add(file)
  for (const [, path] of readFileSync(file, 'utf8').matchAll(/(?:from |import\()['"](\.[^'"]+)\.js['"]/g))
    need(resolve(dirname(file), `${path}.d.ts`), needed)
}
