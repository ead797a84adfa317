// SPDX-License-Identifier: Apache-2.0
/**
 * `npm run release`: checks that this checkout can be released, and shows what would be published; with `--publish`, it is.
 * On npm with provenance, which needs the workflow of a supported CI, and on JSR.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { argv } from 'node:process'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')

/** What stands against a release: nothing of it needs the network. */
export function faults(): string[] {
  const { name, version, exports } = JSON.parse(read('package.json')) as {
    readonly name: string
    readonly version: string
    readonly exports: Readonly<Record<string, unknown>>
  }
  const jsr = JSON.parse(read('jsr.json')) as {
    readonly name: string
    readonly version: string
    readonly exports: Readonly<Record<string, string>>
  }
  const entries = Object.keys(exports).filter((entry) => entry !== './package.json')
  return [
    ...(jsr.version === version
      ? []
      : [`jsr.json has the version ${jsr.version}, package.json has ${version}`]),
    ...(jsr.name.endsWith(`/${name}`) ? [] : [`jsr.json is for ${jsr.name}, package.json for ${name}`]),
    ...entries.filter((entry) => !(entry in jsr.exports)).map((entry) => `jsr.json lacks the entry ${entry}`),
    ...Object.keys(jsr.exports)
      .filter((entry) => !entries.includes(entry))
      .map((entry) => `jsr.json has the entry ${entry}, which package.json lacks`),
  ]
}

/**
 * Writes what JSR gets to an empty `folder`, which git must not ignore: the entries name their types, which name each other
 * with their whole names.
 */
export function stageForJsr(folder: string): void {
  for (const file of ['jsr.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'SECURITY.md'])
    cpSync(join(ROOT, file), join(folder, file))
  const { exports } = JSON.parse(read('jsr.json')) as { readonly exports: Readonly<Record<string, string>> }
  const entries = new Set(Object.values(exports).map((entry) => entry.replace('./', '')))
  for (const name of readdirSync(join(ROOT, 'dist'), { recursive: true, encoding: 'utf8' })) {
    const file = `dist/${name}`
    if (!/\.(?:js|d\.ts)$/.test(file) || name.startsWith('cli/')) continue
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), forJsr(file, read(file), entries.has(file)))
  }
}

function forJsr(file: string, text: string, isEntry: boolean): string {
  if (file.endsWith('.d.ts')) return text.replaceAll(/(from '|import\(')(\.[^']*)\.js'/g, "$1$2.d.ts'")
  return isEntry ? `/* @ts-self-types="./index.d.ts" */\n${text}` : text
}

/** Whether CHANGELOG.md tells its changes. */
function isInChangelog(version: string): boolean {
  return read('CHANGELOG.md').includes(`\n## [${version}]`)
}

function release(isReal: boolean): void {
  const { version } = JSON.parse(read('package.json')) as { readonly version: string }
  const found = faults()
  if (isReal && !isInChangelog(version)) found.push(`CHANGELOG.md has no heading for ${version}`)
  if (isReal && run('git', ['status', '--porcelain']) !== '')
    found.push('there are changes that are not committed')
  if (found.length > 0) throw new Error(found.join('\n'))
  const dry = isReal ? [] : ['--dry-run']
  const scripts = isReal ? [] : ['--ignore-scripts']
  const provenance = isReal ? ['--provenance'] : []
  console.log(run('npm', ['publish', '--access', 'public', ...provenance, ...dry, ...scripts]))
  // Types of Node that Deno brings differ from ours: what is published has been checked against ours.
  const jsr = ['--yes', 'jsr', 'publish', '--no-check', ...(isReal ? [] : ['--dry-run', '--allow-dirty'])]
  const folder = mkdtempSync(join(tmpdir(), 'multipath-jsr-'))
  try {
    stageForJsr(folder)
    console.log(run('npx', jsr, folder))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function run(program: string, args: readonly string[], cwd = ROOT): string {
  return execFileSync(program, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
}

if (argv[1] === fileURLToPath(import.meta.url)) release(argv.includes('--publish'))
