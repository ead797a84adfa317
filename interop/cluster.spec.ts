// SPDX-License-Identifier: Apache-2.0
/** Four workers of node:cluster, whose subflows come to whichever of them. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { encodeDataHeader } from '../lib/wire/frame.js'
import { Cluster, drillCluster, drillClusterRejoins } from './support/cluster-drill.js'

const CONNECTIONS = 100
const REJOINING = 20
const OUTAGE_S = 4
const FRAMES = 300
const PAYLOAD = Buffer.alloc(1000)
const FIRST_FRAME = 10

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {}).setNoDelay(true)
  await once(socket, 'connect')
  return socket
}

describe('a cluster', () => {
  it('keeps the subflows of a connection together, and loses what was on a dead worker alone', async () => {
    await using cluster = await Cluster.start()
    const { lost } = await drillCluster(cluster, CONNECTIONS)
    expect(lost).toBeGreaterThan(0)
    expect(lost).toBeLessThan(CONNECTIONS)
  }, 300_000)

  it('has each connection go on at its worker after all paths were gone, refused or silent', async () => {
    await using cluster = await Cluster.start()
    await drillClusterRejoins(cluster, REJOINING, OUTAGE_S)
  }, 300_000)

  it('has an address pay for CIDs of other workers, or of none, where its sockets come in', async () => {
    await using cluster = await Cluster.start()
    const unknown = (): Promise<unknown> =>
      new Promise((resolve) => {
        const socket = connect(cluster.ports[0]!, '127.0.0.1')
        socket.on('error', () => {}).once('close', resolve)
        socket.resume().write(Buffer.concat([Buffer.alloc(1), randomBytes(16)]))
      })
    // Four workers with 256 at once each, and a handful a second.
    for (let n = 0; n < 150; n++) await Promise.all(Array.from({ length: 10 }, unknown))
    await cluster.until('an address is shut out', (reports) =>
      reports.some(({ refused }) => refused.includes('ERR_MULTIPATH_LIMIT')),
    )
  }, 120_000)

  it('loses no byte that comes while a subflow is handed over', async () => {
    await using cluster = await Cluster.start()
    const sockets: Socket[] = []
    const rounds = 12
    for (let n = 0; n < rounds; n++) {
      const first = await open(cluster.ports[0]!)
      first.write(Buffer.alloc(17))
      const [hello] = (await once(first, 'data')) as [Buffer]
      // The whole of the data comes behind the hello of a join, without waiting for its answer, and never again.
      // The workers take turns on a port, so it is the next one that gets it.
      const join = await open(cluster.ports[0]!)
      join.resume().write(hello.subarray(0, 17))
      for (let fn = FIRST_FRAME; fn < FIRST_FRAME + FRAMES; fn++) {
        join.write(Buffer.concat([encodeDataHeader(PAYLOAD.length, fn), PAYLOAD]))
        if (fn % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      sockets.push(first, join)
    }
    const reports = await cluster.until('every byte', (all) => {
      const conns = all.flatMap((report) => report.conns)
      return conns.filter(({ bytes }) => bytes === FRAMES * PAYLOAD.length).length === rounds
    })
    expect(reports.flatMap(({ refused }) => refused)).toEqual([])
    for (const socket of sockets) socket.destroy()
  })

  it('closes a subflow of a worker that is no more', async () => {
    await using cluster = await Cluster.start()
    const join = await open(cluster.ports[0]!)
    join.resume().write(Buffer.concat([Buffer.of(0), Buffer.alloc(14, 7), Buffer.of(255, 255)]))
    await new Promise((resolve) => join.once('close', resolve))
    await cluster.until('the end of all connections', (all) => all.every(({ conns }) => conns.length === 0))
  })
})
