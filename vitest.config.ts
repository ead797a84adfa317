// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from 'vitest/config'
import type { ViteUserConfig } from 'vitest/config'
import { SlowFirst } from './spec/support/slow-first.js'

/**
 * Specs of what a process as a whole holds or is given: memory, handles, its environment; and those of ESLint, whose types
 * would slow down each collection of garbage that others ask for. Each file has a process of its own.
 */
const ALONE = ['leak/*', 'lint/*', 'listen/attacks', 'cli/live/flat', 'secrecy'].map(
  (name) => `spec/${name}.spec.ts`,
)

const unit = {
  // Specs that look for leaks have to collect garbage first.
  execArgv: ['--expose-gc'],
  // By default one core is left idle.
  maxWorkers: '100%',
  // A busy machine is late; no spec measures time by this.
  testTimeout: 30_000,
  hookTimeout: 30_000,
  sequence: { shuffle: true, groupOrder: 0 },
}

const config: ViteUserConfig = defineConfig({
  test: {
    sequence: { sequencer: SlowFirst },
    coverage: {
      provider: 'custom',
      customProviderModule: './spec/support/process-coverage.ts',
      include: ['lib/**/*.ts'],
      reporter: ['text-summary', 'html', 'json-summary'],
      thresholds: { lines: 95 },
    },
    projects: [
      // Files that leave nothing behind share a process for each core, which spares a start and the imports of each.
      { test: { ...unit, name: 'unit', include: ['spec/**/*.spec.ts'], exclude: ALONE, isolate: false } },
      { test: { ...unit, name: 'alone', include: ALONE } },
      {
        test: {
          name: 'types',
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            checker: 'tsc',
            include: ['spec/types/*.spec-d.ts'],
            tsconfig: 'spec/types/tsconfig.json',
          },
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Peers are processes of their own, and wait for most of their time: three files at a time, and only after
        // the unit specs are done.
        test: {
          name: 'interop',
          include: ['interop/**/*.spec.ts'],
          isolate: false,
          maxWorkers: 3,
          // Of a file whose specs run side by side, since they wait for most of their time.
          maxConcurrency: 6,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})

export default config
