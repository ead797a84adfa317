// SPDX-License-Identifier: Apache-2.0
/** Bundles patch/ and the library to one file that any Node can preload. */
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'esbuild'
import { build } from 'esbuild'

const here = fileURLToPath(new URL('.', import.meta.url))
const PATCHED = /^node:(?:net|http|https|http2|tls)$/

/** The library keeps Node's own modules as they were, whatever the patch makes of them. */
const unpatched: Plugin = {
  name: 'unpatched',
  setup(builder) {
    builder.onResolve({ filter: PATCHED }, ({ path: name, importer, namespace }) =>
      namespace === 'unpatched' || importer.startsWith(path.join(here, 'patch'))
        ? { path: name, external: true }
        : { path: name, namespace: 'unpatched' },
    )
    builder.onLoad({ filter: /./, namespace: 'unpatched' }, ({ path: name }) => ({
      contents: `module.exports = Object.defineProperties({}, Object.getOwnPropertyDescriptors(require('${name}')))`,
    }))
  },
}

/** Of the library of this checkout, or of `repo`. */
export async function buildPatch(outfile: string, repo: string = path.join(here, '../..')): Promise<void> {
  const fromRepo: Plugin = {
    name: 'from-repo',
    setup(builder) {
      builder.onResolve({ filter: /\/lib\/index\.js$/ }, () => ({ path: path.join(repo, 'lib/index.ts') }))
    },
  }
  await build({
    entryPoints: [path.join(here, 'patch/install.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    logLevel: 'error',
    plugins: [unpatched, fromRepo],
  })
}
