// SPDX-License-Identifier: Apache-2.0
import type { Server } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { MultipathDialer } from '../../lib/index.js'
import type { DialerOptions, MultipathConn } from '../../lib/index.js'
import { ManualClock } from '../../lib/testing/manual-clock.js'
import { GoLikeSubflow } from '../support/go-like.js'
import { memoryPaths } from '../support/memory-path.js'
import type { MemoryPath, MemoryStream } from '../support/memory-path.js'
import { meeting, readBytes, upCount } from '../support/pair.js'
import { pass, passUntil } from '../support/pass.js'

const CID = 'ab'.repeat(16)
/** Go's ack of the first data frame. */
const ACK_OF_FIRST = Buffer.from([0, 10])

function labels(conn: MultipathConn): string[] {
  return conn.subflows().map(({ label, state }) => `${label} ${state}`)
}

/** Streams of `path` that live. */
const liveOf = (path: MemoryPath): number => path.live.length

describe('a suspect subflow of a peer of ours', () => {
  async function suspectPair(clock: ManualClock, dialerOptions: DialerOptions = {}, count = 1) {
    const options = { clock, keepAliveMs: 200, ...dialerOptions }
    const { dialer, listener, paths } = meeting({ paths: count, dialer: options, listener: { clock } })
    const [near, far] = await passUntil(clock, Promise.all([dialer.dial(), listener.accept()]))
    onTestFinished(() => {
      near.on('error', () => {}).destroy()
      far.on('error', () => {}).destroy()
    })
    await pass(clock, 100)
    return { near, far, listener, path: paths[0]! }
  }

  it('is replaced by a standby subflow on the same path, which carries on', async () => {
    const clock = new ManualClock()
    const { near, far, path } = await suspectPair(clock)
    const frozen = path.last
    frozen.freeze()
    near.write('carried on')
    const closed = new Promise((resolve) => near.once('subflow-close', resolve))
    await pass(clock, 1500)
    expect(await closed).toMatchObject({ label: 'path 0', reason: 'replaced', from: 'suspect' })
    expect(frozen.destroyed).toBe(true)
    expect(labels(near)).toEqual(['path 0 up'])
    expect(String(await passUntil(clock, readBytes(far, 10)))).toBe('carried on')
    expect(liveOf(path)).toBe(1)
  })

  it('is dialled beside again and again while the path takes no streams', async () => {
    const clock = new ManualClock()
    const { near, path } = await suspectPair(clock)
    path.mode = 'hang'
    path.last.freeze()
    near.write('x')
    await pass(clock, 3000)
    expect(path.dials).toBeGreaterThan(4)
    expect(path.aborts).toBeGreaterThanOrEqual(path.dials - 2)
    expect(labels(near)).toEqual(['path 0 suspect'])
  })

  it('that recovers needs no standby subflow: none is left, and none is dialled any more', async () => {
    const clock = new ManualClock()
    const { near, far, path } = await suspectPair(clock)
    path.mode = 'hang'
    path.last.freeze()
    near.write('recovered')
    await pass(clock, 1000)
    path.last.thaw()
    await pass(clock, 100)
    path.mode = 'open'
    const { dials } = path
    await pass(clock, 3000)
    expect(path.dials).toBe(dials)
    expect(labels(near)).toEqual(['path 0 up'])
    expect(String(await readBytes(far, 9))).toBe('recovered')
  })

  it('that dies while its standby says hello leaves the path to the standby', async () => {
    const clock = new ManualClock()
    const { near, listener, path } = await suspectPair(clock, { deadMs: 2500 }, 2)
    path.mode = 'mute'
    const frozen = path.last
    frozen.freeze()
    await pass(clock, 2000)
    expect(path.dials).toBe(2)
    expect(labels(near).sort()).toEqual(['path 0 suspect', 'path 1 up'])
    await pass(clock, 2000)
    expect(frozen.destroyed).toBe(true)
    expect(labels(near)).toEqual(['path 1 up'])
    // Only now does the listener get to the standby's hello.
    path.server.emit('connection', path.last.peer)
    await pass(clock, 500)
    expect(labels(near).sort()).toEqual(['path 0 up', 'path 1 up'])
    expect(path.dials).toBe(2)
    expect(listener.connections).toBe(1)
  })
})

/** A dialer and a peer like Go's, which closes nothing by itself. */
async function goLike(clock: ManualClock, count: number, options: DialerOptions = {}) {
  const paths = memoryPaths(count)
  const subflows: GoLikeSubflow[] = []
  const server: Server = paths[0]!.server
  server.on('connection', (stream: unknown) => subflows.push(new GoLikeSubflow(stream as MemoryStream, CID)))
  const dialer = new MultipathDialer('go', paths, { clock, ...options })
  const conn = await passUntil(clock, dialer.dial())
  onTestFinished(() => {
    conn.on('error', () => {}).destroy()
  })
  await pass(clock, 100)
  return { conn, paths, subflows }
}

describe('towards a peer that knows only what Go knows', () => {
  it('a suspect that recovers and its standby are both kept', async () => {
    const clock = new ManualClock()
    const { conn, paths, subflows } = await goLike(clock, 1, { keepAliveMs: 200 })
    const [path] = paths as [MemoryPath]
    path.last.freeze()
    await pass(clock, 2500)
    expect(labels(conn)).toEqual(['path 0 suspect', 'path 0 up'])
    path.streams[0]!.thaw()
    await pass(clock, 3000)
    expect(labels(conn)).toEqual(['path 0 up', 'path 0 up'])
    expect(subflows.map(({ cid }) => cid)).toEqual(['00'.repeat(16), CID])
    expect(path.dials).toBe(2)
  })

  it('a standby subflow that has said hello is not given up when the suspect recovers', async () => {
    const clock = new ManualClock()
    const { conn, paths, subflows } = await goLike(clock, 1, { keepAliveMs: 200 })
    const [path] = paths as [MemoryPath]
    path.mode = 'mute'
    path.last.freeze()
    await pass(clock, 2500)
    expect(path.dials).toBe(2)
    path.streams[0]!.thaw()
    await pass(clock, 1000)
    expect(labels(conn)).toEqual(['path 0 up'])
    expect(path.last.destroyed).toBe(false)
    subflows.push(new GoLikeSubflow(path.last.peer, CID))
    await pass(clock, 1000)
    expect(liveOf(path)).toBe(2)
  })

  it('nobody joins while the peer may be closing its subflows one by one', async () => {
    const clock = new ManualClock()
    const { conn, paths, subflows } = await goLike(clock, 6)
    const closed = new Promise((resolve) => conn.once('close', resolve))
    conn.resume()
    for (const subflow of subflows) {
      subflow.close()
      await pass(clock, 1000)
    }
    await closed
    expect(paths.map(({ dials }) => dials)).toEqual(Array<number>(6).fill(1))
    expect(conn.errored).toBeNull()
  })

  it('a path that alone was closed in order is dialled again after a while', async () => {
    const clock = new ManualClock()
    const { conn, paths, subflows } = await goLike(clock, 2)
    subflows[1]!.close()
    await pass(clock, 1100)
    expect(paths.map(({ dials }) => dials)).toEqual([1, 1])
    await pass(clock, 500)
    expect(paths.map(({ dials }) => dials)).toEqual([1, 2])
    expect(upCount(conn)).toBe(2)
  })

  it('a path that fails meanwhile waits, too, and one whose stream opened just then is not used', async () => {
    const clock = new ManualClock()
    const { conn, paths, subflows } = await goLike(clock, 3, { redialMinMs: 1 })
    subflows[1]!.close()
    paths[2]!.last.cut()
    await pass(clock, 1000)
    expect(paths.map(({ dials }) => dials)).toEqual([1, 1, 1])
    await pass(clock, 1000)
    expect(upCount(conn)).toBe(3)
  })

  it('subflows that joined while it closed are closed, too, when it has', async () => {
    const clock = new ManualClock()
    const { conn, subflows } = await goLike(clock, 3)
    const closed = new Promise((resolve) => conn.once('close', resolve))
    conn.resume()
    subflows[0]!.close()
    await pass(clock, 1100)
    expect(upCount(conn)).toBe(2)
    await pass(clock, 200)
    await closed
    expect(conn.errored).toBeNull()
  })

  it('a subflow that ends amid its acks, right after the dial, costs the connection nothing', async () => {
    const clock = new ManualClock()
    const { conn, paths, subflows } = await goLike(clock, 3)
    conn.write('upload')
    await pass(clock, 10)
    subflows[0]!.stream.write(ACK_OF_FIRST)
    await pass(clock, 5)
    subflows[0]!.close()
    await pass(clock, 1000)
    expect(upCount(conn)).toBe(2)
    expect(paths[0]!.dials).toBe(1)
    await pass(clock, 1000)
    expect(upCount(conn)).toBe(3)
  })

  it('subflows that bring data after another was closed are alive', async () => {
    const clock = new ManualClock()
    const { conn, subflows } = await goLike(clock, 3)
    subflows[0]!.close()
    await pass(clock, 500)
    subflows[1]!.stream.write(Buffer.from([1, 10, 0x41]))
    await pass(clock, 1500)
    expect(upCount(conn)).toBe(3)
    expect(String(conn.read() as Buffer)).toBe('A')
  })

  it('subflows that had long joined when another was closed are alive', async () => {
    const clock = new ManualClock()
    const { conn, subflows } = await goLike(clock, 3)
    await pass(clock, 1500)
    subflows[0]!.close()
    await pass(clock, 1600)
    expect(upCount(conn)).toBe(3)
  })
})

describe('a path that is always to have several subflows', () => {
  it('has a lost one replaced, though others live', async () => {
    const clock = new ManualClock()
    const { dialer, listener, paths } = meeting({ dialer: { clock }, listener: { clock } })
    const [near, far] = await passUntil(clock, Promise.all([dialer.dial(), listener.accept()]))
    onTestFinished(() => {
      near.on('error', () => {}).destroy()
      far.on('error', () => {}).destroy()
    })
    near.setPathPolicy('path 0', { parallel: 3 })
    await pass(clock, 1000)
    expect(upCount(near)).toBe(3)
    paths[0]!.live[1]!.destroy(new Error('reset'))
    await pass(clock, 10)
    expect(upCount(near)).toBe(2)
    await pass(clock, 5000)
    expect(upCount(near)).toBe(3)
  })
})
