// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { MultipathListener } from '../../lib/index.js'
import { descriptorLimit, DescriptorReserve, descriptorShare } from '../../lib/listen/descriptors.js'
import { boundBySockets, LISTENER_TABLE, resolveListenerOptions } from '../../lib/listen/options.js'
import { ManualClock } from '../../lib/testing/index.js'
import { client, listening } from '../support/tcp.js'
import { until } from '../support/turns.js'

const LIMITS = `Limit                     Soft Limit           Hard Limit           Units     
Max processes             96161                96161                processes 
Max open files            1024                 524288               files     
Max locked memory         8388608              8388608              bytes     
`

describe('the descriptors of this process', () => {
  it('are as many as the system says, where it can be asked', () => {
    expect(descriptorLimit(() => LIMITS)).toBe(1024)
    expect(descriptorLimit(() => LIMITS.replace('1024  ', 'unlimited'))).toBe(Infinity)
    expect(descriptorLimit(() => 'Max open files')).toBeUndefined()
    const missing = (): never => {
      throw new Error('ENOENT')
    }
    expect(descriptorLimit(missing)).toBeUndefined()
    const one = (): string => LIMITS.replace('1024', '1')
    const shares = [
      descriptorShare(0.75, () => LIMITS),
      descriptorShare(0.5, one),
      descriptorShare(0.5, missing),
    ]
    expect(shares).toEqual([768, 1, Infinity])
  })

  it.skipIf(!existsSync('/proc/self/limits'))('bound the limits that nobody has set', async () => {
    const program = `
      import { resolveListenerOptions } from './lib/listen/options.js'
      const names = ['maxSockets', 'maxConnections', 'maxPendingHandshakes', 'maxPendingTlsHandshakes']
      const of = (options) => { const all = resolveListenerOptions(options); return names.map((name) => all[name]) }
      console.log(JSON.stringify([of(), of({ maxSockets: 60, maxPendingHandshakes: 50 })]))`
    const { stdout } = await promisify(execFile)('bash', [
      '-c',
      `ulimit -n 512; exec "$0" --import tsx --input-type=module --eval "$1"`,
      process.execPath,
      program,
    ])
    expect(JSON.parse(stdout)).toEqual([
      [384, 384, 128, 64],
      [60, 60, 50, 10],
    ])
  })

  it('are low where the next one has a high number, or none is left', () => {
    let next = 959
    const reserve = new DescriptorReserve(1024, () => next)
    expect([reserve.limit, reserve.isTouched]).toEqual([960, false])
    for (next of [960, Infinity]) expect(reserve.isTouched).toBe(true)
    next = Infinity
    expect(new DescriptorReserve(Infinity, () => next).isTouched).toBe(false)
  })

  it('leave the limits as they are where there are plenty', () => {
    const defaults = resolveListenerOptions({ maxSockets: Infinity })
    for (const [name, { default: value }] of Object.entries(LISTENER_TABLE))
      expect([name, defaults[name as keyof typeof defaults]]).toEqual([name, value])
    expect(boundBySockets(1)).toEqual({
      maxConnections: 1,
      maxPendingHandshakes: 1,
      maxPendingTlsHandshakes: 1,
    })
  })
})

describe('a listener with as many sockets as it may have', () => {
  it('closes further ones unread, serves those it has, and says so once a minute', async () => {
    const server = await listening()
    const clock = new ManualClock()
    const listener = new MultipathListener([server], [], {
      clock,
      maxSockets: 2,
      maxPendingHandshakes: 2,
      handshakeTimeoutMs: 600_000,
    })
    onTestFinished(() => listener.close())
    const told: number[] = []
    listener.on('full', (sockets) => told.push(sockets))
    const [friend, second] = [await client(server), await client(server)]
    await until(() => listener.pendingHandshakes === 2)
    const dropped = async (): Promise<void> => {
      const socket = await client(server)
      await new Promise((resolve) => socket.once('close', resolve).resume())
    }
    for (let n = 0; n < 3; n++) await dropped()
    expect([told, listener.pendingHandshakes]).toEqual([[2], 2])
    clock.advance(60_000)
    await dropped()
    expect(told).toEqual([2, 2])
    second.destroy()
    await until(() => listener.pendingHandshakes === 1)
    friend.write(Buffer.concat([Buffer.alloc(17), Buffer.of(0, 1)])) // A hello, and the pong of every dialer.
    ;(await listener.accept()).destroy()
  })

  it('shares them among its servers, and leaves alone what a program has set itself', async () => {
    const servers = [createServer(), createServer(), createServer()]
    servers[0]!.maxConnections = 7
    const listener = new MultipathListener(servers, [], { maxSockets: 30 })
    expect(servers.map(({ maxConnections }) => maxConnections)).toEqual([7, 10, 10])
    await listener.close()
    const unbound = createServer()
    await new MultipathListener([unbound], [], { maxSockets: Infinity }).close()
    expect(unbound.maxConnections).toBeUndefined()
  })
})

describe.skipIf(!existsSync('/proc/self/limits'))('a listener whose process has few descriptors left', () => {
  /** Takes all but a few, has 20 sockets come, gives them back, has one come. @returns what it saw */
  const PROGRAM = `
    import { closeSync, openSync } from 'node:fs'
    import { once } from 'node:events'
    import { connect, createServer } from 'node:net'
    import { createServer as createTlsServer } from 'node:tls'
    import { MultipathListener, webSocketServer } from './lib/index.js'
    const server = KINDS
    if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening')
    const listener = new MultipathListener([server])
    const told = []
    listener.on('full', (...args) => told.push(args))
    const own = []
    const open = (upTo) => { while (own.at(-1) === undefined || own.at(-1) < upTo) own.push(openSync('/dev/null', 'r')) }
    const come = async () => {
      const socket = connect(server.address().port, '127.0.0.1').on('error', () => {})
      await once(socket, 'connect')
      const closed = await Promise.race([once(socket.resume(), 'close').then(() => true), seen()])
      socket.destroy()
      return closed
    }
    const seen = async () => { while (listener.pendingHandshakes === 0) await new Promise(setImmediate); return false }
    open(239)
    const scarce = []
    for (let n = 0; n < 5; n++) scarce.push(await come())
    for (const fd of own.splice(0)) closeSync(fd)
    const plenty = await come()
    console.log(JSON.stringify({ scarce, plenty, told }))
    process.exit()`

  it.each([
    ['TCP', 'createServer()'],
    ['TLS', 'createTlsServer()'],
    ['WebSockets', `await webSocketServer({ port: 0, host: '127.0.0.1' })`],
  ])('closes sockets of %s unread, says so once, and takes them again', async (_what, kind) => {
    const { stdout } = await promisify(execFile)('bash', [
      '-c',
      `ulimit -n 256; exec "$0" --import tsx --input-type=module --eval "$1"`,
      process.execPath,
      PROGRAM.replace('KINDS', kind),
    ])
    expect(JSON.parse(stdout)).toEqual({
      scarce: [true, true, true, true, true],
      plenty: false,
      told: [[240, 'descriptors']],
    })
  })
})
