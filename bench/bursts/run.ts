// SPDX-License-Identifier: Apache-2.0
/** Runs a burst: a server process and a client process on loopback, and what both have counted. */
import { fileURLToPath } from 'node:url'
import { Program } from '../shared/program.js'

const WORKER = fileURLToPath(new URL('worker.ts', import.meta.url))
const SETTLE_MS = 15_000

export interface BurstPlan {
  readonly kind: 'ours' | 'net'
  readonly connections: number
  readonly atOnce: number
  readonly paths: number
}

export interface BurstResult {
  readonly perSecond: number
  /** What went wrong, empty where nothing did. */
  readonly faults: readonly string[]
  /** Streams that the server has refused, by error code. */
  readonly refused: readonly (readonly [string, number])[]
}

interface Report {
  readonly connections: number
  readonly live: number
  readonly sockets: number
  readonly refused: readonly (readonly [string, number])[]
}

async function reportOf(server: Program, seen: number): Promise<Report> {
  server.say('report')
  await server.line(/"event":"report"/, SETTLE_MS, seen)
  return JSON.parse(server.lines.findLast((line) => line.includes('"event":"report"'))!) as Report
}

/** What the server counts once nothing is left, or once that takes too long. */
async function settled(server: Program): Promise<Report> {
  const end = Date.now() + SETTLE_MS
  for (let asked = 0; ; asked++) {
    const report = await reportOf(server, asked)
    if ((report.live === 0 && report.sockets <= 0) || Date.now() > end) return report
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
}

export async function runBurst({ kind, connections, atOnce, paths }: BurstPlan): Promise<BurstResult> {
  const command = (role: string, plan: object): string[] => [
    ...[process.execPath, '--import', 'tsx', WORKER],
    ...[role, JSON.stringify(plan)],
  ]
  await using server = new Program(command('serve', { kind, paths }))
  const { ports } = JSON.parse(await server.line(/"listening"/)) as { ports: number[] }
  await using client = new Program(command('dial', { kind, connections, atOnce, ports }))
  const done = JSON.parse(await client.line(/"done"/, 300_000)) as {
    seconds: number
    failures: [string, number][]
    sockets: number
  }
  const report = await settled(server)
  const faults = done.failures.map(([what, count]) => `${count} failed: ${what}`)
  if (report.connections !== connections)
    faults.push(`${report.connections} connection events for ${connections} connections`)
  if (report.live > 0 || report.sockets > 0)
    faults.push(`the server has ${report.live} connections and ${report.sockets} sockets left`)
  if (done.sockets > 0) faults.push(`the client has ${done.sockets} sockets left`)
  return { perSecond: Math.round(connections / done.seconds), faults, refused: report.refused }
}
