// SPDX-License-Identifier: Apache-2.0
/** Where Node's own tests and its other versions come from. Owns build/node-tests/. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const HOME = fileURLToPath(new URL('../../build/node-tests/', import.meta.url))
/** Debian's release that has the tests of Node 20.19. */
const SUITE = 'trixie'
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'

/**
 * The folder `test` of Node's sources, from Debian's source package. It is fetched once, with apt's lists and sources in
 * a folder of their own.
 *
 * @throws why it cannot be had
 */
export function nodeTests(): string {
  const kept = path.join(HOME, 'test')
  if (existsSync(kept)) return kept
  const work = path.join(HOME, `fetching-${process.pid}`)
  mkdirSync(path.join(work, 'lists/partial'), { recursive: true })
  try {
    const archive = fetchArchive(work)
    run('tar', ['xJf', archive, '--wildcards', '--strip-components=1', '*/test'], work)
    // In Node's own repository no package.json above them makes modules of them.
    writeFileSync(path.join(HOME, 'package.json'), '{}\n')
    renameSync(path.join(work, 'test'), kept)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return kept
}

function fetchArchive(work: string): string {
  const sources = path.join(work, 'node.sources')
  const lines = [
    'Types: deb-src',
    `URIs: ${mirror()}`,
    `Suites: ${SUITE}`,
    'Components: main',
    `Signed-By: ${KEYRING}`,
  ]
  writeFileSync(sources, `${lines.join('\n')}\n`)
  const settings = [
    `Dir::Etc::sourcelist=${sources}`,
    'Dir::Etc::sourceparts=/dev/null',
    `Dir::Cache=${work}`,
  ]
  const options = [...settings, `Dir::State::lists=${work}/lists`].flatMap((setting) => ['-o', setting])
  run('apt-get', [...options, '-q', 'update'], work)
  run('apt-get', [...options, '-q', 'source', '--download-only', '--tar-only', 'nodejs'], work)
  const archive = readdirSync(work).find((name) => name.endsWith('.orig.tar.xz'))
  if (archive === undefined) throw new Error('the source package of nodejs has no .orig.tar.xz')
  return archive
}

/** The one that this machine uses. */
function mirror(): string {
  const format = ['--format', '$(REPO_URI)', 'Created-By: Packages']
  const found = run('apt-get', ['indextargets', ...format], HOME).split('\n')
  const uri = found.find((line) => /\/debian\/?$/.test(line))
  if (uri === undefined) throw new Error('apt knows no mirror of Debian')
  return uri
}

/**
 * Node of a major version, from npm's package `node`.
 *
 * @param version - '20', '22', '24', or `undefined` for the one that runs
 * @throws what npm said
 */
export function nodeBinary(version: string | undefined): string {
  if (version === undefined) return process.execPath
  const home = path.join(HOME, `node${version}`)
  const binary = path.join(home, 'node_modules/node/bin/node')
  if (!existsSync(binary)) {
    mkdirSync(home, { recursive: true })
    run('npm', ['install', '--prefix', home, '--no-audit', '--no-fund', '--no-save', `node@${version}`], home)
  }
  return binary
}

/** Where what was found is written to. */
export function resultsFile(name: string): string {
  mkdirSync(HOME, { recursive: true })
  return path.join(HOME, name)
}

function run(command: string, args: readonly string[], cwd: string): string {
  mkdirSync(cwd, { recursive: true })
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}
