// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { expect, it } from 'vitest'
import { SubflowIo } from '../../lib/conn/subflow-io.js'

it('closes a socket whose end is on its way without a reset, which would fail and leak it', async () => {
  const server = createServer({ allowHalfOpen: true }, (peer) => peer.on('error', () => {})).listen(0)
  await once(server, 'listening')
  const socket = connect((server.address() as AddressInfo).port)
  await once(socket, 'connect')
  const errors: unknown[] = []
  const io = new SubflowIo(socket, { onBytes: ({ length }) => length, onDrain: () => {}, onClosed: () => {} })
  socket.on('error', (error) => errors.push(error))
  socket.write('the last words')
  socket.end()
  io.destroy()
  await once(socket, 'close')
  await new Promise(setImmediate)
  expect(errors).toEqual([])
  server.close()
})
