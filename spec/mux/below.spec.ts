// SPDX-License-Identifier: Apache-2.0
/** A session and what surrounds it: the connection below, and listeners that throw. */
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { MuxSession } from '../../lib/mux/index.js'
import { ManualClock } from '../../lib/testing/index.js'
import { duplexPair, sessions, streamPair, text } from '../support/mux.js'
import { catchUncaught } from '../support/outside.js'
import { quiet, until } from '../support/turns.js'

describe('the connection below', () => {
  it('that closes without an end is an error of the session, though no stream was open', async () => {
    const [below, farBelow] = duplexPair()
    const [client] = sessions([below, farBelow])
    const closed = once(client as unknown as Duplex, 'close')
    below.destroy()
    expect((await closed)[0]).toMatchObject({ code: 'ERR_MULTIPATH_MUX_CLOSED' })
  })

  it('is destroyed where it does not close within lingerMs of the end', async () => {
    const clock = new ManualClock()
    const [below, farBelow] = duplexPair()
    const client = new MuxSession(below, { role: 'client', clock, lingerMs: 1000 })
    // Hears our end, and never says its own.
    farBelow.resume()
    void client.close()
    await quiet()
    clock.advance(999)
    await quiet()
    expect(below.destroyed).toBe(false)
    clock.advance(1)
    expect(below.destroyed).toBe(true)
  })
})

describe('a connection below that has no path for a while', () => {
  it('costs the session neither its pings nor its streams, for as long as it is held', async () => {
    const clock = new ManualClock()
    const [below, farBelow] = duplexPair()
    const limits = { clock, keepAliveMs: 1000, keepAliveTimeoutMs: 1000, openTimeoutMs: 2000 }
    const client = new MuxSession(below, { role: 'client', ...limits })
    let isClosed = false
    for (const event of ['close', 'error', 'goaway'] as const)
      client.on(event as 'close', () => (isClosed = true))
    client.open().on('error', () => (isClosed = true))
    Object.assign(below, { isSuspended: true })
    for (let second = 0; second < 100; second++) {
      clock.advance(1000)
      await quiet()
    }
    expect(isClosed).toBe(false)
    Object.assign(below, { isSuspended: false })
    below.emit('resumed')
    clock.advance(900)
    await quiet()
    expect(isClosed).toBe(false)
    farBelow.destroy()
  })
})

describe('a listener that throws', () => {
  it('of streams, or of their data, harms no other stream', async () => {
    const caught = catchUncaught()
    const [client, server] = sessions()
    server.on('goaway', () => {
      throw new Error('goaway')
    })
    server.once('stream', () => {
      throw new Error('stream')
    })
    client.open()
    await until(() => caught.exceptions.length === 1)
    const [near, far] = await streamPair(client, server)
    far.once('data', () => {
      throw new Error('data')
    })
    near.write('thrown at')
    await until(() => caught.exceptions.length === 2)
    const [other, farOther] = await streamPair(client, server)
    other.end('as ever')
    expect(await text(farOther)).toBe('as ever')
    near.end(', and what came later')
    expect(await text(far)).toBe(', and what came later')
    void client.close()
    await until(() => caught.exceptions.length === 3)
    expect(caught.exceptions.map(String)).toEqual(['Error: stream', 'Error: data', 'Error: goaway'])
    expect(server.isOpen).toBe(false)
  })
})
