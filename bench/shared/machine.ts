// SPDX-License-Identifier: Apache-2.0
/** What a result was measured with. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { libraryBuild } from './build.js'
import { BENCH, ROOT } from './places.js'

export interface Machine {
  readonly date: string
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly kernel: string
  readonly congestionControl: string
  readonly node: string
  readonly go: string
  readonly goMultipath: string
  readonly aggligator: string
  readonly library: string
  /** First digits of a hash over dist/, absent where it is not built. */
  readonly build?: string
}

/** First line of what a program says, or 'not installed'. */
export function versionOf(program: string, ...args: string[]): string {
  try {
    return (
      execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n')[0] ??
      ''
    )
  } catch {
    return 'not installed'
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return 'unknown'
  }
}

export function machine(aggligator: string): Machine {
  const build = libraryBuild()
  const { version } = JSON.parse(read(`${ROOT}package.json`)) as { version: string }
  return {
    date: new Date().toISOString(),
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    congestionControl: read('/proc/sys/net/ipv4/tcp_congestion_control'),
    node: process.version,
    go: versionOf('go', 'version'),
    goMultipath: /getlantern\/multipath (\S+)/.exec(read(`${BENCH}go/go.mod`))?.[1] ?? 'unknown',
    aggligator,
    library: version,
    ...(build === undefined ? {} : { build }),
  }
}
