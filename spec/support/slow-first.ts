// SPDX-License-Identifier: Apache-2.0
/** The order of the spec files: the slowest of a project begin, so that none of them runs on alone at the end. */
import type { TestSpecification } from 'vitest/node'
import { BaseSequencer } from 'vitest/node'

/** Files that take ten seconds and more, by their folder. */
const SLOW = Object.entries({
  spec: ['leak/dial-cycles', 'listen/attacks', 'lint/rules', 'lint/layers'],
  'spec/cli': [
    'live/flat',
    'ctl/ctl',
    'doctor/doctor',
    'web/page',
    'kill-drill',
    'monitor/monitor',
    'live/faults',
  ],
  'spec/engine': ['grid', 'earlier-version', 'silent-path', 'starving'],
  'spec/conn': ['streaming'],
  interop: [
    ...[
      'examples',
      'bulk',
      'cluster',
      'slow-reader',
      'fleet',
      'nc',
      'hold',
      'node-tests',
      'freeze',
      'clients',
      'doctor',
    ],
    ...['interface-paths', 'echo', 'reset', 'close', 'live-paths', 'transports'],
  ],
}).flatMap(([folder, names]) => names.map((name) => `/${folder}/${name}.spec.ts`))

export class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // Files of one project stay together: those that share a process do so only as long as no other comes between.
    const sorted = await super.sort(files)
    const projects = [...new Set(sorted.map(({ project }) => project))]
    return projects.flatMap((of) =>
      sorted.filter(({ project }) => project === of).toSorted((a, b) => rankOf(a) - rankOf(b)),
    )
  }
}

function rankOf({ moduleId }: TestSpecification): number {
  const rank = SLOW.findIndex((name) => moduleId.endsWith(name))
  return rank === -1 ? SLOW.length : rank
}
