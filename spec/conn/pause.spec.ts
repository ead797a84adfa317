// SPDX-License-Identifier: Apache-2.0
/** Pausing and resuming paths, and changes of policies that other connections of a dialer feel. */
import { describe, expect, it, onTestFinished } from 'vitest'
import type { MultipathConn } from '../../lib/index.js'
import { OptionError } from '../../lib/index.js'
import { ManualClock } from '../../lib/testing/manual-clock.js'
import { connectedPair, readBytes, upCount } from '../support/pair.js'
import { quiet, until } from '../support/turns.js'

function sentOn(conn: MultipathConn): Record<string, number> {
  return Object.fromEntries(conn.subflows().map(({ label, sentBytes }) => [label, sentBytes]))
}

async function carries(near: MultipathConn, far: MultipathConn, bytes: number): Promise<void> {
  const data = Buffer.alloc(bytes, 'pause')
  near.write(data)
  expect((await readBytes(far, bytes)).equals(data)).toBe(true)
  await near.flushed()
}

/** Two connections of one dialer over two paths. */
async function twoConnections(clock?: ManualClock) {
  const options = { ...(clock && { clock }) }
  const one = await connectedPair({ paths: 2, dialer: options, listener: options })
  const [near, far] = await Promise.all([one.dialer.dial(), one.listener.accept()])
  onTestFinished(() => {
    for (const conn of [near, far]) conn.on('error', () => {}).destroy()
  })
  await until(() => upCount(near) === 2 && upCount(far) === 2)
  return { ...one, other: near, otherFar: far }
}

describe('a paused path', () => {
  it('carries no data either way until it is resumed, since the peer is told', async () => {
    const { near, far } = await connectedPair({ paths: 2, listener: { scheduler: 'redundant' } })
    near.pausePath('path 0')
    await carries(near, far, 1000)
    await carries(far, near, 500)
    expect(near.subflows().map(({ label, receivedBytes }) => [label, receivedBytes])).toEqual([
      ['path 0', 0],
      ['path 1', 500],
    ])
    near.resumePath('path 0')
    await carries(near, far, 10)
    await carries(far, near, 500)
    await until(() => near.subflows().every(({ receivedBytes }) => receivedBytes > 0))
  })

  it('sends no data until it is resumed, and still receives from a peer that goes by its own mind', async () => {
    const { near, far } = await connectedPair({
      paths: 2,
      listener: { scheduler: 'redundant', acceptPeerPolicy: false },
    })
    near.pausePath('path 0')
    expect(near.paths().map(({ label, isPaused, state }) => [label, isPaused, state])).toEqual([
      ['path 0', true, 'up'],
      ['path 1', false, 'up'],
    ])
    await carries(near, far, 1000)
    await carries(far, near, 500)
    await until(() => near.subflows().every(({ receivedBytes }) => receivedBytes === 500))
    expect(sentOn(near)).toEqual({ 'path 0': 0, 'path 1': 1000 })
    near.resumePath('path 0')
    near.pausePath('path 1')
    await carries(near, far, 1000)
    expect(sentOn(near)).toEqual({ 'path 0': 1000, 'path 1': 1000 })
  })

  it('has nothing to do with pause() of the connection', async () => {
    const { near, far } = await connectedPair()
    near.pause()
    expect(near.paths()).toMatchObject([{ isPaused: false }])
    near.pausePath('path 0')
    near.resume()
    expect(near.paths()).toMatchObject([{ isPaused: true }])
    near.resumePath('path 0')
    await carries(near, far, 10)
  })

  it('is paused for all connections of a dialer, those to come included', async () => {
    const { near, other, otherFar, dialer, listener } = await twoConnections()
    near.pausePath('path 0')
    await carries(other, otherFar, 100)
    expect(sentOn(other)).toEqual({ 'path 0': 0, 'path 1': 100 })
    const [next, nextFar] = await Promise.all([dialer.dial(), listener.accept()])
    await until(() => upCount(next) === 2)
    await carries(next, nextFar, 100)
    expect(sentOn(next)).toEqual({ 'path 0': 0, 'path 1': 100 })
    for (const conn of [next, nextFar]) conn.destroy()
  })

  it('stays paused over its reconnects', async () => {
    const { near, far, paths } = await connectedPair({ paths: 2, dialer: { redialMinMs: 1 } })
    near.pausePath('path 0')
    paths[0]!.last.cut()
    await until(() => upCount(near) === 1)
    await until(() => upCount(near) === 2)
    await carries(near, far, 100)
    expect(sentOn(near)).toEqual({ 'path 0': 0, 'path 1': 100 })
  })

  it('of the listening side is paused there alone', async () => {
    const { near, far } = await connectedPair({ paths: 2 })
    const { label } = far.subflows()[0]!
    far.pausePath(label)
    expect(far.paths().filter(({ isPaused }) => isPaused)).toHaveLength(1)
    expect(near.paths().filter(({ isPaused }) => isPaused)).toEqual([])
    await carries(far, near, 1000)
    expect(sentOn(far)[label]).toBe(0)
  })

  it('of an unknown name is refused', async () => {
    const { near, dialer } = await connectedPair()
    for (const owner of [near, dialer])
      for (const call of ['pausePath', 'resumePath'] as const)
        expect(() => {
          owner[call]('path 7')
        }).toThrow(OptionError)
  })
})

describe('every connection of a dialer', () => {
  const wakers = {
    'dialer.resumePath': ({ dialer }) => {
      dialer.resumePath('path 1')
    },
    'resumePath of another connection': ({ near }) => {
      near.resumePath('path 1')
    },
    'dialer.setPathPolicy': ({ dialer }) => {
      dialer.setPathPolicy('path 0', { maxBytes: 1000 })
    },
    'setPathPolicy of another connection': ({ near }) => {
      near.setPathPolicy('path 0', { maxBytes: 1000 })
    },
  } satisfies Record<string, (pair: Awaited<ReturnType<typeof twoConnections>>) => void>

  it.each(Object.entries(wakers))('sends what waits at once after %s', async (_what, wake) => {
    // Time stands still, so that nothing else wakes it.
    const pair = await twoConnections(new ManualClock())
    const { dialer, other, otherFar } = pair
    dialer.setPathPolicy('path 0', { maxBytes: 0 })
    dialer.pausePath('path 1')
    other.write('waiting')
    await quiet()
    expect(other.unflushedBytes).toBe(7)
    wake(pair)
    expect(String(await readBytes(otherFar, 7))).toBe('waiting')
  })
})

describe('setPathPolicy()', () => {
  it('without a policy is refused', async () => {
    const { near, dialer } = await connectedPair()
    for (const owner of [near, dialer])
      expect(() => {
        owner.setPathPolicy('path 0', undefined as never)
      }).toThrow(new OptionError('policy must be an object, got undefined'))
  })
})
