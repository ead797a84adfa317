// SPDX-License-Identifier: Apache-2.0
/**
 * The primary of a cluster, and its workers, which write back what they get. Its parent asks for a `report` of all of
 * them, or names the id of a worker to `kill`.
 */
import cluster from 'node:cluster'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { MultipathListener, relaySubflows } from '../../lib/index.js'
import type { MultipathConn } from '../../lib/index.js'
import type { WorkerReport } from './cluster-drill.js'
import { echo } from './node-side.js'

const WORKERS = 4

/** Of workers that answer; those that are killed do not. */
async function report(): Promise<WorkerReport[]> {
  const workers = Object.values(cluster.workers ?? {}).filter((worker) => worker!.isConnected())
  return Promise.all(
    workers.map((worker) => {
      const answer = new Promise<WorkerReport>((resolve) => {
        const onMessage = (message: WorkerReport | readonly number[]): void => {
          if (!('isReport' in message)) return
          worker!.off('message', onMessage)
          resolve(message)
        }
        worker!.on('message', onMessage)
      })
      worker!.send('report')
      return answer
    }),
  )
}

async function primary(): Promise<void> {
  relaySubflows()
  let ports: number[] = []
  for (let n = 0; n < WORKERS; n++) {
    const worker = cluster.fork()
    const [answer] = (await once(worker, 'message')) as [number[]]
    ports = answer
  }
  process.on('message', (command: 'report' | { kill: number }) => {
    if (command === 'report') void report().then((reports) => process.send!(reports))
    else cluster.workers![command.kill]!.process.kill('SIGKILL')
  })
  process.on('disconnect', () => {
    // A worker that has half a message of ours would never hear that its channel is closed, and live on.
    for (const worker of Object.values(cluster.workers ?? {})) worker!.process.kill('SIGKILL')
    process.exit()
  })
  process.send!(ports)
}

async function worker(): Promise<void> {
  const servers = [createServer(), createServer()]
  const listener = new MultipathListener(servers, [], { cluster: true })
  const conns = new Map<MultipathConn, number>()
  const refused: string[] = []
  listener.on('refused', (error) => refused.push((error as { code?: string }).code ?? error.message))
  // Any port, and the same for each worker.
  for (const server of servers) server.listen(0, '127.0.0.1')
  await Promise.all(servers.map((server) => once(server, 'listening')))
  process.on('message', (message) => {
    if (message !== 'report') return
    const answer: WorkerReport = {
      isReport: true,
      id: cluster.worker!.id,
      refused,
      conns: [...conns].map(([conn, bytes]) => ({
        name: conn.name,
        bytes,
        labels: conn.subflows().map(({ label }) => label),
      })),
    }
    process.send!(answer)
  })
  process.send!(servers.map((server) => (server.address() as AddressInfo).port))
  for await (const conn of listener) {
    conns.set(conn, 0)
    conn.on('data', (chunk: Buffer) => conns.set(conn, conns.get(conn)! + chunk.length))
    conn.once('close', () => conns.delete(conn))
    echo(conn)
  }
}

await (cluster.isPrimary ? primary() : worker())
