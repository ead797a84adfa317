// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { NullTracker, tcpDialer } from '../../lib/index.js'
import { listening, portOf } from '../support/tcp.js'

const OPTION = expect.objectContaining({ multipathCode: 'ERR_MULTIPATH_OPTION' }) as Error
const free = (): { signal: AbortSignal } => ({ signal: new AbortController().signal })

describe('a TCP path', () => {
  it.each([
    [{ port: 1 }, 'localhost:1'],
    [{ port: 80, host: 'example.org' }, 'example.org:80'],
    [{ port: 80, host: '2001:db8::1' }, '[2001:db8::1]:80'],
    [{ port: 80, host: 'example.org', localAddress: '192.0.2.7' }, '192.0.2.7|example.org:80'],
    [{ port: 80, label: 'uplink' }, 'uplink'],
  ])('to %j has the label %s', (options, label) => {
    expect(tcpDialer(options).label).toBe(label)
  })

  it('keeps its tracker and leaves the options as they are', () => {
    const tracker = new NullTracker()
    const options = Object.freeze({ port: 1, tracker, label: 'x' })
    expect(tcpDialer(options).tracker).toBe(tracker)
    expect(options).toEqual({ port: 1, tracker, label: 'x' })
  })

  it.each([
    [{ port: -1 }],
    [{ port: 65_536 }],
    [{ port: 'http' }],
    [{}],
    [{ port: 1, label: 5 }],
    [{ port: 1, host: 5 }],
    [{ port: 1, localAddress: {} }],
  ])('with %j is refused', (options) => {
    expect(() => tcpDialer(options as never)).toThrow(OPTION)
  })

  it('opens a socket, from the local address that is asked for', async () => {
    const server = await listening()
    const accepted = once(server, 'connection') as Promise<[Socket]>
    const dialer = tcpDialer({ host: '127.0.0.1', port: portOf(server), localAddress: '127.0.0.1' })
    const socket: Duplex = await dialer.dial(free())
    expect(socket).toHaveProperty('localAddress', '127.0.0.1')
    socket.end('hello')
    const [far] = await accepted
    expect(String((await once(far, 'data'))[0])).toBe('hello')
  })

  it('rejects with what the system says', async () => {
    const server = await listening(createServer())
    const port = portOf(server)
    server.close()
    await once(server, 'close')
    await expect(tcpDialer({ host: '127.0.0.1', port }).dial(free())).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    })
    const nowhere = tcpDialer({ host: '127.0.0.1', port, localAddress: '192.0.2.1' })
    await expect(nowhere.dial(free())).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' })
  })

  it('refuses a local address that is not one', () => {
    const options = { host: '127.0.0.1', port: 1, localAddress: 'nowhere' }
    expect(() => tcpDialer(options)).toThrow('localAddress must be an IP address, got nowhere')
  })

  it('rejects with the reason of its signal, before it opens and while', async () => {
    const server = await listening()
    const dialer = tcpDialer({ host: '127.0.0.1', port: portOf(server) })
    const reason = new Error('enough')
    await expect(dialer.dial({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const limit = new AbortController()
    const opening = dialer.dial({ signal: limit.signal })
    limit.abort(reason)
    await expect(opening).rejects.toBe(reason)
  })

  it('leaves the stream to its caller once it is open: a later abort closes nothing', async () => {
    const server = await listening()
    const limit = new AbortController()
    const socket = await tcpDialer({ host: '127.0.0.1', port: portOf(server) }).dial({ signal: limit.signal })
    limit.abort()
    expect(socket.destroyed).toBe(false)
    expect(socket.listenerCount('error')).toBe(0)
    socket.destroy()
  })
})
