// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import * as source from '../lib/index.js'

// The built package as its users see it: by its own name, through `exports`, in a process of its own.
async function evaluate(type: 'module' | 'commonjs', code: string): Promise<string> {
  const args = ['--no-warnings', `--input-type=${type}`, '--eval', code]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return stdout
}
const NAMES = Object.keys(source).sort().join()

describe('the built package', () => {
  it('gives the names of lib/index.ts to import', async () => {
    const code = "import * as all from 'multipath-net'; process.stdout.write(Object.keys(all).sort().join())"
    expect(await evaluate('module', code)).toBe(NAMES)
  })

  it('gives the same names to require', async () => {
    const code = "process.stdout.write(Object.keys(require('multipath-net')).sort().join())"
    expect(await evaluate('commonjs', code)).toBe(NAMES)
  })

  it.each(['testing', 'mux', 'metrics'])('has the subpath %s', async (name) => {
    const code = `import * as all from 'multipath-net/${name}'; process.stdout.write(String(Object.keys(all).length))`
    expect(Number(await evaluate('module', code))).toBeGreaterThan(0)
  })

  it('keeps its inner files to itself', async () => {
    const code =
      "import('multipath-net/dist/errors.js').catch((error) => { process.stdout.write(error.code) })"
    expect(await evaluate('module', code)).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED')
  })

  it('starts with 96 descriptors', async () => {
    const code = "import 'multipath-net'; process.stdout.write('up')"
    const args = ['-c', 'ulimit -n 96; exec "$0" --input-type=module --eval "$1"', process.execPath, code]
    expect((await promisify(execFile)('sh', args)).stdout).toBe('up')
  })

  it('holds its sources once: maps name the files of lib/, which the package has, without their text', () => {
    const { files } = JSON.parse(readFileSync('package.json', 'utf8')) as { files: string[] }
    expect(files).toContain('lib')
    const maps = readdirSync('dist', { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.map'),
    )
    expect(maps.length).toBeGreaterThan(100)
    for (const name of maps) {
      const map = JSON.parse(readFileSync(join('dist', name), 'utf8')) as {
        sources: string[]
        sourcesContent?: unknown
      }
      expect(map.sourcesContent).toBeUndefined()
      for (const source of map.sources) expect(existsSync(join('dist', dirname(name), source))).toBe(true)
    }
  })

  it('leaves the process free to exit once it is loaded', async () => {
    const code = "import 'multipath-net'; process.on('exit', () => process.stdout.write('left'))"
    expect(await evaluate('module', code)).toBe('left')
  })
})
