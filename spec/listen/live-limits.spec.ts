// SPDX-License-Identifier: Apache-2.0
/** Limits of a listener on loopback, reached one by one: what who reaches them sees, and that others go on. */
import type { Server, Socket } from 'node:net'
import { connect } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ackFrame, dataFrame, hello, PING, RawPeer } from '../../interop/support/raw-peer.js'
import type { ListenerOptions, MultipathConn } from '../../lib/index.js'
import { MultipathDialer, MultipathListener } from '../../lib/index.js'
import { ManualClock } from '../../lib/testing/index.js'
import { readBytes, upCount } from '../support/pair.js'
import { client, heardUntilClose, listening, pathTo, portOf } from '../support/tcp.js'
import { until } from '../support/turns.js'

const KIB = 1024
/** "I know your codes": otherwise the socket is not read while the reader is slow. */
const CAPABLE = Buffer.of(0, 2)
const PONG = 1
const HOLD = 4

interface Friend {
  /** Shows that it is served: what it says comes back. */
  readonly say: () => Promise<void>
}

interface Scene {
  readonly server: Server
  readonly listener: MultipathListener
  readonly refused: unknown[]
  readonly friend: Friend
}

/** A listener, and a friend whose connection stands and is echoed. */
async function scene(options: ListenerOptions = {}): Promise<Scene> {
  const server = await listening()
  const listener = new MultipathListener([server], [], options)
  const refused: unknown[] = []
  listener.on('refused', (error) => refused.push((error as { code?: unknown }).code))
  const near = await new MultipathDialer('x', [pathTo(server)]).dial()
  const far = await listener.accept()
  far.on('error', () => {}).pipe(far)
  onTestFinished(async () => {
    near.on('error', () => {}).destroy()
    far.destroy()
    await listener.close()
  })
  const say = async (): Promise<void> => {
    near.write('still here?')
    expect(String(await readBytes(near, 11))).toBe('still here?')
  }
  await say()
  return { server, listener, refused, friend: { say } }
}

/** A subflow by hand. */
async function joined(server: Server, cid?: Uint8Array): Promise<{ peer: RawPeer; cid: Uint8Array }> {
  const peer = await RawPeer.dial(`127.0.0.1:${portOf(server)}`)
  onTestFinished(() => {
    peer.close()
  })
  peer.send(hello(cid))
  const answer = await peer.take(17)
  peer.send(Buffer.of(0, PONG))
  return { peer, cid: answer.subarray(1) }
}

/** A connection by hand, with the listener's end of it. */
async function opened({ server, listener }: Scene) {
  const [first, conn] = await Promise.all([joined(server), listener.accept()])
  conn.on('error', () => {})
  onTestFinished(() => void conn.destroy())
  return { ...first, conn }
}

/** Acks and codes that came before the answer to a ping: all that was due for what was sent before it. */
async function answered(peer: RawPeer): Promise<number[]> {
  const numbers: number[] = []
  peer.send(PING)
  for (;;) {
    const { size, fn } = await peer.takeFrame()
    if (size === 0 && fn === PONG) return numbers
    if (size === 0) numbers.push(fn)
    else peer.send(ackFrame(fn))
  }
}

const acksIn = (numbers: readonly number[]): number[] => numbers.filter((fn) => fn >= 10)

function frames(from: number, to: number, bytes: number): Buffer {
  const all = Array.from({ length: to - from }, (_, n) => dataFrame(from + n, Buffer.alloc(bytes, from + n)))
  return Buffer.concat(all)
}

/** How a socket to `server` ends that says `words`. */
async function turnedAway(server: Server, words: Uint8Array): Promise<number> {
  const socket = await client(server)
  const heard = heardUntilClose(socket)
  socket.write(words)
  return (await heard).length
}

describe('the limit', () => {
  it('maxReorderBytes leaves frames ahead of a missing one without acks; they may come again', async () => {
    const set = await scene({ maxReorderBytes: 64 * KIB })
    const { peer, conn } = await opened(set)
    peer.send(Buffer.concat([CAPABLE, frames(11, 21, 16 * KIB)]))
    const acked = acksIn(await answered(peer))
    expect(acked.length).toBeGreaterThan(0)
    expect(acked.length).toBeLessThanOrEqual(4)
    await set.friend.say()
    peer.send(frames(10, 21, 16 * KIB))
    const read = await readBytes(conn, 11 * 16 * KIB)
    for (let fn = 10; fn < 21; fn++) expect(read[(fn - 10) * 16 * KIB]).toBe(fn)
  })

  it('maxUnreadBytes asks one of ours to hold, and leaves frames without acks until it is read', async () => {
    const set = await scene({ maxUnreadBytes: 64 * KIB, maxReorderBytes: 32 * KIB })
    const { peer, conn } = await opened(set)
    peer.send(Buffer.concat([CAPABLE, frames(10, 74, 16 * KIB)]))
    const numbers = await answered(peer)
    expect(numbers).toContain(HOLD)
    const kept = acksIn(numbers).length
    // What is behind the first that does not fit is ahead of a missing one.
    expect(kept).toBeGreaterThanOrEqual(4)
    expect(kept).toBeLessThanOrEqual(6)
    await set.friend.say()
    const read = readBytes(conn, 64 * 16 * KIB)
    const acked = new Set<number>()
    while (acked.size < 64) {
      peer.send(frames(10, 74, 16 * KIB))
      for (const fn of acksIn(await answered(peer))) acked.add(fn)
    }
    expect((await read).length).toBe(64 * 16 * KIB)
  })

  it('maxOutstandingAckBytes closes the subflow of a peer that never reads', async () => {
    const set = await scene({ maxOutstandingAckBytes: 4 * KIB })
    const socket = await client(set.server)
    socket.write(Buffer.concat([hello(), Buffer.of(0, PONG)]))
    const conn = await set.listener.accept()
    conn.on('error', () => {})
    const reasons: unknown[] = []
    conn.on('subflow-close', ({ reason }) => reasons.push(reason))
    const closed = new Promise((resolve) => socket.once('close', resolve))
    const pings = Buffer.alloc(64 * KIB)
    const pour = (): void => {
      while (!socket.destroyed && socket.write(pings));
    }
    socket.on('drain', pour)
    pour()
    await closed
    await until(() => reasons.length === 1)
    expect(reasons).toEqual(['limit'])
    await set.friend.say()
    conn.destroy()
  })

  it('of a frame closes the subflow that exceeds it, and no other of the same connection', async () => {
    const set = await scene()
    const { peer, cid, conn } = await opened(set)
    // As peers of both kinds do: until the first subflow has shown what the peer is, others wait.
    peer.send(PING)
    const other = await joined(set.server, cid)
    other.peer.send(PING)
    await until(() => upCount(conn) === 2)
    const reasons: unknown[] = []
    conn.on('subflow-close', ({ reason }) => reasons.push(reason))
    // A payload of a byte more than 1 MiB.
    peer.send(Buffer.from('801000010a', 'hex'))
    await peer.ended()
    await until(() => reasons.length === 1)
    expect(reasons).toEqual(['protocol'])
    other.peer.send(dataFrame(10, Buffer.from('whole')))
    expect(String(await readBytes(conn, 5))).toBe('whole')
    await set.friend.say()
  })

  it('maxSubflows closes the socket of one too many without an answer', async () => {
    const set = await scene({ maxSubflows: 2 })
    const { peer, cid, conn } = await opened(set)
    peer.send(PING)
    const other = await joined(set.server, cid)
    other.peer.send(PING)
    await until(() => upCount(conn) === 2)
    expect(await turnedAway(set.server, hello(cid))).toBe(0)
    expect(set.refused).toEqual(['ERR_MULTIPATH_LIMIT'])
    expect(upCount(conn)).toBe(2)
    expect(await answered(other.peer)).toBeDefined()
    await set.friend.say()
  })

  it('idleTimeoutMs resets a connection in which nothing happens, though it pings, and spares the others', async () => {
    const clock = new ManualClock()
    const set = await scene({ clock, idleTimeoutMs: 2000 })
    const { peer, conn } = await opened(set)
    const errors: unknown[] = []
    conn.on('error', (error) => errors.push((error as { code?: unknown }).code))
    for (let n = 0; n < 4; n++) {
      await answered(peer)
      await set.friend.say()
      expect(errors).toEqual([])
      clock.advance(500)
    }
    await set.friend.say()
    clock.advance(500)
    await peer.ended()
    expect(errors).toEqual(['ERR_MULTIPATH_IDLE'])
    await set.friend.say()
  })
})

describe('the limit on handshakes', () => {
  it('in time closes the socket of who takes longer without an answer', async () => {
    const clock = new ManualClock()
    const set = await scene({ clock, handshakeTimeoutMs: 1000 })
    const slow = await client(set.server)
    slow.write(hello().subarray(0, 16))
    const heard = heardUntilClose(slow)
    await until(() => set.listener.pendingHandshakes === 1)
    clock.advance(999)
    expect(set.refused).toEqual([])
    clock.advance(1)
    expect(await heard).toHaveLength(0)
    expect(set.refused).toEqual(['ERR_MULTIPATH_HANDSHAKE_TIMEOUT'])
    await set.friend.say()
  })

  it('closes the oldest of the address that has most, and newcomers come in', async () => {
    const set = await scene({ maxPendingHandshakes: 4 })
    const silent = async (localAddress: string): Promise<Socket> => {
      const count = set.listener.pendingHandshakes + set.refused.length
      const socket = connect({ port: portOf(set.server), host: '127.0.0.1', localAddress })
      onTestFinished(() => void socket.on('error', () => {}).destroy())
      void heardUntilClose(socket)
      await until(() => set.listener.pendingHandshakes + set.refused.length > count)
      return socket
    }
    const other = await silent('127.0.0.2')
    const strangers: Socket[] = []
    for (let n = 0; n < 5; n++) strangers.push(await silent('127.0.0.3'))
    const [first, second, ...later] = strangers as [Socket, Socket, ...Socket[]]
    await until(() => first.destroyed && second.destroyed)
    expect([first.bytesRead, second.bytesRead]).toEqual([0, 0])
    expect(set.refused).toEqual(['ERR_MULTIPATH_LIMIT', 'ERR_MULTIPATH_LIMIT'])
    expect([other, ...later].map(({ destroyed }) => destroyed)).toEqual([false, false, false, false])
    const newcomer: MultipathConn = await new MultipathDialer('x', [pathTo(set.server)]).dial()
    expect(other.destroyed).toBe(false)
    newcomer.destroy()
    await set.friend.say()
  })
})
