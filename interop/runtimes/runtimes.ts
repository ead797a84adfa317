// SPDX-License-Identifier: Apache-2.0
/** Other runtimes that the package is for, from npm. `npm run runtimes` gets them. Owns build/runtimes/. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { argv } from 'node:process'
import { fileURLToPath } from 'node:url'

export interface Runtime {
  readonly name: string
  /** Before the file that it runs. */
  readonly args: readonly string[]
  /** A package with a binary for this machine, and where that is; `undefined`: there is none. */
  readonly package: string | undefined
  readonly file: string
}

const HOME = fileURLToPath(new URL('../../build/runtimes/', import.meta.url))
const MACHINE = `${process.platform}-${process.arch}`
const NODE = MACHINE === 'linux-x64' || MACHINE === 'linux-arm64' || MACHINE === 'darwin-arm64'
const BUN: Readonly<Record<string, string>> = {
  'linux-x64': 'linux-x64',
  'linux-arm64': 'linux-aarch64',
  'darwin-arm64': 'darwin-aarch64',
}
const DENO: Readonly<Record<string, string>> = {
  'linux-x64': 'linux-x64-glibc',
  'linux-arm64': 'linux-arm64-glibc',
  'darwin-arm64': 'darwin-arm64',
}

export const RUNTIMES: readonly Runtime[] = [
  ...['22', '24'].map((version) => ({
    ...{ name: `Node ${version}`, args: [], file: 'bin/node' },
    package: NODE ? `node-${MACHINE}@${version}` : undefined,
  })),
  {
    ...{ name: 'Bun', args: [], file: 'bin/bun' },
    package: MACHINE in BUN ? `@oven/bun-${BUN[MACHINE]}@1.4.5` : undefined,
  },
  {
    ...{ name: 'Deno', args: ['run', '--allow-all', '--no-lock'], file: 'deno' },
    package: MACHINE in DENO ? `@deno/${DENO[MACHINE]}@2.9.6` : undefined,
  },
]

/** `undefined` where it has not been installed. */
export function binaryOf({ name }: Runtime): string | undefined {
  const binary = path.join(HOME, name.replace(' ', '-'))
  return existsSync(binary) ? binary : undefined
}

/** Of a package, nothing but the binary is kept. @throws what npm or tar said */
function install(runtime: Runtime): void {
  const { name, package: wanted, file } = runtime
  if (wanted === undefined) throw new Error(`there is no package of it for ${MACHINE}`)
  const work = path.join(HOME, `getting-${process.pid}`)
  mkdirSync(work, { recursive: true })
  try {
    execFileSync('npm', ['pack', '--silent', '--pack-destination', work, wanted], { stdio: 'pipe' })
    const [archive] = readdirSync(work)
    execFileSync('tar', ['-xzf', archive!, `package/${file}`], { cwd: work, stdio: 'pipe' })
    renameSync(path.join(work, 'package', file), path.join(HOME, name.replace(' ', '-')))
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

if (argv[1] === fileURLToPath(import.meta.url))
  for (const runtime of RUNTIMES)
    try {
      if (binaryOf(runtime) === undefined) install(runtime)
      console.log(`${runtime.name}: ${binaryOf(runtime)!}`)
    } catch (error) {
      console.log(`${runtime.name} cannot be had here: ${(error as Error).message.trim()}`)
    }
