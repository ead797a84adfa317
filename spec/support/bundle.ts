// SPDX-License-Identifier: Apache-2.0
/**
 * The JavaScript of `npm run build`: one file for each entry of the package, and what they share beside them. Hundreds of
 * modules take Node three times as long to load. The types are tsc's.
 */
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

await build({
  absWorkingDir: ROOT,
  entryPoints: ['index', 'mux/index', 'metrics/index', 'testing/index', 'cli/main', 'cli/run/inside'].map(
    (name) => `lib/${name}.ts`,
  ),
  outdir: 'dist',
  outbase: 'lib',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  packages: 'external',
  chunkNames: 'shared/[name]-[hash]',
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
})
