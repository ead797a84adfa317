// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../lib/testing/manual-clock.js'
import { meeting, readAll, upCount } from '../support/pair.js'
import { pass, passUntil } from '../support/pass.js'

function scene(headStartMs = 0) {
  const clock = new ManualClock()
  const met = meeting({ paths: 3, dialer: { clock, headStartMs }, listener: { clock, allowHalfOpen: true } })
  const refused: Error[] = []
  met.listener.on('refused', (error) => refused.push(error))
  return { clock, refused, ...met }
}

describe('a connection that ends right after its few bytes', () => {
  it.each([0, 100])('trips over no join of its own, with a head start of %i ms', async (headStartMs) => {
    const { clock, refused, dialer, listener, paths } = scene(headStartMs)
    for (let round = 0; round < 20; round++) {
      const conn = dialer.prepare()
      conn.end('x')
      const [, far] = await passUntil(clock, Promise.all([dialer.establish(conn), listener.accept()]))
      const text = readAll(far)
      far.end('y')
      expect(String(await passUntil(clock, readAll(conn)))).toBe('y')
      expect(String(await text)).toBe('x')
      await pass(clock, 20)
    }
    await pass(clock, 1000)
    expect(refused).toEqual([])
    // The paths are raced at once without a head start; with one, the first alone was dialled.
    if (headStartMs > 0) expect(paths.map(({ dials }) => dials)).toEqual([20, 0, 0])
    expect(listener.connections).toBe(0)
    expect(paths.flatMap(({ live }) => live)).toEqual([])
  })

  it('gets its other paths where the answer goes on', async () => {
    const { clock, refused, dialer, listener } = scene()
    const conn = dialer.prepare()
    conn.end('x')
    const [, far] = await passUntil(clock, Promise.all([dialer.establish(conn), listener.accept()]))
    far.write('a long answer')
    await pass(clock, 50)
    expect(upCount(conn)).toBe(1)
    await pass(clock, 100)
    expect(upCount(conn)).toBe(3)
    expect(refused).toEqual([])
    conn.destroy()
    far.destroy()
  })

  it('gets them at once where it has much to send', async () => {
    const { clock, dialer, listener } = scene()
    const conn = dialer.prepare()
    conn.end(Buffer.alloc(8_000_000))
    const [, far] = await passUntil(clock, Promise.all([dialer.establish(conn), listener.accept()]))
    await pass(clock, 20)
    expect(upCount(conn)).toBe(3)
    conn.destroy()
    far.destroy()
  })
})
