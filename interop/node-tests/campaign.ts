// SPDX-License-Identifier: Apache-2.0
/** Runs Node's tests over the facade, and over a control what failed there. */
import { readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { buildPatch } from './build-patch.js'
import { differenceOf } from './differences.js'
import type { Over, TestResult, TestRun } from './run-test.js'
import { runTest } from './run-test.js'
import { nodeTests, resultsFile } from './sources.js'

export const FAMILIES = ['net', 'http', 'https', 'http2', 'tls'] as const
export type Family = (typeof FAMILIES)[number]

/**
 * `passed` and `skipped` (by the test itself) over the facade; `listed` fails and is in differences.ts; `control` fails
 * over the control, too: with `net` its own Node, for the rest a plain Duplex around a net.Socket. `ours` is a defect.
 */
export type Verdict = 'passed' | 'skipped' | 'listed' | 'control' | 'ours'

export interface Judged {
  readonly name: string
  readonly family: Family
  readonly verdict: Verdict
  /** Of a listed one: why. Of ours: what it printed. */
  readonly why: string
}

export interface Campaign {
  readonly binary: string
  /** Its major version. */
  readonly version: string
  readonly names: readonly string[]
  readonly paths: number
  readonly jobs: number
  readonly timeLimitMs: number
  /** Whether listed tests are run, too, and count as passed where they pass. */
  readonly runsListed: boolean
  readonly onJudged?: (judged: Judged) => void
}

/** One of `every` files of a family, from the one numbered `from`. */
export function sampleOf(family: Family, every = 1, from = 0): string[] {
  const all = readdirSync(path.join(nodeTests(), 'parallel')).sort()
  return all.filter((name) => familyOf(name) === family).filter((_, index) => index % every === from % every)
}

function familyOf(name: string): Family {
  return (/^test-([^-.]+)-.*\.m?js$/.exec(name)?.[1] ?? '') as Family
}

export async function judge(campaign: Campaign): Promise<Judged[]> {
  const patch = resultsFile(`patch-${process.pid}.cjs`)
  await buildPatch(patch)
  const queue = [...campaign.names]
  const judged: Judged[] = []
  const lane = async (number: number): Promise<void> => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      const one = await judgeOne(name, campaign, { patch, lane: process.pid * 10 + number })
      judged.push(one)
      campaign.onJudged?.(one)
    }
  }
  await Promise.all(Array.from({ length: campaign.jobs }, (_, number) => lane(number)))
  rmSync(patch)
  return judged.sort((a, b) => (a.name < b.name ? -1 : 1))
}

async function judgeOne(
  name: string,
  campaign: Campaign,
  place: Pick<TestRun, 'patch' | 'lane'>,
): Promise<Judged> {
  const family = familyOf(name)
  const listed = differenceOf(name, campaign.version)
  if (listed !== undefined && !campaign.runsListed) return { name, family, verdict: 'listed', why: listed }
  const over = (kind: Over): Promise<TestResult> =>
    runTest(name, { ...campaign, ...place, over: kind, tests: nodeTests() })
  const first = await over('facade')
  if (isGood(first)) return { name, family, verdict: first.outcome, why: '' }
  if (listed !== undefined) return { name, family, verdict: 'listed', why: listed }
  const control = await over(family === 'net' ? 'net' : 'duplex')
  if (!isGood(control)) return { name, family, verdict: 'control', why: control.output }
  // Its own waits may have been too short for a busy machine.
  const second = await over('facade')
  if (isGood(second)) return { name, family, verdict: second.outcome, why: '' }
  return { name, family, verdict: 'ours', why: second.output }
}

function isGood(result: TestResult): result is TestResult & { outcome: 'passed' | 'skipped' } {
  return result.outcome === 'passed' || result.outcome === 'skipped'
}
