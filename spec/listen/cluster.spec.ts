// SPDX-License-Identifier: Apache-2.0
import cluster from 'node:cluster'
import type { Worker } from 'node:cluster'
import { EventEmitter } from 'node:events'
import { createServer, Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MultipathListener, relaySubflows } from '../../lib/index.js'
import type { Handover } from '../../lib/listen/handover.js'

/** A worker that is up and never says that a socket has arrived. */
class SilentWorker extends EventEmitter {
  readonly id = 7
  readonly sent: unknown[] = []

  isConnected(): boolean {
    return true
  }

  send(message: unknown, socket: unknown): boolean {
    return this.sent.push(message, socket) > 0
  }
}

const HANDOVER: Handover = {
  type: 'multipath-net:handover',
  from: 7,
  tag: 7,
  server: 0,
  read: '',
  addresses: { remoteAddress: '192.0.2.7' },
}

describe('the option cluster', () => {
  it('is refused outside of a worker', () => {
    expect(() => new MultipathListener([createServer()], [], { cluster: true })).toThrow(
      /^cluster is for workers/,
    )
  })

  it('is refused with a TLS server, whose sockets stay where they are', () => {
    const listen = (): unknown => new MultipathListener([createTlsServer()], [], { cluster: true })
    expect(listen).toThrow(/^cluster takes no TLS servers/)
  })

  it('is true or false', () => {
    expect(() => new MultipathListener([createServer()], [], { cluster: 1 } as never)).toThrow(
      expect.objectContaining({ code: 'ERR_MULTIPATH_OPTION' }),
    )
  })
})

describe('relaySubflows()', () => {
  const worker = new SilentWorker()
  let stop = (): void => {}
  const arrive = (message: unknown): Socket => {
    const socket = new Socket()
    cluster.emit('message', worker as unknown as Worker, message, socket)
    return socket
  }
  beforeEach(() => {
    worker.sent.length = 0
    cluster.workers!['7'] = worker as unknown as Worker
    stop = relaySubflows({ maxPendingHandovers: 2 })
  })
  afterEach(() => {
    stop()
    delete cluster.workers!['7']
  })

  it('sends a subflow to its worker, no more of them at a time than allowed', () => {
    const sockets = [arrive(HANDOVER), arrive(HANDOVER), arrive(HANDOVER)]
    expect(worker.sent).toEqual([HANDOVER, sockets[0], HANDOVER, sockets[1]])
    expect(sockets.map(({ destroyed }) => destroyed)).toEqual([false, false, true])
  })

  it('closes what waits for a worker that dies', () => {
    const socket = arrive(HANDOVER)
    cluster.emit('exit', worker as unknown as Worker, 1, '')
    expect(socket.destroyed).toBe(true)
  })

  it('returns a subflow of a worker that is not there to the one that got it, no more at a time than allowed', () => {
    const stray = { ...HANDOVER, tag: 8 }
    const sockets = [arrive(stray), arrive(stray), arrive(stray)]
    expect(worker.sent).toEqual([stray, sockets[0], stray, sockets[1]])
    expect(sockets.map(({ destroyed }) => destroyed)).toEqual([false, false, true])
  })

  it('passes on what a worker says of a subflow that it has refused', () => {
    const other = { id: 9 } as unknown as Worker
    const refused = { type: 'multipath-net:refused', to: 7, address: '192.0.2.7' }
    cluster.emit('message', other, refused, undefined as unknown as Socket)
    cluster.emit('message', other, { ...refused, to: 8 }, undefined as unknown as Socket)
    expect(worker.sent).toEqual([refused, expect.any(Function)])
  })

  it('leaves other messages to others, and ends when it is told to', () => {
    expect(arrive({ type: 'something else' }).destroyed).toBe(false)
    stop()
    expect(arrive(HANDOVER).destroyed).toBe(false)
    expect(worker.sent).toEqual([])
  })

  it.each([[{ maxPendingHandovers: 0 }], [{ maxPending: 1 }]])('refuses %o', (options) => {
    expect(() => relaySubflows(options as never)).toThrow(
      expect.objectContaining({ code: 'ERR_MULTIPATH_OPTION' }),
    )
  })
})
