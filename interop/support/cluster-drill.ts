// SPDX-License-Identifier: Apache-2.0
/** Connections to a cluster of workers on this machine, one of which dies. */
import { strict as assert } from 'node:assert'
import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { MultipathDialer, tcpDialer } from '../../lib/index.js'
import type { DialerOptions, MultipathConn } from '../../lib/index.js'
import { bundled } from '../../spec/support/bundled.js'
import { receive, send } from './node-side.js'
import { OUTAGE_DEAD_MS, outages, suspended } from './outage.js'
import { PathRelay } from './path-relay.js'

const PROCESSES = fileURLToPath(new URL('cluster-processes.ts', import.meta.url))
const SUBFLOWS = 3
const BYTES = 64 * 1024
const BATCH = 50
const PATIENCE_MS = 90_000

/** What a worker says of itself. */
export interface WorkerReport {
  readonly isReport: true
  readonly id: number
  readonly conns: readonly { name: string; bytes: number; labels: readonly string[] }[]
  readonly refused: readonly string[]
}

/** A primary and its workers, in processes of their own. */
export class Cluster implements AsyncDisposable {
  readonly #primary: ChildProcess
  readonly ports: readonly number[]

  private constructor(primary: ChildProcess, ports: readonly number[]) {
    this.#primary = primary
    this.ports = ports
  }

  static async start(): Promise<Cluster> {
    const primary = fork(await bundled(PROCESSES), { execArgv: [] })
    const [ports] = (await once(primary, 'message')) as [number[]]
    return new Cluster(primary, ports)
  }

  async reports(): Promise<WorkerReport[]> {
    const answer = once(this.#primary, 'message') as Promise<[WorkerReport[]]>
    this.#primary.send('report')
    return (await answer)[0]
  }

  /** Reports once `isSo` holds of them. */
  async until(what: string, isSo: (reports: readonly WorkerReport[]) => boolean): Promise<WorkerReport[]> {
    const deadline = Date.now() + PATIENCE_MS
    for (;;) {
      const reports = await this.reports()
      if (isSo(reports)) return reports
      assert.ok(Date.now() < deadline, `in time: ${what}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  kill(id: number): void {
    this.#primary.send({ kill: id })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#primary.exitCode !== null || this.#primary.signalCode !== null) return
    const exited = once(this.#primary, 'exit')
    this.#primary.disconnect()
    await exited
  }
}

/** Dials so many connections of {@link SUBFLOWS} subflows over the two ports, each to one worker alone. */
async function dialAll(
  cluster: Cluster,
  ports: readonly number[],
  connections: number,
  options: DialerOptions = {},
): Promise<{ conns: MultipathConn[]; reports: WorkerReport[] }> {
  const [first, second] = ports
  const dialer = new MultipathDialer(
    'cluster',
    [first!, second!, first!].map((port, n) => tcpDialer({ host: '127.0.0.1', port, label: `path ${n}` })),
    options,
  )
  const conns: MultipathConn[] = []
  while (conns.length < connections) {
    const batch = Math.min(BATCH, connections - conns.length)
    conns.push(...(await Promise.all(Array.from({ length: batch }, () => dialer.dial()))))
  }
  for (const conn of conns) conn.on('error', () => {})
  const reports = await everySubflow(cluster, connections)
  assert.deepEqual(
    reports.flatMap((report) => report.refused),
    [],
  )
  return { conns, reports }
}

async function everySubflow(cluster: Cluster, connections: number): Promise<WorkerReport[]> {
  const reports = await cluster.until('every subflow', (all) => {
    const whole = all.flatMap((report) => report.conns).filter(({ labels }) => labels.length >= SUBFLOWS)
    return whole.length === connections
  })
  assert.equal(reports.flatMap((report) => report.conns).length, connections)
  return reports
}

/** @throws AssertionError for a byte, a subflow or a connection that is not where it has to be */
export async function drillCluster(
  cluster: Cluster,
  connections: number,
): Promise<{ connections: number; lost: number }> {
  const { conns, reports } = await dialAll(cluster, cluster.ports, connections)
  assert.ok(await areIntact(conns))

  const victim = reports[1]!
  const isLost = ({ name }: MultipathConn): boolean => victim.conns.some((conn) => conn.name === name)
  const lost = conns.filter(isLost)
  const closed = Promise.all(lost.map((conn) => new Promise((resolve) => conn.once('close', resolve))))
  cluster.kill(victim.id)
  const others = conns.filter((conn) => !isLost(conn))
  assert.ok(await areIntact(others))
  await closed
  for (const conn of others) {
    assert.equal(conn.subflows().length, SUBFLOWS)
    conn.destroy()
  }
  return { connections, lost: lost.length }
}

/**
 * All paths are gone for `seconds` in the middle of exchanges, twice: each connection goes on, at the worker where it was.
 *
 * @throws AssertionError where one does not, or a byte is missing
 */
export async function drillClusterRejoins(
  cluster: Cluster,
  connections: number,
  seconds: number,
): Promise<void> {
  const relays = await Promise.all(cluster.ports.map((port) => PathRelay.open(port)))
  try {
    const ports = relays.map(({ port }) => port)
    const { conns, reports } = await dialAll(cluster, ports, connections, { deadMs: OUTAGE_DEAD_MS })
    // So each side has heard for how long the other one holds a connection.
    assert.ok(await areIntact(conns))
    for (const outage of outages(relays, seconds)) {
      const suspensions = conns.map(suspended)
      const [isWhole] = await Promise.all([areIntact(conns), outage.pass(suspensions)])
      assert.ok(isWhole, `nothing is lost in an outage (${outage.way})`)
      assert.deepEqual(homes(await everySubflow(cluster, connections)), homes(reports))
      assert.ok(await areIntact(conns))
    }
    for (const conn of conns) conn.destroy()
  } finally {
    for (const relay of relays) await relay[Symbol.asyncDispose]()
  }
}

/** Which worker each connection is at. */
function homes(reports: readonly WorkerReport[]): ReadonlyMap<string, number> {
  const found = reports.flatMap(({ id, conns }) => conns.map(({ name }) => [name, id] as const))
  return new Map(found.toSorted(([one], [other]) => one.localeCompare(other)))
}

async function areIntact(conns: readonly MultipathConn[]): Promise<boolean> {
  const results = await Promise.all(
    conns.map(async (conn, seed) => {
      const sent = send(conn, { bytes: BYTES, seed }).catch(() => undefined)
      const back = await receive(conn, { bytes: BYTES, seed })
      await sent
      return back
    }),
  )
  return results.every(({ bytes, mismatchAt }) => bytes === BYTES && mismatchAt === -1)
}
