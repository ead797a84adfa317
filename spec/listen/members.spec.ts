// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events'
import type { Server, Socket } from 'node:net'
import { connect } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { ListenerOptions, MultipathConn, PeerFacts } from '../../lib/index.js'
import type { Subflow } from '../../lib/core/subflow.js'
import { MultipathListener } from '../../lib/index.js'
import { EndedCids } from '../../lib/listen/ended-cids.js'
import { Member } from '../../lib/listen/members.js'
import { ANNOUNCEMENT, encodeSettings } from '../../lib/wire/settings.js'
import { ManualClock } from '../../lib/testing/index.js'
import { heardUntilClose, listening, portOf } from '../support/tcp.js'
import { until } from '../support/turns.js'

const PROVEN: Pick<Subflow, 'isUnproven'> = { isUnproven: false }
const PONG = 1
/** A hello, and the pong that every dialer says with the answer. */
const OPENING = Buffer.concat([Buffer.alloc(17), Buffer.of(0, 1)])

async function scene(options: ListenerOptions = {}) {
  const server = await listening()
  const clock = new ManualClock()
  const listener = new MultipathListener([server], [], { clock, ...options })
  onTestFinished(() => listener.close())
  const refused: unknown[] = []
  listener.on('refused', (error) => refused.push((error as { code?: unknown }).code))
  return { server, listener, clock, refused }
}

async function say(server: Server, hello: Uint8Array, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port: portOf(server), host: '127.0.0.1', localAddress }).on('error', () => {})
  onTestFinished(() => void socket.destroy())
  socket.write(hello)
  await once(socket, 'connect')
  return socket
}

/** Opens a connection. @returns the hello to join it with */
async function opened(server: Server): Promise<{ socket: Socket; hello: Buffer }> {
  const socket = await say(server, OPENING)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  return { socket, hello: answer.subarray(0, 17) }
}

/** Whether a hello is answered. */
async function isIn(server: Server, hello: Uint8Array, localAddress?: string): Promise<boolean> {
  const socket = await say(server, hello, localAddress)
  return Promise.race([once(socket, 'data').then(() => true), heardUntilClose(socket).then(() => false)])
}

describe('the joins of a connection', () => {
  it('are taken by those alone who were let in', async () => {
    const { server, listener, refused } = await scene({
      maxSubflows: 4,
      maxJoinsPerSecond: 1,
      authorizeJoin: ({ peer }) => peer.remoteAddress === '127.0.0.1',
    })
    const { hello } = await opened(server)
    const conn = await listener.accept()
    for (let n = 0; n < 8; n++) expect(await isIn(server, hello, '127.0.0.2')).toBe(false)
    for (let n = 0; n < 3; n++) expect(await isIn(server, hello)).toBe(true)
    expect(refused).toEqual(Array<string>(8).fill('ERR_MULTIPATH_REFUSED'))
    conn.destroy()
  })

  it('are counted for each address: one that knows the CID takes none of another', async () => {
    const { server, listener } = await scene({ maxSubflows: 3, maxJoinsPerSecond: 1 })
    const { hello } = await opened(server)
    const conn = await listener.accept()
    conn.on('error', () => {})
    const come = async (localAddress: string): Promise<boolean> => {
      const socket = await say(server, hello, localAddress)
      const heard = await Promise.race([
        once(socket, 'data').then(() => true),
        heardUntilClose(socket).then(() => false),
      ])
      socket.resetAndDestroy()
      await until(() => conn.subflows().length === 1)
      return heard
    }
    const all: boolean[] = []
    for (let n = 0; n < 5; n++) all.push(await come('127.0.0.2'))
    expect(all).toEqual([true, true, true, false, false])
    expect(await come('127.0.0.1')).toBe(true)
    conn.destroy()
  })

  it('of more addresses than are kept apart are counted together', () => {
    const init = { clock: new ManualClock(), maxSubflows: 1, maxJoinsPerSecond: 1 }
    const conn = { isJoinable: true, subflows: () => [] } as unknown as MultipathConn
    const member = new Member(conn, {} as PeerFacts, init)
    const mayJoin = (address: string): boolean => {
      try {
        member.assertRoom(address)
        return true
      } catch {
        return false
      }
    }
    for (let n = 0; n < 64; n++) {
      expect(mayJoin(`192.0.2.${n}`)).toBe(true)
      member.join(`192.0.2.${n}`, () => PROVEN as Subflow)
    }
    expect(mayJoin('198.51.100.1')).toBe(true)
    member.join('198.51.100.1', () => PROVEN as Subflow)
    expect(['192.0.2.0', '198.51.100.1', '198.51.100.2'].map(mayJoin)).toEqual([false, false, false])
    init.clock.advance(1000)
    expect(['192.0.2.0', '198.51.100.2'].map(mayJoin)).toEqual([true, true])
  })
})

describe('a join that comes when its connection has just ended', () => {
  it('is no unknown CID, and is not held against its address', async () => {
    const { server, listener, refused } = await scene({
      maxRefusalsAtOnce: 2,
      maxRefusalsPerSecond: 1,
    })
    const { hello } = await opened(server)
    ;(await listener.accept()).destroy()
    for (let n = 0; n < 10; n++) expect(await isIn(server, hello)).toBe(false)
    expect(refused).toEqual(Array<string>(10).fill('ERR_MULTIPATH_CLOSED'))
    expect((await opened(server)).hello).toHaveLength(17)
  })

  it('is one after a while, and when there were more than a connection has subflows', async () => {
    const { server, listener, clock, refused } = await scene({ maxSubflows: 2 })
    for (const isLate of [false, true]) {
      const { hello } = await opened(server)
      ;(await listener.accept()).destroy()
      if (isLate) clock.advance(30_000)
      for (let n = 0; n < 3; n++) await isIn(server, hello)
    }
    const [ended, unknown] = ['ERR_MULTIPATH_CLOSED', 'ERR_MULTIPATH_UNEXPECTED_CID']
    expect(refused).toEqual([ended, ended, unknown, unknown, unknown, unknown])
  })
})

describe('CIDs that have ended', () => {
  it('are so many, and the oldest is forgotten', () => {
    const ended = new EndedCids(1)
    for (let n = 0; n <= 16_384; n++) ended.add(String(n), 0)
    expect(['0', '1', '16384'].map((key) => ended.takes(key, 1))).toEqual([false, true, true])
  })

  it('are not kept for longer than they are known', () => {
    const ended = new EndedCids(1)
    for (let n = 0; n < 100; n++) ended.add(String(n), n)
    ended.add('late', 30_050)
    expect(ended.size).toBe(50)
  })
})

describe('joins that have to be proven', () => {
  const greeting = Buffer.concat([
    Buffer.of(0, PONG),
    ANNOUNCEMENT,
    Buffer.of(0, 0),
    encodeSettings({ holdMs: 0, publicKey: new Uint8Array(32).fill(9), nonce: new Uint8Array(16) }),
  ])

  it('take no place of the client, and the oldest of the address that has most makes room', async () => {
    const { server, listener } = await scene({ maxSubflows: 4 })
    const first = await opened(server)
    first.socket.write(greeting)
    const conn = await listener.accept()
    conn.on('error', () => {})
    const closed: unknown[] = []
    conn.on('subflow-close', ({ reason }) => closed.push(reason))
    const strangers: Socket[] = []
    for (let n = 0; n < 3; n++) strangers.push(await say(server, first.hello, '127.0.0.2'))
    await until(() => conn.subflows().length === 4)
    expect(await isIn(server, first.hello)).toBe(true)
    await until(() => closed.length === 1)
    expect(closed).toEqual(['limit'])
    await until(() => strangers[0]!.destroyed)
    expect(strangers.slice(1).every(({ destroyed }) => !destroyed)).toBe(true)
    conn.destroy()
  })

  it('charge the address of whoever proves nothing', async () => {
    const { server, listener } = await scene({ maxRefusalsAtOnce: 2, maxRefusalsPerSecond: 1 })
    const first = await opened(server)
    first.socket.write(greeting)
    const conn = await listener.accept()
    conn.on('error', () => {})
    for (let n = 0; n < 2; n++) {
      const stranger = await say(
        server,
        Buffer.concat([first.hello, greeting, Buffer.of(1, 10, 0)]),
        '127.0.0.2',
      )
      await heardUntilClose(stranger)
    }
    expect(await isIn(server, first.hello, '127.0.0.2')).toBe(false)
    expect(await isIn(server, first.hello)).toBe(true)
    conn.destroy()
  })
})
