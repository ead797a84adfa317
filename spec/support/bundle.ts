// SPDX-License-Identifier: Apache-2.0
/**
 * The JavaScript of `npm run build`: one file for each entry of the package, and what they share beside them. Hundreds of
 * modules take Node three times as long to load. The types are tsc's; what no entry needs of them goes.
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, transform, type BuildOptions, type Format } from 'esbuild'
import { pruneDeclarations } from './declarations.js'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** What is being built; `undefined` outside of a checkout. */
function commit(): string | undefined {
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
    const changed = git('status', '--porcelain', '--untracked-files=no', '--', 'lib', 'package.json')
    return git('rev-parse', '--short=10', 'HEAD') + (changed === '' ? '' : '+')
  } catch {
    return undefined
  }
}

const COMMON = {
  absWorkingDir: ROOT,
  outdir: 'dist',
  outbase: 'lib',
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  packages: 'external',
  // For coverage: neither they nor the sources are in the package, whose code can be read as it is.
  sourcemap: 'external',
  sourcesContent: false,
  define: { BUILD_COMMIT: JSON.stringify(commit() ?? '') },
  logLevel: 'warning',
  metafile: true,
} as const satisfies BuildOptions

const { metafile } = await build({
  ...COMMON,
  entryPoints: ['index', 'http/index', 'mux/index', 'metrics/index', 'testing/index', 'cli/main'].map(
    (name) => `lib/${name}.ts`,
  ),
  splitting: true,
  format: 'esm',
  chunkNames: 'shared/[name]-[hash]',
})

/** The helper of `run`, for which a program waits: in one file, and no module, since Node loads that sooner. */
const helper = await build({
  ...COMMON,
  entryPoints: ['lib/cli/run/inside.ts'],
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
})

/**
 * The command, which no program imports: without spaces and with short names it takes a third less of the package. Lines stay
 * short for traces, in which functions and classes have their own names.
 */
async function shrink(file: string, format: Format): Promise<void> {
  const map = readFileSync(`${file}.map`).toString('base64')
  const source = `${readFileSync(file, 'utf8')}\n//# sourceMappingURL=data:application/json;base64,${map}`
  const small = await transform(source, {
    ...{ minifyWhitespace: true, minifyIdentifiers: true, keepNames: true, lineLimit: 160 },
    ...{ sourcemap: 'external', sourcesContent: false },
    ...{ target: 'node20.19', format },
  })
  writeFileSync(file, small.code)
  writeFileSync(`${file}.map`, small.map)
}

await Promise.all(
  Object.entries(metafile.outputs)
    .filter(
      ([name, { inputs }]) =>
        name.endsWith('.js') && Object.keys(inputs).every((one) => one.startsWith('lib/cli/')),
    )
    .map(([name]) => shrink(join(ROOT, name), 'esm')),
)
for (const name of Object.keys(helper.metafile.outputs))
  if (name.endsWith('.cjs')) await shrink(join(ROOT, name), 'cjs')

copyFileSync(join(ROOT, 'lib/cli/run/resolv.conf'), join(ROOT, 'dist/cli/run/resolv.conf'))
pruneDeclarations(ROOT)
