// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { Flag, FrameType } from '../../lib/mux/frame.js'
import type { StreamCore } from '../../lib/mux/stream-core.js'
import type { Frame } from '../support/mux-core.js'
import { frame, KIB, ScriptedSession } from '../support/mux-core.js'

const { syn, ack, fin, rst } = Flag
const INITIAL = 256 * KIB

/** A client with a stream that the peer has acked. */
function withStream(limits = {}): { session: ScriptedSession; stream: StreamCore } {
  const session = new ScriptedSession('client', limits)
  const stream = session.core.open(0)
  session.sent()
  session.receive(frame.window(1, 0, ack)).events()
  return { session, stream }
}

/** A server with a stream that the peer has opened and the application has taken. */
function withIncoming(limits = {}): { session: ScriptedSession; stream: StreamCore } {
  const session = new ScriptedSession('server', limits)
  const stream = session.receive(frame.window(1, 0, syn)).incoming()
  session.core.accept(stream)
  session.sent()
  return { session, stream }
}

const brief = ({ type, flags, streamId, length }: Frame): number[] => [type, flags, streamId, length]
const bytesOf = (frames: Frame[], id?: number): number =>
  frames
    .filter(({ type, streamId }) => type === FrameType.data && (id === undefined || streamId === id))
    .reduce((sum, { length }) => sum + length, 0)

describe('opening a stream', () => {
  it('sends a SYN, then data within the initial window without waiting for the ack', () => {
    const session = new ScriptedSession('client')
    const stream = session.core.open(0)
    session.write(stream, INITIAL + 100)
    const frames = session.sent()
    expect(brief(frames[0]!)).toEqual([FrameType.window, syn, 1, 0])
    expect(bytesOf(frames)).toBe(INITIAL)
    expect(stream.isOpen).toBe(false)
    session.receive(frame.window(1, 50, ack))
    expect(stream.isOpen).toBe(true)
    expect(bytesOf(session.sent())).toBe(50)
  })

  it('waits its turn while the peer has as many to ack as it accepts at once', () => {
    const session = new ScriptedSession('client', { maxOpening: 2 })
    const streams = [1, 2, 3].map(() => session.core.open(0))
    session.write(streams[2]!, 'late')
    expect(session.sent().map(({ streamId }) => streamId)).toEqual([1, 3])
    session.receive(frame.window(3, 0, ack))
    expect(session.sent().map(({ streamId }) => streamId)).toEqual([5, 5])
  })

  it('is acked once the application takes it, not before', () => {
    const session = new ScriptedSession('server')
    const stream = session.receive(frame.data(1, 'early', syn)).incoming()
    expect(session.sent()).toEqual([])
    session.core.accept(stream)
    expect(session.sent().map(brief)).toEqual([[FrameType.window, ack, 1, 0]])
    expect(session.read(stream)).toBe('early')
  })

  it('ends once all ids have been used', () => {
    const session = new ScriptedSession('client', {}, 2 ** 32 - 3)
    expect([session.core.open(0).id, session.core.open(0).id]).toEqual([2 ** 32 - 3, 2 ** 32 - 1])
    expect(() => session.core.open(0)).toThrow(expect.objectContaining({ code: 'ERR_MULTIPATH_MUX_LIMIT' }))
  })

  it('that is given up before its SYN has left is nothing the peer hears of', () => {
    const session = new ScriptedSession('client')
    session.core.abandon(session.core.open(0), true, 0)
    expect(session.sent()).toEqual([])
    expect(session.core.streams).toBe(0)
  })
})

describe('the end of a stream', () => {
  it('follows the data, in a frame of its own', () => {
    const { session, stream } = withStream()
    session.write(stream, 'last')
    session.core.end(stream)
    expect(session.sent().map(brief)).toEqual([
      [FrameType.data, 0, 1, 4],
      [FrameType.window, fin, 1, 0],
    ])
    session.receive(frame.data(1, 'their last', fin))
    expect(session.read(stream)).toBe('their last')
    expect([stream.isReadEnd, stream.isOver, session.core.streams]).toEqual([true, true, 0])
    expect(stream.error).toBeUndefined()
  })

  it('given up without a loss is an end for the peer, and a reset once it goes on sending', () => {
    const { session, stream } = withStream()
    session.core.abandon(stream, false, 0)
    expect(session.sent().map(brief)).toEqual([[FrameType.window, fin, 1, 0]])
    expect(session.core.streams).toBe(0)
    session.receive(frame.data(1, 'who reads this?'))
    expect(session.sent().map(brief)).toEqual([[FrameType.window, rst, 1, 0]])
    session.receive(frame.data(1, 'or this?'))
    expect(session.sent()).toEqual([])
  })

  it('given up, is waited for no longer than closeTimeoutMs', () => {
    const { session, stream } = withStream({ closeTimeoutMs: 1000 })
    session.core.abandon(stream, false, 0)
    session.sent()
    session.wait(999)
    expect(session.sent()).toEqual([])
    session.wait(1)
    expect(session.sent().map(brief)).toEqual([[FrameType.window, rst, 1, 0]])
    expect(stream.isOver).toBe(true)
  })

  it('given up with data unsent or unread sends what was written, and then an end', () => {
    const { session, stream } = withStream()
    session.write(stream, 'last')
    session.receive(frame.data(1, 'unread'))
    session.core.abandon(stream, false, 0)
    // Before our end has left, a reset would take away what we wrote.
    session.receive(frame.data(1, 'more'))
    expect(session.sent().map(brief)).toEqual([
      [FrameType.data, 0, 1, 4],
      [FrameType.window, fin, 1, 0],
    ])
    expect(session.core.unreadBytes).toBe(0)
    session.receive(frame.data(1, 'and more'))
    expect(session.sent().map(brief)).toEqual([[FrameType.window, rst, 1, 0]])
  })

  it('cut short is a reset, and nothing that was written leaves', () => {
    const { session, stream } = withStream()
    session.write(stream, 'x')
    session.core.abandon(stream, true, 0)
    expect(session.sent().map(brief)).toEqual([[FrameType.window, rst, 1, 0]])
  })

  it('given up keeps a session that goes away until what was written has left', () => {
    const { session, stream } = withStream()
    session.write(stream, 'last')
    session.core.abandon(stream, false, 0)
    session.core.close()
    expect([session.core.streams, session.core.isFinished]).toEqual([0, false])
    session.sent()
    expect(session.core.isFinished).toBe(true)
  })

  it('by a reset of the peer is an error', () => {
    const { session, stream } = withStream()
    session.receive(frame.window(1, 0, rst))
    expect(stream.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_MUX_RESET' })
    expect(session.sent()).toEqual([])
  })

  it('by a reset of the peer behind its end is an error for what we have still to send', () => {
    const { session, stream } = withStream()
    session.receive(frame.window(1, 0, fin), frame.window(1, 0, rst))
    expect(stream.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_MUX_RESET' })
    expect([stream.isOver, session.core.streams]).toEqual([true, 0])
  })
})

describe('sending', () => {
  it('gives every stream its turn, a frame at a time', () => {
    const session = new ScriptedSession('client', { maxFrameBytes: 1000 })
    for (let n = 0; n < 3; n++) session.write(session.core.open(0), 3000)
    const data = session.sent().filter(({ type }) => type === FrameType.data)
    expect(data.map(({ streamId }) => streamId)).toEqual([1, 3, 5, 1, 3, 5, 1, 3, 5])
    expect(new Set(data.map(({ length }) => length))).toEqual(new Set([1000]))
  })

  it('puts all that maxFrameBytes permits in a frame while nobody else waits, and 16 KiB while somebody does', () => {
    const session = new ScriptedSession('client')
    const [first, second] = [session.core.open(0), session.core.open(0)]
    const lengths = (): number[] =>
      session
        .sent()
        .filter(({ type }) => type === FrameType.data)
        .map(({ length }) => length)
    session.write(first, 100 * KIB)
    expect(lengths()).toEqual([64 * KIB, 36 * KIB])
    session.write(first, 24 * KIB)
    session.write(second, 24 * KIB)
    expect(lengths()).toEqual([16, 16, 8, 8].map((kib) => kib * KIB))
  })

  it('puts a small message before the bulk of a thousand others', () => {
    const session = new ScriptedSession('client', { maxOpening: 2000 })
    const streams = Array.from({ length: 1001 }, () => session.core.open(0))
    for (const stream of streams.slice(1)) session.write(stream, 50_000)
    session.core.poll(20_000_000, 0)
    session.write(streams[0]!, 'small')
    const next = Buffer.concat(session.core.poll(1, 0))
    expect(next.subarray(12).toString()).toBe('small')
  })

  it('stops at the credit of the peer, and goes on with more', () => {
    const { session, stream } = withStream()
    session.write(stream, 1_000_000)
    expect(bytesOf(session.sent())).toBe(INITIAL)
    session.receive(frame.window(1, 7))
    expect(bytesOf(session.sent())).toBe(7)
    expect(stream.outgoing.bytes).toBe(1_000_000 - INITIAL - 7)
  })

  it('copies what the caller may reuse', () => {
    const { session, stream } = withStream()
    const chunk = Buffer.from('x'.repeat(5000))
    session.core.write(stream, [chunk], () => true)
    const polled = session.core.poll(100_000, 0)
    chunk.fill('y')
    expect(Buffer.concat(polled).includes('y')).toBe(false)
  })
})

describe('a stream that is abandoned before its turn to open', () => {
  it('still brings what was written, and its end', () => {
    const session = new ScriptedSession('client', { maxOpening: 1 })
    const streams = [session.core.open(0), session.core.open(0)]
    session.write(streams[1]!, 'late')
    session.core.abandon(streams[1]!, false, 0)
    expect(session.sent().map(({ streamId }) => streamId)).toEqual([1])
    session.receive(frame.window(1, 0, ack))
    const frames = session.sent().filter(({ streamId }) => streamId === 3)
    expect(frames.map(({ payload }) => payload).join('')).toBe('late')
    expect(frames.at(-1)!.flags & fin).toBe(fin)
  })
})

describe('receiving', () => {
  it('keeps nothing of a stream that was reset before anybody heard of it', () => {
    const session = new ScriptedSession('server')
    session.receive(frame.window(1, 0, syn), frame.data(1, 60_000), frame.window(1, 0, rst))
    expect(session.core.unreadBytes).toBe(0)
  })

  it('gives the peer credit for what was read', () => {
    const { session, stream } = withIncoming()
    session.receive(frame.data(1, INITIAL))
    expect(session.sent()).toEqual([])
    session.read(stream)
    expect(session.sent().map(brief)).toContainEqual([FrameType.window, 0, 1, INITIAL])
  })

  it('lets the window grow with the round trip that it measures itself', () => {
    const { session, stream } = withIncoming()
    const round = (bytes: number): number => {
      session.receive(frame.data(1, bytes))
      session.read(stream)
      let granted = 0
      for (const { type, flags, length } of session.sent()) {
        if (type === FrameType.ping && flags === syn) session.wait(50).receive(frame.ping(length, ack))
        if (type === FrameType.window) granted += length
      }
      session.wait(50)
      return granted
    }
    let window = INITIAL
    for (let n = 0; n < 10; n++) window = round(window)
    expect(window).toBe(16 * KIB * KIB)
  })

  it('resets the stream that has the most unread when there is too much in all', () => {
    const session = new ScriptedSession('server', { maxUnreadBytes: 300 * KIB })
    session.receive(frame.window(1, 0, syn), frame.window(3, 0, syn))
    const [small, large] = session.events().map((event) => (event as { stream: StreamCore }).stream)
    session.receive(frame.data(1, 60 * KIB), frame.data(3, 240 * KIB), frame.data(1, 1))
    expect(large!.error).toMatchObject({ code: 'ERR_MULTIPATH_MUX_LIMIT' })
    expect([small!.error, session.core.unreadBytes]).toEqual([undefined, 60 * KIB + 1])
    expect(session.sent().map(brief)).toEqual([[FrameType.window, rst, 3, 0]])
  })

  it('counts what is unread of streams that are over, too', () => {
    const session = new ScriptedSession('server', { maxUnreadBytes: 300 * KIB })
    session.receive(frame.window(1, 0, syn), frame.window(3, 0, syn))
    const [over, open] = session.events().map((event) => (event as { stream: StreamCore }).stream)
    session.core.end(over!)
    session.sent()
    session.receive(frame.data(1, 200 * KIB, fin), frame.data(3, 101 * KIB))
    expect([over!.isOver, over!.error, open!.error]).toEqual([
      true,
      expect.objectContaining({ code: 'ERR_MULTIPATH_MUX_LIMIT' }),
      undefined,
    ])
    expect(session.core.unreadBytes).toBe(101 * KIB)
    // Cut, it has no end that a reader could take for the whole.
    expect(over!.isReadEnd).toBe(false)
  })

  it('leaves to others what the window of a stream had grown by, once that is over', () => {
    const session = new ScriptedSession('server', { maxSessionWindowBytes: INITIAL })
    const grown = (id: number): number => {
      const stream = session.receive(frame.window(id, 0, syn)).incoming()
      session.core.accept(stream)
      session.sent()
      session.receive(frame.data(id, INITIAL))
      session.read(stream)
      const granted = session
        .sent()
        .filter(({ type, streamId }) => type === FrameType.window && streamId === id)
      session.receive(frame.window(id, 0, rst)).events()
      return granted.reduce((sum, { length }) => sum + length, 0)
    }
    const id = session.core.ping(session.now)
    session.wait(1000).receive(frame.ping(id, ack)).events()
    expect([grown(1), grown(3)]).toEqual([2 * INITIAL, 2 * INITIAL])
  })

  it('refuses streams beyond maxStreams and beyond maxBacklog', () => {
    const session = new ScriptedSession('server', { maxStreams: 2, maxBacklog: 1 })
    const first = session.receive(frame.window(1, 0, syn)).incoming()
    session.receive(frame.window(3, 0, syn))
    expect(session.sent().map(brief)).toEqual([[FrameType.window, rst, 3, 0]])
    session.core.accept(first)
    session.core.accept(session.receive(frame.window(5, 0, syn)).incoming())
    session.sent()
    session.receive(frame.window(7, 0, syn))
    expect(session.sent().map(brief)).toEqual([[FrameType.window, rst, 7, 0]])
    session.wait(1000).receive(frame.window(1, 0, rst), frame.window(9, 0, syn))
    expect(session.incoming().id).toBe(9)
    // One that its peer has given up before anybody took it leaves its place as well.
    session.receive(frame.window(9, 0, rst), frame.window(11, 0, syn))
    expect(session.incoming().id).toBe(11)
  })

  it('ignores frames of streams that it does not know', () => {
    const { session } = withIncoming()
    session.receive(
      frame.data(77, 'late'),
      frame.window(77, 5),
      frame.window(2, 0, fin),
      frame.window(4, 0, rst),
    )
    expect([session.error(), session.sent()]).toEqual([undefined, []])
  })
})

describe('a peer that breaks the protocol', () => {
  it.each([
    ['another version', Buffer.from('010000000000000000000000', 'hex')],
    ['an unknown type', Buffer.from('000900000000000000000000', 'hex')],
    ['more data than it may send', frame.data(1, INITIAL + 1)],
    ['data behind its end', Buffer.concat([frame.window(1, 0, fin), frame.data(1, 'x')])],
    ['a second end', Buffer.concat([frame.window(1, 0, fin), frame.window(1, 0, fin)])],
    ['a stream twice', frame.window(1, 0, syn)],
    ['a stream with an id of ours', frame.window(2, 0, syn)],
    ['a stream 0', frame.window(0, 0, syn)],
    ['credit beyond 32 bits', Buffer.concat([frame.window(1, 2 ** 31), frame.window(1, 2 ** 31)])],
  ])('by %s ends the session with a go away', (_, bytes) => {
    const { session, stream } = withIncoming()
    session.receive(bytes)
    expect(session.error()).toMatchObject({ code: 'ERR_MULTIPATH_MUX_PROTOCOL' })
    expect(stream.error).toMatchObject({ code: 'ERR_MULTIPATH_MUX_CLOSED' })
    expect(session.sent().map(brief)).toEqual([[FrameType.goAway, 0, 0, 1]])
    expect([session.core.isOver, session.core.nextTickAt]).toEqual([true, Infinity])
  })

  it.each([1, 2, 77])('or says that we have, by a go away with code %i, ends the session', (code) => {
    const { session } = withIncoming()
    session.receive(frame.goAway(code))
    expect(session.error()).toMatchObject({ code: 'ERR_MULTIPATH_MUX_PROTOCOL' })
  })

  it.each([
    ['pings', (n: number) => frame.ping(n, syn)],
    ['streams that are refused', (n: number) => frame.window(101 + 2 * n, 0, syn)],
  ])('or sends %s and reads no answers, ends the session', (_, make) => {
    const { session } = withIncoming({ maxStreams: 1, maxWaitingAnswers: 50 })
    for (let n = 0; n < 50; n++) session.receive(make(n))
    expect(session.core.isOver).toBe(false)
    session.receive(make(50))
    expect(session.error()).toMatchObject({ code: 'ERR_MULTIPATH_MUX_LIMIT' })
  })
})

describe('going away', () => {
  it('refuses new streams and those nobody has taken, and lets the others end', () => {
    const { session, stream } = withIncoming()
    session.receive(frame.window(3, 0, syn))
    session.core.close()
    session.receive(frame.window(5, 0, syn))
    expect(session.sent().map(brief)).toEqual([
      [FrameType.goAway, 0, 0, 0],
      [FrameType.window, rst, 3, 0],
      [FrameType.window, rst, 5, 0],
    ])
    expect([session.core.isFinished, stream.isOpen]).toEqual([false, true])
    session.core.end(stream)
    session.sent()
    session.receive(frame.window(1, 0, fin))
    expect(session.core.isFinished).toBe(true)
    // Even then, the peer has only ids of its own.
    session.receive(frame.window(2, 0, syn))
    expect(session.error()).toMatchObject({ code: 'ERR_MULTIPATH_MUX_PROTOCOL' })
  })

  it('of the peer is told once, however often it says so', () => {
    const { session } = withStream()
    session.receive(frame.goAway(0), frame.goAway(0))
    expect(session.events()).toEqual([{ type: 'go-away' }])
  })

  it('of the peer fails what has not begun, and no other stream', () => {
    const session = new ScriptedSession('client', { maxOpening: 1 })
    const [begun, waiting] = [session.core.open(0), session.core.open(0)]
    session.receive(frame.goAway(0))
    expect([begun.error, waiting.error]).toEqual([
      undefined,
      expect.objectContaining({ code: 'ERR_MULTIPATH_MUX_CLOSED' }),
    ])
    expect(() => session.core.open(0)).toThrow('accepts no more streams')
  })

  it('by the end of the connection is an error for streams at work, and for a frame cut short', () => {
    const { session, stream } = withIncoming()
    session.core.ended()
    expect(stream.error).toMatchObject({ code: 'ERR_MULTIPATH_MUX_CLOSED' })
    expect(session.error()).toMatchObject({ code: 'ERR_MULTIPATH_MUX_CLOSED' })
    const cut = new ScriptedSession('server').receive(Buffer.from([0, 0, 0]))
    cut.core.ended()
    expect(cut.error()).toMatchObject({ code: 'ERR_MULTIPATH_MUX_CLOSED' })
    const idle = new ScriptedSession('server')
    idle.core.ended()
    expect(idle.events()).toEqual([{ type: 'over' }])
  })
})

describe('pings', () => {
  it('are answered with their value', () => {
    const { session } = withIncoming()
    expect(session.receive(frame.ping(123, syn)).sent().map(brief)).toEqual([[FrameType.ping, ack, 0, 123]])
  })

  it('tell the round trip, and answers to nothing are ignored', () => {
    const { session } = withStream()
    const id = session.core.ping(session.now)
    session.wait(40).receive(frame.ping(id + 1, ack), frame.ping(id, ack), frame.ping(id, ack))
    expect(session.events()).toEqual([{ type: 'ping-end', id, rttMs: 40 }])
  })

  it('are limited in number', () => {
    const { session } = withStream({ maxPings: 2 })
    session.core.ping(0)
    session.core.ping(0)
    expect(() => session.core.ping(0)).toThrow(expect.objectContaining({ code: 'ERR_MULTIPATH_MUX_LIMIT' }))
  })

  it('are sent where nothing has come for keepAliveMs, and end the session where nothing comes then', () => {
    const { session } = withStream({ keepAliveMs: 1000, keepAliveTimeoutMs: 500 })
    expect(session.core.nextTickAt).toBe(1000)
    session.wait(999)
    expect(session.sent()).toEqual([])
    session.wait(1)
    expect(session.sent().map(({ type, flags }) => [type, flags])).toEqual([[FrameType.ping, syn]])
    session.wait(499)
    expect(session.core.isOver).toBe(false)
    session.wait(1)
    expect(session.error()).toMatchObject({ code: 'ERR_MULTIPATH_MUX_TIMEOUT' })
  })

  it('that get no answer are forgotten where the peer is there all the same', () => {
    const { session } = withStream({ keepAliveMs: 1000, keepAliveTimeoutMs: 500 })
    const id = session.core.ping(0)
    session.wait(400).receive(frame.window(1, 1)).events()
    session.wait(100)
    expect(session.events()).toEqual([{ type: 'ping-end', id }])
    expect(session.core.isOver).toBe(false)
  })
})

describe('time', () => {
  it('limits how long a stream waits for its ack', () => {
    const session = new ScriptedSession('client', { openTimeoutMs: 1000 })
    const stream = session.core.open(0)
    session.sent()
    session.wait(999)
    expect(stream.error).toBeUndefined()
    session.wait(1)
    expect(stream.error).toMatchObject({ code: 'ERR_MULTIPATH_MUX_TIMEOUT' })
    expect(session.sent().map(brief)).toEqual([[FrameType.window, rst, 1, 0]])
  })
})
