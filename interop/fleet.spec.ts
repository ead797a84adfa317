// SPDX-License-Identifier: Apache-2.0
/** Three listeners behind two HAProxies with the configuration of deploy/haproxy/. */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { goVersion } from './support/build-peer.js'
import { Drill, drillRejoins } from './support/fleet-drill.js'
import type { Balancer } from './support/fleet.js'
import { Fleet, whyNoFleet } from './support/fleet.js'
import { GoPeer } from './support/go-peer.js'
import { PathRelay } from './support/path-relay.js'
import { hello, RawPeer } from './support/raw-peer.js'

const why = whyNoFleet()
const CONNECTIONS = 30
const REJOINING = 12
/** At least: it ends when every connection is suspended. */
const OUTAGE_S = 4

describe.skipIf(why !== undefined)(`a fleet${why ? ` (skipped: ${why})` : ''}`, () => {
  it('has a configuration that HAProxy takes without a warning', () => {
    const args = ['-c', '-f', 'deploy/haproxy/haproxy.cfg', '-L', 'balancer1']
    const { status, stdout, stderr } = spawnSync('haproxy', args, { encoding: 'utf8', timeout: 30_000 })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toContain('valid')
  })

  it('has a limit for each address, as docs/fleet.md has it, that HAProxy takes without a warning', () => {
    const page = readFileSync('docs/fleet.md', 'utf8')
    const [, table, rules] =
      /(backend per_address\n[^`]*?)\n# in the section multipath[^\n]*\n([^`]*)```/.exec(page)!
    const template = readFileSync('deploy/haproxy/haproxy.cfg', 'utf8')
    const whole = `${template.replace('bind :7000\n', `bind :7000\n${rules}`)}\n${table}`
    const folder = mkdtempSync(path.join(tmpdir(), 'haproxy-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    writeFileSync(path.join(folder, 'haproxy.cfg'), whole)
    const args = ['-c', '-f', path.join(folder, 'haproxy.cfg'), '-L', 'balancer1']
    const { status, stderr } = spawnSync('haproxy', args, { encoding: 'utf8', timeout: 30_000 })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(whole).toContain('track-sc0')
  })

  it('keeps the subflows of a connection together, and loses what was on a dead backend alone', async () => {
    await using fleet = await Fleet.start()
    await using go = goVersion() === undefined ? undefined : await GoPeer.start()
    const report = await new Drill(fleet, go).run(CONNECTIONS)
    expect(report.lost).toBeLessThan(CONNECTIONS)
  }, 400_000)

  it('has each connection go on at its backend after all paths were gone, refused or silent', async () => {
    await using fleet = await Fleet.start()
    await drillRejoins(fleet, REJOINING, OUTAGE_S)
  }, 400_000)

  it('holds a join until its balancer has heard of the CID from the other one, and answers it then', async () => {
    const relays: PathRelay[] = []
    await using fleet = await Fleet.start(async (port) => {
      const relay = await PathRelay.open(port)
      relays.push(relay)
      return relay.port
    })
    onTestFinished(async () => {
      for (const relay of relays) await relay[Symbol.asyncDispose]()
    })
    const [first, second] = fleet.balancers as [Balancer, Balancer]
    const known = async (cid: Uint8Array): Promise<boolean> =>
      (await second.command('show table multipath')).includes(Buffer.from(cid).toString('hex').toUpperCase())
    // As soon as the one tells the other of a CID, their link stands.
    const before = await said(first, hello())
    const early = await before.take(17)
    while (!(await known(early.subarray(1))));
    // A machine may be too slow for the three seconds that a join is held.
    while (!(await joinsEarly(first, second, relays, known)));
    const reports = await Promise.all(fleet.backends.map((backend) => backend.report()))
    expect(reports.flatMap(({ refused }) => refused)).toEqual([])
    before.close()
  })

  it('closes a join whose CID no balancer has heard of, without an answer', async () => {
    await using fleet = await Fleet.start()
    const join = await said(fleet.balancers[0]!, hello(randomBytes(16)))
    await expect(join.take(1)).rejects.toThrow('closed by the peer with 0 of 1 bytes')
    const reports = await Promise.all(fleet.backends.map((backend) => backend.report()))
    expect(reports.map(({ refused }) => refused)).toEqual([[], [], []])
  })
})

/** A subflow by hand that has begun with `words`. */
async function said(balancer: Balancer, words: Uint8Array): Promise<RawPeer> {
  const peer = await RawPeer.dial(balancer.address)
  peer.send(words)
  return peer
}

/** Opens a connection by `first`, and joins it by `second` before that one has heard of it. @returns whether in time */
async function joinsEarly(
  first: Balancer,
  second: Balancer,
  links: readonly PathRelay[],
  known: (cid: Uint8Array) => Promise<boolean>,
): Promise<boolean> {
  for (const link of links) link.freeze()
  const opened = await said(first, hello())
  const cid = (await opened.take(17)).subarray(1)
  const join = await said(second, hello(cid))
  const isThere = `:${join.socket.localPort} `
  while (!(await second.command('show sess')).includes(isThere));
  expect(await known(cid)).toBe(false)
  for (const link of links) link.thaw()
  const answer = await join.take(17).catch(() => undefined)
  if (answer !== undefined) expect(answer).toEqual(hello(cid))
  for (const peer of [opened, join]) peer.close()
  return answer !== undefined
}
