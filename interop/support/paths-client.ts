// SPDX-License-Identifier: Apache-2.0
/**
 * Sends its standard input to the place that its arguments name, over the paths that `interfacePaths` finds, each in turn.
 * Prints a line for each event of a path. Exits with 0 when everything is acked.
 */
import { pipeline } from 'node:stream/promises'
import { interfacePaths, MultipathDialer } from '../../lib/index.js'

const [host, port] = process.argv.slice(2)
const source = interfacePaths({ host: host!, port: Number(port) })
source.watch({
  add: (path) => console.log(`add ${path.label}`),
  remove: (label) => console.log(`remove ${label}`),
  failed: ({ message }) => console.log(`failed ${message}`),
})
// The server has nothing to say and ends at once, which is not the end of ours.
const dialer = new MultipathDialer('the server', source, { scheduler: 'round-robin', allowHalfOpen: true })
dialer.on('subflow-open', ({ label }) => console.log(`open ${label}`))
dialer.on('subflow-close', ({ label, reason }) => console.log(`close ${label}: ${reason}`))
dialer.on('path-failure', ({ label, error }) => console.log(`failure ${label}: ${error.message}`))
const conn = await dialer.dial()
await pipeline(process.stdin, conn, { end: false })
await conn.flushed()
conn.destroySoon()
