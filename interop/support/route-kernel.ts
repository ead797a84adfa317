// SPDX-License-Identifier: Apache-2.0
/** Connects to an address of this machine, has a word come back, and prints whether the kernel below sends by a model: `true` or `false`. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { SystemKernel } from '../../lib/conn/system-kernel.js'

const [address = '127.0.0.1'] = process.argv.slice(2)
const server = createServer((stream) => stream.pipe(stream)).listen(0, address)
await once(server, 'listening')
const near = connect((server.address() as AddressInfo).port, address)
near.write('hello')
await once(near, 'data')
console.log(new SystemKernel(near).isModelBased())
near.destroy()
server.close()
