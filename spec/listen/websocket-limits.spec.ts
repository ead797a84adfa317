// SPDX-License-Identifier: Apache-2.0
/** Limits of a listener on a `webSocketServer` with a port of its own, before there is a WebSocket. */
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { BlockList, connect } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { ListenerOptions } from '../../lib/index.js'
import { MultipathDialer, MultipathListener, webSocketDialer, webSocketServer } from '../../lib/index.js'
import { ManualClock } from '../../lib/testing/manual-clock.js'
import { heardUntilClose } from '../support/tcp.js'
import { until } from '../support/turns.js'

async function scene(options: ListenerOptions) {
  const acceptor = await webSocketServer({ port: 0, host: '127.0.0.1' })
  const listener = new MultipathListener([acceptor], [], options)
  onTestFinished(() => listener.close())
  const { port } = acceptor.address() as AddressInfo
  const refused: unknown[] = []
  listener.on('refused', (error) => refused.push((error as { code?: unknown }).code))
  /** A socket that asks for nothing, once the listener has seen it. */
  const silent = async (localAddress: string): Promise<Socket> => {
    const seen = listener.pendingHandshakes + refused.length
    const socket = connect({ port, host: '127.0.0.1', localAddress })
    onTestFinished(() => void socket.on('error', () => {}).destroy())
    void heardUntilClose(socket)
    await until(() => listener.pendingHandshakes + refused.length > seen)
    return socket
  }
  const dialer = new MultipathDialer('x', [webSocketDialer({ url: `ws://127.0.0.1:${port}` })])
  return { listener, refused, silent, dialer }
}

describe('a socket that has not asked for a WebSocket', () => {
  it('has handshakeTimeoutMs, and no more', async () => {
    const clock = new ManualClock()
    const { listener, refused, silent } = await scene({ clock })
    const socket = await silent('127.0.0.1')
    clock.advance(9999)
    expect(refused).toEqual([])
    clock.advance(1)
    await once(socket, 'close')
    expect([refused, listener.pendingHandshakes]).toEqual([['ERR_MULTIPATH_HANDSHAKE_TIMEOUT'], 0])
  })

  it('counts as a handshake: beyond the limit, the oldest makes room', async () => {
    const { listener, refused, silent, dialer } = await scene({ maxPendingHandshakes: 4 })
    const other = await silent('127.0.0.2')
    const strangers: Socket[] = []
    for (let n = 0; n < 5; n++) strangers.push(await silent('127.0.0.3'))
    await until(() => strangers[0]!.destroyed && strangers[1]!.destroyed)
    expect(refused).toEqual(['ERR_MULTIPATH_LIMIT', 'ERR_MULTIPATH_LIMIT'])
    expect([other, ...strangers.slice(2)].map(({ destroyed }) => destroyed)).toEqual([
      false,
      false,
      false,
      false,
    ])
    const [near, far] = await Promise.all([dialer.dial(), listener.accept()])
    expect(other.destroyed).toBe(false)
    near.destroy()
    far.destroy()
  })

  it('counts no longer once it is a WebSocket', async () => {
    const { listener, dialer } = await scene({})
    const [near, far] = await Promise.all([dialer.dial(), listener.accept()])
    expect(listener.pendingHandshakes).toBe(0)
    near.destroy()
    far.destroy()
  })

  it('is closed unread when its address is on the block list', async () => {
    const blockList = new BlockList()
    blockList.addAddress('127.0.0.3')
    const { refused, silent } = await scene({ blockList })
    await once(await silent('127.0.0.3'), 'close')
    expect(refused).toEqual(['ERR_MULTIPATH_REFUSED'])
  })
})
