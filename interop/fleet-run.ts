// SPDX-License-Identifier: Apache-2.0
/**
 * `npm run fleet -- --connections 300`, or with `--cluster`: the drills of the specs at the size asked for; with `--rejoin 100`,
 * that of the spec in which all paths are gone, for so many seconds.
 */
import { parseArgs } from 'node:util'
import { goVersion } from './support/build-peer.js'
import { Cluster, drillCluster, drillClusterRejoins } from './support/cluster-drill.js'
import { Drill, drillRejoins } from './support/fleet-drill.js'
import { Fleet } from './support/fleet.js'
import { GoPeer } from './support/go-peer.js'

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '300' },
    cluster: { type: 'boolean', default: false },
    rejoin: { type: 'string' },
  },
})
const connections = Number(values.connections)
/** Undefined for the other drill. */
const outageSeconds = values.rejoin === undefined ? undefined : Number(values.rejoin)

async function runFleet(): Promise<unknown> {
  await using fleet = await Fleet.start()
  if (outageSeconds !== undefined) {
    await drillRejoins(fleet, connections, outageSeconds)
    return { connections, outageSeconds }
  }
  await using go = goVersion() === undefined ? undefined : await GoPeer.start()
  return await new Drill(fleet, go).run(connections)
}

async function runCluster(): Promise<unknown> {
  await using cluster = await Cluster.start()
  if (outageSeconds === undefined) return await drillCluster(cluster, connections)
  await drillClusterRejoins(cluster, connections, outageSeconds)
  return { connections, outageSeconds }
}

console.log(await (values.cluster ? runCluster() : runFleet()))
