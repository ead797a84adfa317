// SPDX-License-Identifier: Apache-2.0
import { Server } from 'node:net'
import type { Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { ListenerOptions, MultipathConn } from '../../lib/index.js'
import { MultipathListener } from '../../lib/index.js'
import { ManualClock } from '../../lib/testing/manual-clock.js'
import { MemoryStream } from '../support/memory-path.js'
import { pass } from '../support/pass.js'
import { quiet } from '../support/turns.js'

const HELLO = Buffer.alloc(17)
const PONG = Buffer.from([0, 1])

function listening(clock: ManualClock, options: ListenerOptions = {}) {
  const server = new Server()
  const listener = new MultipathListener([server], [], { ...options, clock })
  const announced: MultipathConn[] = []
  void (async () => {
    for await (const conn of listener) announced.push(conn.on('error', () => {}))
  })()
  onTestFinished(() => listener.close())
  const come = (...chunks: Buffer[]): MemoryStream => comeFrom(undefined, ...chunks)
  const comeFrom = (remoteAddress: string | undefined, ...chunks: Buffer[]): MemoryStream => {
    const [near, far] = MemoryStream.pair()
    near.on('error', () => {})
    if (remoteAddress !== undefined)
      Object.assign(far, { remoteAddress, remotePort: 1, localAddress: '10.0.0.9', localPort: 2 })
    server.emit('connection', far as unknown as Socket)
    for (const chunk of chunks) near.write(chunk)
    return near
  }
  return { listener, announced, come, comeFrom }
}

/** The CID in the answer that `stream` gets. */
async function cidOf(stream: MemoryStream): Promise<Buffer> {
  const answer = await new Promise<Buffer>((resolve) => stream.once('data', resolve))
  return answer.subarray(1, 17)
}

describe('a connection of which only the hello has come', () => {
  it('is announced with the first bytes behind it: the dialer has heard the answer', async () => {
    const { announced, listener, come } = listening(new ManualClock())
    const stream = come(HELLO)
    await quiet()
    expect([listener.connections, announced.length]).toEqual([1, 0])
    stream.write(PONG)
    await quiet()
    expect(announced).toHaveLength(1)
  })

  it('is announced at once where frames came with the hello', async () => {
    const { announced, come } = listening(new ManualClock())
    come(Buffer.concat([HELLO, Buffer.from([1, 10, 0x41])]))
    await quiet()
    expect(announced).toHaveLength(1)
    expect(String(announced[0]!.read())).toBe('A')
  })

  it('is announced once another stream joins it: its first path may be frozen', async () => {
    const { announced, come } = listening(new ManualClock())
    const first = come(HELLO)
    const cid = await cidOf(first)
    first.freeze()
    come(Buffer.concat([Buffer.from([0]), cid]), PONG)
    await quiet()
    expect(announced).toHaveLength(1)
  })

  it('is never announced where the dialer gives it up', async () => {
    const { announced, listener, come } = listening(new ManualClock())
    come(HELLO).end()
    const cut = come(HELLO)
    await cidOf(cut)
    cut.cut()
    await quiet()
    expect(listener.connections).toBe(0)
    expect(announced).toEqual([])
  })

  it('is never announced where the dialer stays silent, and goes after the dead time', async () => {
    const clock = new ManualClock()
    const { announced, listener, come } = listening(clock)
    come(HELLO).resume()
    await pass(clock, 11_000, 100)
    expect(listener.connections).toBe(0)
    expect(announced).toEqual([])
  })

  it('goes with its listener', async () => {
    const { listener, come } = listening(new ManualClock())
    const stream = come(HELLO).resume()
    await quiet()
    await listener.close()
    await quiet()
    expect(stream.destroyed).toBe(true)
    expect(listener.connections).toBe(0)
  })

  it('makes room where the listener is full: the oldest of the address that has most', async () => {
    const { announced, listener, comeFrom } = listening(new ManualClock(), { maxConnections: 3 })
    const flood = [1, 2].map(() => comeFrom('10.0.0.1', HELLO).resume())
    const silent = comeFrom('10.0.0.2', HELLO).resume()
    await quiet()
    const client = comeFrom('10.0.0.3', HELLO, PONG)
    await quiet()
    expect(announced).toHaveLength(1)
    expect([...flood, silent, client].map(({ destroyed }) => destroyed)).toEqual([true, false, false, false])
    expect(listener.connections).toBe(3)
  })

  it('makes room where as many have said hello as may wait to be accepted', async () => {
    const { announced, listener, comeFrom } = listening(new ManualClock(), { maxBacklog: 2 })
    for (let n = 0; n < 100; n++) comeFrom('10.0.0.1', HELLO).resume()
    await quiet()
    expect(listener.connections).toBe(2)
    comeFrom('10.0.0.3', HELLO, PONG)
    await quiet()
    expect(announced).toHaveLength(1)
  })

  it('costs its address as much as a refused hello where it had to make room', async () => {
    const limits = { maxBacklog: 2, maxRefusalsAtOnce: 4, maxRefusalsPerSecond: 1 }
    const { listener, comeFrom } = listening(new ManualClock(), limits)
    const refused: unknown[] = []
    listener.on('refused', (error) => refused.push(error.message))
    for (let n = 0; n < 20; n++) {
      comeFrom('10.0.0.1', HELLO).resume()
      await quiet()
    }
    expect(new Set(refused)).toEqual(new Set(['too many hellos of 10.0.0.1 were refused']))
    expect(refused.length).toBeGreaterThan(10)
  })

  it('never takes the place of a connection that stands', async () => {
    const { announced, comeFrom } = listening(new ManualClock(), { maxConnections: 2 })
    comeFrom('10.0.0.1', HELLO, PONG)
    comeFrom('10.0.0.1', HELLO, PONG)
    await quiet()
    const late = comeFrom('10.0.0.2', HELLO, PONG).resume()
    await quiet()
    expect(announced.map(({ destroyed }) => destroyed)).toEqual([false, false])
    expect(late.destroyed).toBe(true)
  })
})
