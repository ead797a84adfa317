// SPDX-License-Identifier: Apache-2.0
/** `npm run fleet -- --connections 300`, or with `--cluster`: the drills of the specs at the size asked for. */
import { parseArgs } from 'node:util'
import { goVersion } from './support/build-peer.js'
import { Cluster, drillCluster } from './support/cluster-drill.js'
import { Drill } from './support/fleet-drill.js'
import { Fleet } from './support/fleet.js'
import { GoPeer } from './support/go-peer.js'

const { values } = parseArgs({
  options: { connections: { type: 'string', default: '300' }, cluster: { type: 'boolean', default: false } },
})
const connections = Number(values.connections)

async function runFleet(): Promise<unknown> {
  await using fleet = await Fleet.start()
  await using go = goVersion() === undefined ? undefined : await GoPeer.start()
  return await new Drill(fleet, go).run(connections)
}

async function runCluster(): Promise<unknown> {
  await using cluster = await Cluster.start()
  return await drillCluster(cluster, connections)
}

console.log(await (values.cluster ? runCluster() : runFleet()))
