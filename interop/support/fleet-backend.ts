// SPDX-License-Identifier: Apache-2.0
/** A listener behind balancers, in a process of its own: writes back what it gets, and tells its parent what it has. */
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { MultipathListener } from '../../lib/index.js'
import type { BackendReport } from './fleet.js'
import { echo } from './node-side.js'

const server = createServer()
const options = { trustedProxies: ['127.0.0.1'], missingMs: 15_000 }
const listener = new MultipathListener([server], [], options)
const conns = new Set<Awaited<ReturnType<typeof listener.accept>>>()
const refused: string[] = []
listener.on('refused', (error) => refused.push((error as { code?: string }).code ?? error.message))
process.on('message', () => {
  const report: BackendReport = {
    refused,
    conns: [...conns].map((conn) => ({
      name: conn.name,
      labels: conn.subflows().map(({ label }) => label),
    })),
  }
  process.send?.(report)
})
process.on('disconnect', () => process.exit())
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
for await (const conn of listener) {
  conns.add(conn)
  conn.once('close', () => conns.delete(conn))
  echo(conn)
}
