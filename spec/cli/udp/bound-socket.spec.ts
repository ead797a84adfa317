// SPDX-License-Identifier: Apache-2.0
import type { Socket } from 'node:dgram'
import { EventEmitter } from 'node:events'
import { describe, expect, it, vi } from 'vitest'
import { onPacket, sendPacket } from '../../../lib/cli/udp/bound-socket.js'

describe('a UDP socket', () => {
  it('sends no more while a mebibyte waits in the process', () => {
    const send = vi.fn()
    let queued = 1_048_576
    const socket = { send, getSendQueueSize: () => queued } as Partial<Socket> as Socket
    sendPacket(socket, Buffer.from('a'))
    queued++
    sendPacket(socket, Buffer.from('b'), { address: '127.0.0.1', port: 7 })
    queued = 0
    sendPacket(socket, Buffer.from('c'), { address: '127.0.0.1', port: 7 })
    expect(send.mock.calls.map(([packet]) => String(packet))).toEqual(['a', 'c'])
  })

  it('does not hear a packet from port 0, which cannot be answered', () => {
    const socket = new EventEmitter()
    const heard: number[] = []
    onPacket(socket as unknown as Socket, (_, { port }) => heard.push(port))
    for (const port of [1, 0, 65_535])
      socket.emit('message', Buffer.from('x'), { address: '127.0.0.1', port })
    expect(heard).toEqual([1, 65_535])
  })
})
