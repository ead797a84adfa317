// SPDX-License-Identifier: Apache-2.0
import type { MultipathConn, SubflowChange } from '../../lib/index.js'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../lib/testing/manual-clock.js'
import { catchUncaught } from '../support/outside.js'
import { pass, passUntil } from '../support/pass.js'
import { connectedPair, meeting, readBytes, upCount } from '../support/pair.js'
import { quiet, until } from '../support/turns.js'

const NAMES = ['subflow-open', 'subflow-suspect', 'subflow-recovered', 'subflow-close'] as const
type Told = [name: string, label: string, reason?: string]

interface Emitter {
  on(name: string, listener: (change: SubflowChange, conn?: MultipathConn) => void): unknown
}

/** All that `emitter` tells of subflows from now on. */
function listenTo(emitter: unknown): Told[] {
  const told: Told[] = []
  for (const name of NAMES)
    (emitter as Emitter).on(name, ({ label, reason }) => {
      told.push(reason === undefined ? [name, label] : [name, label, reason])
    })
  return told
}

describe('events of subflows', () => {
  it('tell on connection and dialer of opening, suspicion, recovery and closing with a reason', async () => {
    const clock = new ManualClock()
    const { dialer, listener, paths } = meeting({
      paths: 2,
      dialer: { clock, keepAliveMs: 200 },
      listener: { clock },
    })
    const onDialer = listenTo(dialer)
    const [near, far] = await passUntil(clock, Promise.all([dialer.dial(), listener.accept()]))
    const onConn = listenTo(near)
    await pass(clock, 100)
    expect(onDialer).toEqual([
      ['subflow-open', 'path 0'],
      ['subflow-open', 'path 1'],
    ])
    paths[1]!.mode = 'hang'
    paths[1]!.last.freeze()
    await pass(clock, 2000)
    expect(onConn.at(-1)).toEqual(['subflow-suspect', 'path 1'])
    paths[1]!.last.thaw()
    await pass(clock, 500)
    expect(onConn.at(-1)).toEqual(['subflow-recovered', 'path 1'])
    paths[1]!.last.cut()
    await pass(clock, 100)
    expect(onConn.at(-1)).toEqual(['subflow-close', 'path 1', 'failed'])
    near.destroy()
    await pass(clock, 100)
    expect(onConn.at(-1)).toEqual(['subflow-close', 'path 0', 'closed'])
    expect(onDialer.slice(2)).toEqual(onConn)
    far.destroy()
  })

  it('tell on the listener, with the connection', async () => {
    const { dialer, listener } = meeting({ paths: 3 })
    const told: [string, MultipathConn][] = []
    for (const name of NAMES) listener.on(name, (_change, conn) => told.push([name, conn]))
    const [near, far] = await Promise.all([dialer.dial(), listener.accept()])
    await until(() => told.length === 3)
    near.destroy()
    await until(() => told.length === 6)
    expect(told.map(([name]) => name)).toEqual([
      ...Array<string>(3).fill('subflow-open'),
      ...Array<string>(3).fill('subflow-close'),
    ])
    for (const [, conn] of told) expect(conn).toBe(far)
    far.destroy()
  })

  it('name the error of a protocol violation, which closes its subflow alone', async () => {
    const { near, far, paths } = await connectedPair({ paths: 2 })
    const closed = new Promise<SubflowChange>((resolve) => near.once('subflow-close', resolve))
    paths[1]!.last.peer.write(Buffer.from('c0ffffffffffffff00', 'hex'))
    expect(await closed).toMatchObject({
      label: 'path 1',
      reason: 'protocol',
      error: { code: 'ERR_MULTIPATH_FRAME' },
    })
    near.write('unhurt')
    expect(String(await readBytes(far, 6))).toBe('unhurt')
    expect(paths[1]!.dials).toBe(1)
  })

  it('say that a silent subflow was closed as dead', async () => {
    const clock = new ManualClock()
    const { dialer, listener, paths } = meeting({ paths: 2, dialer: { clock, deadMs: 2000 } })
    const [near] = await passUntil(clock, Promise.all([dialer.dial(), listener.accept()]))
    await pass(clock, 100)
    const closed = new Promise<SubflowChange>((resolve) => near.once('subflow-close', resolve))
    paths[0]!.mode = 'hang'
    paths[0]!.last.freeze()
    near.write(Buffer.alloc(100))
    await pass(clock, 40_000)
    expect(await closed).toMatchObject({ label: 'path 0', reason: 'silent' })
    near.destroy()
  })
})

describe('code of the application that throws', () => {
  it('surfaces from a listener of a subflow event, and the connection goes on', async () => {
    const caught = catchUncaught()
    const { near, far, paths, dialer, listener } = await connectedPair({
      paths: 2,
      dialer: { redialMinMs: 1 },
    })
    for (const emitter of [dialer, listener, near, far] as Emitter[])
      for (const name of NAMES)
        emitter.on(name, () => {
          throw new Error(`from ${name}`)
        })
    paths[1]!.last.cut()
    await until(() => paths[1]!.dials === 2 && upCount(near) === 2 && upCount(far) === 2)
    near.write('whole')
    expect(String(await readBytes(far, 5))).toBe('whole')
    await quiet()
    expect(caught.exceptions.map(String)).toContain('Error: from subflow-close')
    expect(caught.exceptions.map(String)).toContain('Error: from subflow-open')
    expect(caught.rejections).toEqual([])
  })

  it('surfaces from a listener of path-failure, and the path is tried again', async () => {
    const caught = catchUncaught()
    const { paths, dialer, near } = await connectedPair({ paths: 2, dialer: { redialMinMs: 1 } })
    dialer.on('path-failure', () => {
      throw new Error('from path-failure')
    })
    paths[1]!.mode = 'refuse'
    paths[1]!.last.cut()
    await until(() => caught.exceptions.length > 1)
    paths[1]!.mode = 'open'
    await until(() => upCount(near) === 2)
    expect(caught.rejections).toEqual([])
  })

  it('surfaces from listeners and callbacks of the stream, and not a byte is lost', async () => {
    const caught = catchUncaught()
    const { near, far } = await connectedPair({ paths: 2 })
    const chunks: Buffer[] = []
    far.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      throw new Error('from data')
    })
    near.on('drain', () => {
      throw new Error('from drain')
    })
    const data = Buffer.alloc(3_000_000, 'throwing')
    near.write(data, () => {
      throw new Error('from callback')
    })
    near.write('end')
    await until(() => Buffer.concat(chunks).length === data.length + 3)
    expect(Buffer.concat(chunks).subarray(0, data.length).equals(data)).toBe(true)
    expect(caught.rejections).toEqual([])
    expect(new Set(caught.exceptions.map(String))).toContain('Error: from data')
  })

  it('is kept away from the connection in trackers', async () => {
    const throwing = {
      onRecv: () => {
        throw new Error('from onRecv')
      },
      onSent: () => {
        throw new Error('from onSent')
      },
      onRetransmit: () => {
        throw new Error('from onRetransmit')
      },
      updateRTT: () => {
        throw new Error('from updateRTT')
      },
    }
    const { near, far } = await connectedPair({ tracker: throwing, paths: 2 })
    near.write('to')
    far.write('fro')
    expect(String(await readBytes(far, 2))).toBe('to')
    expect(String(await readBytes(near, 3))).toBe('fro')
  })
})
