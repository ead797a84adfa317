// SPDX-License-Identifier: Apache-2.0
/** What a peer can have a session do for next to nothing, and where that ends. */
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { Flag, FrameType, GoAwayCode } from '../../lib/mux/frame.js'
import { MuxSession } from '../../lib/mux/index.js'
import { frame, KIB, ScriptedSession } from '../support/mux-core.js'
import { duplexPair, sessions, text } from '../support/mux.js'
import { until } from '../support/turns.js'

const { syn, ack, fin, rst } = Flag
const LIMIT = { code: 'ERR_MULTIPATH_MUX_LIMIT' }
/** A hostile peer's `count` streams from `first` on, each begun and reset. */
const pairs = (count: number, first = 1): Buffer[] =>
  Array.from({ length: count }, (_, n) => [
    frame.window(first + 2 * n, 0, syn),
    frame.window(first + 2 * n, 0, rst),
  ]).flat()

describe('streams that the peer begins and resets', () => {
  it('are not told of where both came in one batch', () => {
    const session = new ScriptedSession('server')
    session.receive(...pairs(3), frame.data(7, 'a', syn))
    expect(session.events().filter(({ type }) => type === 'stream')).toHaveLength(1)
    expect(session.core.streams).toBe(1)
  })

  it('are told of where they are over in good order, with all that they brought', async () => {
    const [client, server] = sessions()
    const near = client.open()
    near.end('all of it')
    near.resume()
    void client.close()
    expect(await text(await server.accept())).toBe('all of it')
  })

  it('end the session once there were maxStreams and maxBacklog of them, and maxResetsPerSecond', () => {
    const session = new ScriptedSession('server', { maxStreams: 6, maxBacklog: 2, maxResetsPerSecond: 4 })
    session.receive(...pairs(8)).wait(1000)
    session.receive(...pairs(4, 17))
    expect([session.error(), session.core.isOver]).toEqual([undefined, false])
    session.receive(...pairs(1, 25))
    expect(session.error()).toMatchObject(LIMIT)
    expect(session.sent().at(-1)).toMatchObject({ type: FrameType.goAway, length: GoAwayCode.protocol })
  })

  it('are free where the application has written to them: they were of use', () => {
    const session = new ScriptedSession('server', { maxStreams: 2, maxBacklog: 1, maxResetsPerSecond: 1 })
    for (let n = 0; n < 10; n++) {
      const stream = session.receive(frame.window(1 + 2 * n, 0, syn)).incoming()
      session.core.accept(stream)
      session.write(stream, 'answer')
      session.sent()
      session.receive(frame.window(1 + 2 * n, 0, rst))
    }
    expect(session.error()).toBeUndefined()
  })

  it('count as well where a limit refused them', () => {
    const session = new ScriptedSession('server', { maxStreams: 4, maxBacklog: 1, maxResetsPerSecond: 1 })
    for (let id = 1; id <= 2 * 6 + 1; id += 2) session.receive(frame.window(id, 0, syn)).sent()
    expect(session.error()).toMatchObject(LIMIT)
  })
})

describe('a peer that opens streams and ends them, as fast as it can', () => {
  it('has few of them told of in each turn, and is refused beyond maxBacklog', async () => {
    const [near, far] = duplexPair()
    const server = new MuxSession(far, { role: 'server', maxBacklog: 64, allowHalfOpen: true })
    const turns: number[] = [0]
    const nextTurn = (): void => {
      turns.push(0)
      immediate = setImmediate(nextTurn)
    }
    let immediate = setImmediate(nextTurn)
    server.on('stream', (stream) => {
      stream.on('error', () => {})
      turns[turns.length - 1]!++
    })
    const ids = Array.from({ length: 64 }, (_, n) => 1 + 2 * n)
    near.resume()
    near.write(Buffer.concat(ids.flatMap((id) => [frame.window(id, 0, syn), frame.window(id, 0, fin)])))
    await until(() => turns.reduce((sum, n) => sum + n, 0) === 64)
    clearImmediate(immediate)
    expect(Math.max(...turns)).toBeLessThanOrEqual(32)
    server.destroy()
  })
})

describe('frames that bring nothing', () => {
  const cases: [string, (n: number) => Buffer][] = [
    ['pings', (n) => frame.ping(n, syn)],
    ['answers to no ping', (n) => frame.ping(n, ack)],
    ['frames of streams that nobody knows', () => frame.window(77, 0, fin)],
    ['data frames without data', () => frame.data(1, '')],
    ['window updates of nothing', () => frame.window(1, 0)],
    ['window updates of next to nothing', () => frame.window(1, 1)],
    ['window updates although nothing was sent', () => frame.window(1, 64 * KIB)],
    ['acks of what is open', () => frame.window(1, 0, ack)],
    ['further go aways', () => frame.goAway(0)],
  ]

  it.each(cases)('end the session beyond maxIdleFramesPerSecond: %s', (_, made) => {
    const session = new ScriptedSession('server', { maxIdleFramesPerSecond: 100 })
    session.core.accept(session.receive(frame.data(1, 'use', syn)).incoming())
    const flood = (count: number): void => {
      for (let n = 0; n < count; n++) session.receive(made(n)).sent()
    }
    flood(98)
    session.wait(1000)
    flood(98)
    expect(session.core.isOver).toBe(false)
    flood(100)
    expect(session.error()).toMatchObject(LIMIT)
  })

  it('are none where they give credit for what was sent, end something, or answer', () => {
    const session = new ScriptedSession('client', { maxIdleFramesPerSecond: 10 })
    const stream = session.core.open(0)
    session.receive(frame.window(1, 0, ack))
    for (let n = 0; n < 100; n++) {
      session.write(stream, 2 * KIB)
      session.sent()
      session.receive(frame.window(1, 2 * KIB))
    }
    for (let n = 0; n < 100; n++) {
      const id = session.core.ping(session.now)
      session.sent()
      session.receive(frame.ping(id, ack))
    }
    for (let n = 0; n < 100; n++) {
      const one = session.core.open(session.now)
      session.core.end(one)
      session.sent()
      session.receive(frame.window(one.id, 0, ack), frame.window(one.id, 0, fin))
    }
    expect([session.error(), session.core.streams]).toEqual([undefined, 1])
  })
})

describe('a session of ours', () => {
  it('is never over a limit of the other end: many streams, reset at both ends', async () => {
    const [client, server] = sessions()
    const closed = once(server as never, 'close')
    server.on('stream', (stream) => {
      stream.on('error', () => {})
      stream.resume()
    })
    for (let round = 0; round < 8; round++) {
      const streams = Array.from({ length: 100 }, () => client.open())
      for (const stream of streams) stream.on('error', () => {}).write('x')
      await client.ping()
      for (const stream of streams) stream.resetAndDestroy()
      await client.ping()
    }
    expect([client.isOpen, server.isOpen]).toEqual([true, true])
    await client.close()
    expect(await closed).toEqual([])
  })
})
