// SPDX-License-Identifier: Apache-2.0
/** What a fleet has to stand: connections from Node and Go, a backend and a balancer that die, a drained backend. */
import { strict as assert } from 'node:assert'
import { MultipathDialer, tcpDialer } from '../../lib/index.js'
import type { MultipathConn } from '../../lib/index.js'
import type { BackendReport, Fleet } from './fleet.js'
import type { GoConn, GoPeer } from './go-peer.js'
import { receive, send } from './node-side.js'
import { type Outage, OUTAGE_DEAD_MS, outages, suspended } from './outage.js'
import { PathRelay } from './path-relay.js'

const SUBFLOWS = 3
const BYTES = 256 * 1024
/** Dialled at a time. */
const BATCH = 20
const UNKNOWN_CID = 'ERR_MULTIPATH_UNEXPECTED_CID'
/** For one step on a slow machine, with redials. */
const PATIENCE_MS = 240_000
/** A Go client whose last frame was lost waits for ever, and nobody can know. */
const GO_PATIENCE_MS = 45_000
/** Share of the connections that Go dialled. */
const MOST_LOST_BY_GO = 0.1

/** One connection of either side; `exchange` writes and reads back so many bytes. */
interface Client {
  readonly name: string | undefined
  exchange(seed: number): Promise<'intact' | 'failed'>
  /** Resolves once it has been suspended; those of Go never are. */
  suspended(): Promise<unknown>
  close(): Promise<void>
}

export interface DrillReport {
  readonly connections: number
  /** Joins that came to a backend which did not know their CID, and were dialled again. */
  readonly early: number
  /** Connections of the killed backend. */
  readonly lost: number
  /** Connections of Go peers that lost data for good with the killed balancer: interop/README.md. */
  readonly lostByGo: number
}

/** @throws AssertionError for a byte, a subflow or a connection that is not where it has to be */
export class Drill {
  readonly #fleet: Fleet
  readonly #go: GoPeer | undefined
  readonly #addresses: readonly string[]
  readonly #clients: Client[] = []
  readonly #dialer: MultipathDialer
  #seed = 0

  /**
   * @param go - dials a third of the connections
   * @param doors - what stands in front of each balancer. Default: the balancers themselves
   * @param deadMs - of the dialer, which gives silent paths up after so long
   */
  constructor(
    fleet: Fleet,
    go: GoPeer | undefined,
    { doors = fleet.balancers, deadMs }: { doors?: readonly { address: string }[]; deadMs?: number } = {},
  ) {
    this.#fleet = fleet
    this.#go = go
    const [first, second] = doors.map(({ address }) => address)
    // The first one twice.
    this.#addresses = [first!, second!, first!]
    const options = { redialMinMs: 100, redialMaxMs: 1000, deadMs }
    this.#dialer = new MultipathDialer('fleet', this.#addresses.map(pathTo), options)
  }

  async run(connections: number): Promise<DrillReport> {
    await this.#dial(connections)
    const early = await this.#assertTogether(connections)
    assert.equal(await this.#assertIntact(), 0)
    const lost = await this.#killBackend()
    const lostByGo = await this.#killBalancer()
    await this.#drain()
    await Promise.all(this.#clients.map((client) => client.close()))
    return { connections, early, lost, lostByGo }
  }

  /** All paths are gone for a while in the middle of exchanges: each connection goes on, on the backend where it was. */
  async rejoin(connections: number, outages: readonly Outage[]): Promise<void> {
    await this.#dial(connections)
    await this.#assertTogether(connections)
    const before = await this.#homes()
    // So each side has heard for how long the other one holds a connection.
    assert.equal(await this.#assertIntact(), 0)
    for (const outage of outages) {
      const suspensions = this.#clients.map((client) => client.suspended())
      assert.equal(await this.#assertIntact(() => outage.pass(suspensions)), 0)
      await this.#healed(`after an outage (${outage.way})`)
      assert.deepEqual(await this.#homes(), before)
      assert.equal(await this.#assertIntact(), 0)
    }
    await Promise.all(this.#clients.map((client) => client.close()))
  }

  /** Which backend each connection is on. */
  async #homes(): Promise<ReadonlyMap<string, number>> {
    const reports = await this.#reports()
    const homes = reports.flatMap(({ conns }, home) => conns.map(({ name }) => [name, home] as const))
    assert.equal(new Map(homes).size, homes.length, 'no connection is on two backends')
    return new Map(homes.toSorted(([one], [other]) => one.localeCompare(other)))
  }

  async #dial(connections: number): Promise<void> {
    const goDialer = await this.#go?.dialer([...this.#addresses])
    for (let n = 0; n < connections; n += BATCH) {
      const batch = Array.from({ length: Math.min(BATCH, connections - n) }, async (_, index) =>
        goDialer !== undefined && (n + index) % 3 === 0
          ? goClient(await goDialer.dial())
          : nodeClient(await this.#dialer.dial()),
      )
      this.#clients.push(...(await Promise.all(batch)))
    }
  }

  /** Every connection is on one backend, with all of its subflows, and under the address that the client dialled. */
  async #assertTogether(connections: number): Promise<number> {
    const whole = ({ conns }: BackendReport): number =>
      conns.filter(({ labels }) => labels.length >= SUBFLOWS).length
    let reports: BackendReport[] = []
    await within(`${connections} connections of ${SUBFLOWS} subflows`, async () => {
      reports = await this.#reports()
      return reports.reduce((sum, report) => sum + whole(report), 0) === connections
    })
    const conns = reports.flatMap((report) => report.conns)
    assert.equal(conns.length, connections, 'no connection is on two backends')
    const bound = this.#fleet.balancers.map(({ address }) => address)
    for (const label of conns.flatMap(({ labels }) => labels))
      assert.ok(bound.includes(label.split('|')[0]!), `${label} is not what the client dialled`)
    const refused = reports.flatMap((report) => report.refused)
    assert.deepEqual(new Set(refused), new Set(refused.length > 0 ? [UNKNOWN_CID] : []))
    return refused.length
  }

  async #assertIntact(during?: () => Promise<void>): Promise<number> {
    const seeds = this.#clients.map(() => ++this.#seed)
    const running = this.#clients.map((client, index) => client.exchange(seeds[index]!))
    await during?.()
    const results = await timed('exchanges', Promise.all(running))
    const alive = this.#clients.filter((_client, index) => results[index] === 'intact')
    return this.#clients.splice(0, this.#clients.length, ...alive).length - alive.length
  }

  /** Its connections fail; all others go on. */
  async #killBackend(): Promise<number> {
    const victim = this.#fleet.backends[2]!
    const { conns } = await victim.report()
    assert.ok(conns.length > 0, 'the balancers use every backend')
    const cut = await this.#assertIntact(() => victim.kill())
    // Those that were done before fail now.
    const lost = cut + (await this.#assertIntact())
    assert.equal(lost, conns.length, 'the connections of the dead backend, and no others, are lost')
    const names = new Set(conns.map(({ name }) => name))
    for (const { name } of this.#clients) assert.ok(name === undefined || !names.has(name))
    return lost
  }

  /** Nobody of ours loses anything; when it is back, it has learnt where the subflows belong. */
  async #killBalancer(): Promise<number> {
    const victim = this.#fleet.balancers[1]!
    const ours = this.#ours().length
    const most = Math.ceil((this.#clients.length - ours) * MOST_LOST_BY_GO)
    const lostByGo = await this.#assertIntact(() => victim.kill())
    assert.equal(this.#ours().length, ours, 'no connection of ours is lost with a balancer')
    assert.ok(lostByGo <= most, `${lostByGo} connections of Go are lost with a balancer`)
    await victim.start()
    await this.#healed('through a balancer that came back')
    assert.equal(await this.#assertIntact(), 0)
    return lostByGo
  }

  /** New connections keep away from a drained backend, and joins of its own still reach it. */
  async #drain(): Promise<void> {
    const [drained] = this.#fleet.backends
    for (const balancer of this.#fleet.balancers)
      await balancer.command('set server multipath/node1 state drain')
    const before = (await drained!.report()).conns.length
    const fresh = await Promise.all(
      Array.from({ length: 4 }, async () => nodeClient(await this.#dialer.dial())),
    )
    // One path of each connection goes, and comes back by a join. Without any subflow they would be over.
    await this.#fleet.balancers[1]!.command('shutdown sessions server multipath/node1')
    await this.#healed('to a drained backend')
    assert.equal(await this.#assertIntact(), 0)
    const after = (await drained!.report()).conns
    assert.equal(after.length, before)
    for (const { name } of fresh) assert.ok(after.every((conn) => conn.name !== name))
    await Promise.all(fresh.map((client) => client.close()))
  }

  /** Names of the connections that Node dialled. */
  #ours(): string[] {
    return this.#clients.flatMap(({ name }) => name ?? [])
  }

  /** Connections of Node dial lost paths again; Go does not. */
  #healed(what: string): Promise<void> {
    const names = this.#ours()
    return within(`every subflow ${what}`, async () => {
      const conns = (await this.#reports()).flatMap((report) => report.conns)
      const labels = new Map(conns.map(({ name, labels }) => [name, labels]))
      return names.every((name) => (labels.get(name)?.length ?? 0) >= SUBFLOWS)
    })
  }

  #reports(): Promise<BackendReport[]> {
    return Promise.all(this.#fleet.backends.map((backend) => backend.report()))
  }
}

function pathTo(address: string, index: number): ReturnType<typeof tcpDialer> {
  const [host, port] = address.split(':')
  return tcpDialer({ host: host!, port: Number(port), label: `path ${index}` })
}

function nodeClient(conn: MultipathConn): Client {
  conn.on('error', () => {})
  return {
    name: conn.name,
    async exchange(seed) {
      const sent = send(conn, { bytes: BYTES, seed }).catch(() => undefined)
      const { bytes, mismatchAt } = await receive(conn, { bytes: BYTES, seed })
      await sent
      assert.equal(mismatchAt, -1)
      return bytes === BYTES ? 'intact' : 'failed'
    },
    suspended: () => suspended(conn),
    async close() {
      conn.destroy()
    },
  }
}

function goClient(conn: GoConn): Client {
  return {
    name: undefined,
    async exchange(seed) {
      const sent = conn.send({ bytes: BYTES, seed }).catch(() => undefined)
      const receiving = conn.receive({ bytes: BYTES, seed })
      const back = await timed('an exchange of Go', receiving, GO_PATIENCE_MS).catch(() => undefined)
      assert.ok(back === undefined || back.mismatchAt === -1)
      if (back?.bytes !== BYTES) return 'failed'
      await sent
      return 'intact'
    },
    suspended: () => Promise.reject(new Error('Go holds no connection')),
    close: () => conn.close().catch(() => {}),
  }
}

async function within(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS
  while (!(await isSo())) {
    assert.ok(Date.now() < deadline, `in time: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function timed<Value>(what: string, work: Promise<Value>, ms = PATIENCE_MS): Promise<Value> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`in time: ${what}`)), ms)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

/** Paths over relays in front of the balancers, all of which are gone for `seconds`, twice. */
export async function drillRejoins(fleet: Fleet, connections: number, seconds: number): Promise<void> {
  const relays = await Promise.all(fleet.balancers.map(({ address }) => PathRelay.open(address)))
  try {
    const drill = new Drill(fleet, undefined, { doors: relays, deadMs: OUTAGE_DEAD_MS })
    await drill.rejoin(connections, outages(relays, seconds))
  } finally {
    for (const relay of relays) await relay[Symbol.asyncDispose]()
  }
}
