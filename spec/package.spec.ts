// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import * as source from '../lib/index.js'

const run = promisify(execFile)

// The built package as its users see it: by its own name, through `exports`, in a process of its own.
async function evaluate(type: 'module' | 'commonjs', code: string): Promise<string> {
  const args = ['--no-warnings', `--input-type=${type}`, '--eval', code]
  const { stdout } = await run(process.execPath, args)
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

  it.each(['testing', 'http', 'mux', 'metrics'])('has the subpath %s', async (name) => {
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
    expect((await run('sh', args)).stdout).toBe('up')
  })

  describe('as it is packed', () => {
    let packed: { size: number; unpackedSize: number; files: { path: string }[] }
    let paths: string[]

    beforeAll(async () => {
      const { stdout } = await run('npm', ['pack', '--dry-run', '--ignore-scripts', '--json'])
      ;[packed] = JSON.parse(stdout) as [typeof packed]
      paths = packed.files.map(({ path }) => path)
    })

    it('takes less than 500 kB as a tarball, and less than 2 MB when it is installed', () => {
      expect(packed.size).toBeLessThan(500_000)
      expect(packed.unpackedSize).toBeLessThan(2_000_000)
    })

    it('holds its code once: neither its sources nor maps of them', () => {
      expect(paths.filter((path) => path.startsWith('lib/') || path.endsWith('.map'))).toEqual([])
      for (const path of paths.filter((name) => name.endsWith('.js') && name.startsWith('dist/')))
        expect(readFileSync(path, 'utf8').includes('sourceMappingURL')).toBe(false)
    })

    it('has code of one byte for each character: a single other one doubles what V8 keeps of its file', () => {
      const wide = paths
        .filter((path) => path.startsWith('dist/') && /\.c?js$/.test(path))
        .filter((path) => /[^\0-\xff]/.test(readFileSync(path, 'utf8')))
      expect(wide).toEqual([])
    })

    it('has no pictures, except the icon of the page', () => {
      expect(paths.filter((path) => /\.(svg|png)$/.test(path) && !path.startsWith('web/'))).toEqual([])
    })

    it('has the declarations that its entries need, and no others', () => {
      const missing = paths
        .filter((path) => path.endsWith('.d.ts'))
        .flatMap((path) =>
          [...readFileSync(path, 'utf8').matchAll(/from '(\.[^']+)\.js'/g)].map(([, to]) =>
            join(dirname(path), `${to}.d.ts`),
          ),
        )
        .filter((path) => !paths.includes(path))
      expect(missing).toEqual([])
      expect(paths.filter((path) => path.startsWith('dist/cli/') && path.endsWith('.d.ts'))).toEqual([])
    })
  })

  it('says its version, and the commit that was built where that is known', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
    const { stdout } = await run(process.execPath, ['dist/cli/main.js', '--version'])
    expect(stdout.startsWith(version)).toBe(true)
    expect(stdout).toMatch(/^\S+( \(commit [0-9a-f]{10}\+?\))?\n$/)
  })

  it('leaves the process free to exit once it is loaded', async () => {
    const code = "import 'multipath-net'; process.on('exit', () => process.stdout.write('left'))"
    expect(await evaluate('module', code)).toBe('left')
  })
})
