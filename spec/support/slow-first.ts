// SPDX-License-Identifier: Apache-2.0
/** The order of the spec files: the slowest of a project begin, so that none of them runs on alone at the end. */
import type { TestSpecification } from 'vitest/node'
import { BaseSequencer } from 'vitest/node'

/** Files that take ten seconds and more. */
const SLOW = [
  ...['spec/leak/dial-cycles', 'spec/cli/web/page', 'spec/cli/kill-drill', 'spec/cli/monitor/monitor'],
  ...['spec/cli/ctl/ctl', 'spec/cli/live/faults', 'spec/cli/nc', 'spec/cli/nc-uses'],
  ...[
    'spec/cli/streams/serve',
    'spec/cli/doctor/doctor',
    'spec/cli/streams/forward',
    'spec/cli/streams/socks',
  ],
  ...[
    'spec/leak/process-exit',
    'spec/listen/attacks',
    'spec/cli/streams/http-forward',
    'spec/cli/truncation',
  ],
  ...['interop/bulk', 'interop/fleet', 'interop/nc', 'interop/slow-reader', 'interop/node-tests'],
  ...['interop/freeze', 'interop/doctor', 'interop/cluster', 'interop/hold', 'interop/interface-paths'],
  ...['interop/echo', 'interop/transports', 'interop/clients', 'interop/live-paths', 'interop/close'],
].map((name) => `/${name}.spec.ts`)

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
