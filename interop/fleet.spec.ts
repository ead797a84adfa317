/** Three listeners behind two HAProxies with the configuration of deploy/haproxy/. */
import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { goVersion } from './support/build-peer.js'
import { Drill } from './support/fleet-drill.js'
import { Fleet, whyNoFleet } from './support/fleet.js'
import { GoPeer } from './support/go-peer.js'

const why = whyNoFleet()
const CONNECTIONS = 30

describe.skipIf(why !== undefined)(`a fleet${why ? ` (skipped: ${why})` : ''}`, () => {
  it('has a configuration that HAProxy takes without a warning', () => {
    const args = ['-c', '-f', 'deploy/haproxy/haproxy.cfg', '-L', 'balancer1']
    const { status, stdout, stderr } = spawnSync('haproxy', args, { encoding: 'utf8', timeout: 30_000 })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toContain('valid')
  })

  it('keeps the subflows of a connection together, and loses what was on a dead backend alone', async () => {
    await using fleet = await Fleet.start()
    await using go = goVersion() === undefined ? undefined : await GoPeer.start()
    const report = await new Drill(fleet, go).run(CONNECTIONS)
    console.info(report)
    expect(report.lost).toBeLessThan(CONNECTIONS)
  }, 400_000)
})
