// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo, Server, Socket } from 'node:net'
import { connect, isIPv6 } from 'node:net'
import { createServer as createTlsServer, connect as tlsConnect } from 'node:tls'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { ListenerOptions } from '../../lib/index.js'
import { MultipathListener, webSocketServer } from '../../lib/index.js'
import { AddressBudget } from '../../lib/listen/address-budget.js'
import { ManualClock } from '../../lib/testing/index.js'
import { CERTIFICATE } from '../support/certificate.js'
import { v2 } from '../support/proxy-headers.js'
import { client, heardUntilClose, listening, portOf } from '../support/tcp.js'
import { until } from '../support/turns.js'

/** A hello, and the pong that every dialer says with the answer. */
const OPENING = Buffer.concat([Buffer.alloc(17), Buffer.of(0, 1)])
/** Two at once, and two a second after that. */
const LIMITS = { maxRefusalsAtOnce: 2, maxRefusalsPerSecond: 2 }
const UNKNOWN = 'ERR_MULTIPATH_UNEXPECTED_CID'
const LIMIT = 'ERR_MULTIPATH_LIMIT'

function unknownHello(): Buffer {
  return Buffer.concat([Buffer.alloc(1), randomBytes(16)])
}

/** An unknown hello that a proxy passes on. */
function proxied(remoteAddress: string): Buffer {
  const localAddress = isIPv6(remoteAddress) ? '2001:db8::1' : '192.0.2.1'
  const header = v2({ remoteAddress, remotePort: 5000, localAddress, localPort: 7000 })
  return Buffer.concat([header, unknownHello()])
}

/** What was refused: why, and how much of it had been read. */
interface Refused {
  readonly code: string
  readonly bytesRead: number
}

async function listenerOn(server: Server, options: ListenerOptions = {}) {
  const clock = new ManualClock()
  const listener = new MultipathListener([server], [], { ...LIMITS, clock, ...options })
  onTestFinished(() => listener.close())
  const refused: Refused[] = []
  listener.on('refused', (error, stream) => {
    const { bytesRead } = stream as unknown as Socket
    refused.push({ code: (error as { code?: string }).code!, bytesRead })
  })
  /** Says `hello` to it. Resolves when the listener has refused it. */
  const say = async (hello: Buffer, localAddress = '127.0.0.1'): Promise<Refused> => {
    const count = refused.length
    const socket = connect({ port: portOf(server), host: '127.0.0.1', localAddress })
    socket.on('error', () => {})
    const heard = heardUntilClose(socket)
    socket.write(hello)
    expect(await heard).toHaveLength(0)
    await until(() => refused.length > count)
    return refused.at(-1)!
  }
  return { listener, clock, refused, say }
}

describe('an address with too many refused hellos', () => {
  it('gets its sockets closed unread until some time has passed, and others do not', async () => {
    const server = await listening()
    const { listener, clock, say } = await listenerOn(server)
    for (let n = 0; n < 2; n++) expect(await say(unknownHello())).toEqual({ code: UNKNOWN, bytesRead: 17 })
    expect(await say(unknownHello())).toEqual({ code: LIMIT, bytesRead: 0 })
    // Whatever it would have said.
    expect(await say(OPENING)).toEqual({ code: LIMIT, bytesRead: 0 })
    expect(await say(unknownHello(), '127.0.0.2')).toEqual({ code: UNKNOWN, bytesRead: 17 })
    clock.advance(499)
    expect(await say(OPENING)).toMatchObject({ code: LIMIT })
    clock.advance(1)
    expect(await say(unknownHello())).toMatchObject({ code: UNKNOWN })
    expect(await say(OPENING)).toMatchObject({ code: LIMIT })
    clock.advance(500)
    ;(await client(server)).write(OPENING)
    ;(await listener.accept()).destroy()
  })

  it('gets no more in at once than may be refused yet', async () => {
    const server = await listening()
    const { listener, clock, refused, say } = await listenerOn(server)
    for (let n = 0; n < 2; n++) await say(unknownHello())
    clock.advance(500)
    await client(server)
    await until(() => listener.pendingHandshakes === 1)
    expect(await say(OPENING)).toEqual({ code: LIMIT, bytesRead: 0 })
    expect(refused).toHaveLength(3)
    expect(listener.pendingHandshakes).toBe(1)
  })

  it('has another share for each connection that it has opened and that stands, and no more than that', async () => {
    const server = await listening()
    const { listener, clock, say } = await listenerOn(server)
    const friends = [await client(server), await client(server)]
    for (const friend of friends) friend.write(OPENING)
    const conns = [await listener.accept(), await listener.accept()]
    for (let n = 0; n < 2; n++) expect(await say(unknownHello())).toEqual({ code: UNKNOWN, bytesRead: 17 })
    expect(await say(unknownHello())).toEqual({ code: LIMIT, bytesRead: 0 })
    // Six a second in place of two.
    clock.advance(167)
    expect(await say(unknownHello())).toMatchObject({ code: UNKNOWN })
    expect(await say(unknownHello())).toMatchObject({ code: LIMIT })
    for (const conn of conns) conn.destroy()
    await until(() => listener.connections === 0)
    clock.advance(490)
    expect(await say(unknownHello())).toMatchObject({ code: LIMIT })
    clock.advance(10)
    expect(await say(unknownHello())).toMatchObject({ code: UNKNOWN })
  })

  it('is charged by a program, too, for what strangers do to it', async () => {
    const server = await listening()
    const { listener, say } = await listenerOn(server)
    listener.charge('::ffff:127.0.0.1', 2)
    listener.charge(undefined)
    expect(await say(OPENING)).toEqual({ code: LIMIT, bytesRead: 0 })
    expect(await say(unknownHello(), '127.0.0.2')).toMatchObject({ code: UNKNOWN })
    expect(() => listener.charge('127.0.0.1', 0)).toThrow(/count must be an integer from 1/)
  })

  it('does not get as far as a TLS handshake', async () => {
    const server = await listening(createTlsServer(CERTIFICATE))
    const { refused } = await listenerOn(server)
    let secured = 0
    server.on('secureConnection', () => secured++)
    for (let n = 0; n < 3; n++) {
      const socket = tlsConnect({ port: portOf(server), host: '127.0.0.1', rejectUnauthorized: false })
      socket.once('secureConnect', () => socket.write(unknownHello()))
      await heardUntilClose(socket.on('error', () => {}))
      await until(() => refused.length === n + 1)
    }
    expect(refused.map(({ code }) => code)).toEqual([UNKNOWN, UNKNOWN, LIMIT])
    expect(secured).toBe(2)
  })

  it('behind a trusted proxy is that of the client, whom the header names', async () => {
    const server = await listening()
    const { say } = await listenerOn(server, { trustedProxies: ['127.0.0.1'] })
    for (let n = 0; n < 2; n++) expect(await say(proxied('203.0.113.9'))).toMatchObject({ code: UNKNOWN })
    expect(await say(proxied('203.0.113.9'))).toMatchObject({ code: LIMIT })
    expect(await say(proxied('203.0.113.10'))).toMatchObject({ code: UNKNOWN })
  })

  it('is a network of 64 bits where it is IPv6: a host there has as many addresses as it likes', async () => {
    const server = await listening()
    const { say } = await listenerOn(server, { trustedProxies: ['127.0.0.1'] })
    for (let n = 1; n <= 2; n++)
      expect(await say(proxied(`2001:db8:9:9::${n}`))).toMatchObject({ code: UNKNOWN })
    expect(await say(proxied('2001:db8:9:9:a:b:c:d'))).toMatchObject({ code: LIMIT })
    expect(await say(proxied('2001:db8:9:8::1'))).toMatchObject({ code: UNKNOWN })
  })

  it.each([
    ['a wrong version', Buffer.of(0x47), undefined, 'ERR_MULTIPATH_UNEXPECTED_VERSION'],
    ['a join that was refused', undefined, { authorizeJoin: () => false }, 'ERR_MULTIPATH_REFUSED'],
    ['a join too many', undefined, { maxSubflows: 1 }, LIMIT],
  ])('pays for %s as for an unknown CID', async (_what, bytes, options, code) => {
    const server = await listening()
    const { listener, say } = await listenerOn(server, options)
    const friend = await client(server)
    friend.write(OPENING)
    const [answer] = (await once(friend, 'data')) as [Buffer]
    const conn = await listener.accept()
    for (let n = 0; n < 2; n++)
      expect(await say(bytes ?? answer.subarray(0, 17))).toEqual({ code, bytesRead: bytes?.length ?? 17 })
    expect(await say(OPENING)).toEqual({ code: LIMIT, bytesRead: 0 })
    conn.destroy()
  })

  it('is not that of one who gives up, or takes too long', async () => {
    const server = await listening()
    const { listener, clock, refused, say } = await listenerOn(server)
    for (let n = 0; n < 3; n++) {
      const socket = await client(server)
      await until(() => listener.pendingHandshakes === 1)
      socket.write(unknownHello().subarray(0, 16))
      if (n === 0) clock.advance(10_000)
      else socket.end()
      await until(() => refused.length === n + 1)
    }
    expect(await say(unknownHello())).toMatchObject({ code: UNKNOWN })
  })
})

describe('what comes before a hello', () => {
  const tls = () => listening(createTlsServer(CERTIFICATE))
  const web = async () => (await webSocketServer({ port: 0, host: '127.0.0.1' })) as unknown as Server
  const says = (text: string) => async (server: Server) => {
    const socket = await client(server)
    socket.write(text)
    await heardUntilClose(socket)
  }
  const securely = async (server: Server): Promise<void> => {
    const socket = tlsConnect({ port: portOf(server), host: '127.0.0.1', rejectUnauthorized: false })
    socket.once('secureConnect', () => socket.end())
    await heardUntilClose(socket.on('error', () => {}))
  }
  const givesUp = async (server: Server): Promise<void> => void (await client(server)).destroy()

  it.each<[string, boolean, () => Promise<Server>, (server: Server) => Promise<void>]>([
    ['what is no TLS', true, tls, says('GET / HTTP/1.1\r\n\r\n')],
    ['a request for something else', true, web, says('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['what is no request', true, web, says('\r\n\r\n')],
    ['TLS that is given up', false, tls, givesUp],
    ['TLS that is given up behind the handshake', false, tls, securely],
    ['a request that is given up', false, web, givesUp],
  ])(
    'is paid for where it is wrong, and free where its peer gives up: %s',
    async (_what, isPaid, serverOf, act) => {
      const server = await serverOf()
      const { listener, refused } = await listenerOn(server)
      for (let n = 0; n < 2; n++) {
        let sockets = 0
        const { sockets: source = server } = server as { sockets?: Server }
        source.once('connection', () => sockets++)
        await act(server)
        await until(() => sockets === 1 && listener.pendingHandshakes === 0)
      }
      const limited = (): number => refused.filter(({ code }) => code === LIMIT).length
      const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
      socket.on('error', () => {}).resume()
      await until(() => limited() + listener.pendingHandshakes > 0)
      expect(limited()).toBe(isPaid ? 1 : 0)
      socket.destroy()
    },
  )
})

describe('the budget of an address', () => {
  const budgetOf = (burst: number, perSecond = 1) => {
    const clock = new ManualClock()
    return { clock, budget: new AddressBudget({ burst, perSecond, clock }) }
  }

  it('is taken by handshakes under way already, up to as many as may be under way', () => {
    const { clock, budget } = budgetOf(4)
    expect(budget.isSpent('192.0.2.1', 4)).toBe(false)
    budget.charge('192.0.2.1', 2)
    expect([1, 2].map((pending) => budget.isSpent('192.0.2.1', pending))).toEqual([false, true])
    clock.advance(2000)
    expect([3, 4].map((pending) => budget.isSpent('192.0.2.1', pending))).toEqual([false, false])
  })

  it('is kept of so many addresses, those charged last', () => {
    const { budget } = budgetOf(1)
    const addressOf = (n: number): string => `10.0.${n >> 8}.${n & 255}`
    for (let n = 0; n < 4096; n++) budget.charge(addressOf(n))
    budget.charge(addressOf(0))
    budget.charge(addressOf(4096))
    expect([0, 1, 2, 4096].map((n) => budget.isSpent(addressOf(n), 0))).toEqual([true, false, true, true])
  })

  it('has no more than so many shares, however many connections stand', () => {
    const { clock, budget } = budgetOf(1000)
    for (let n = 0; n < 200; n++) budget.vouch('192.0.2.1')
    budget.charge('192.0.2.1', 1000)
    clock.advance(1000)
    expect([63, 64].map((pending) => budget.isSpent('192.0.2.1', pending))).toEqual([false, true])
    budget.charge('192.0.2.1', 64)
    for (let n = 0; n < 200; n++) budget.withdraw('192.0.2.1')
    clock.advance(1000)
    expect([0, 1].map((pending) => budget.isSpent('192.0.2.1', pending))).toEqual([false, true])
  })

  it('is that of nobody who has no address, and has no end where there is no limit', () => {
    const { budget } = budgetOf(1, Infinity)
    for (const address of [undefined, '192.0.2.1']) {
      budget.charge(address, 3)
      expect(budget.isSpent(address, 0)).toBe(false)
    }
  })
})
