// SPDX-License-Identifier: Apache-2.0
/** UDP of a program: what the kernel tells of its packets, and where they go. */
import type { Socket } from 'node:dgram'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { Flow } from '../../../lib/cli/udp/flow.js'
import { ProgramFlows } from '../../../lib/cli/run/program-flows.js'
import { FirstPackets } from '../../../lib/cli/run/first-packets.js'
import type { Traced } from '../../../lib/cli/run/udp-trace.js'
import { parseTrace } from '../../../lib/cli/run/udp-trace.js'
import type { ClientContext } from '../../../lib/cli/streams/run-client.js'
import { fuzzSource } from '../../support/fuzz.js'

const IPV4_LINE =
  'trace id be957f49 ip multipath lead packet: oif "lo" ip saddr 198.18.0.1 ip daddr 203.0.113.7 ip dscp cs0 ip ecn not-ect ip ttl 64 ip id 32257 ip length 33 udp sport 36954 udp dport 9999 udp length 13 @th,64,40 0x68656c6c6f '
const IPV6_LINE =
  'trace id 9b31fb0c ip6 multipath lead packet: oif "lo" ip6 saddr fd6d:7061:7468::1 ip6 daddr 2001:db8::7 ip6 dscp cs0 ip6 ecn not-ect ip6 hoplimit 64 ip6 flowlabel 5 ip6 nexthdr udp ip6 length 9 udp sport 50000 udp dport 443 udp length 9 @th,64,8 0x61 '
/** The line about a packet of one program. */
const traced = (address: string, text: string, clientPort = 1000): Traced => ({
  ...{ clientAddress: '198.18.0.1', clientPort, address, port: 9 },
  ...{ bytes: text.length, beginning: Buffer.from(text).toString('hex', 0, 12) },
})

describe('a line of the kernel about a packet', () => {
  it('says whose it is, and where it goes, in both families', () => {
    expect(parseTrace(IPV4_LINE)).toEqual({ ...traced('203.0.113.7', 'hello', 36_954), port: 9999 })
    expect(parseTrace(IPV6_LINE)).toEqual({
      ...{ clientAddress: 'fd6d:7061:7468::1', clientPort: 50_000, address: '2001:db8::7', port: 443 },
      ...{ bytes: 1, beginning: '61' },
    })
    const empty = IPV6_LINE.replace(/udp length 9.*/, 'udp length 8')
    expect(parseTrace(empty)).toMatchObject({ bytes: 0, beginning: '' })
    const zeros = IPV6_LINE.replace(/udp length 9.*/, 'udp length 12 @th,64,32 0x61')
    expect(parseTrace(zeros)).toMatchObject({ bytes: 4, beginning: '00000061' })
  })

  it.each([
    '',
    'trace id be957f49 ip multipath lead rule meta l4proto udp meta nftrace set 1 dnat to :1 (verdict accept)',
    IPV4_LINE.replace('lead', 'refuse'),
    IPV4_LINE.replace('203.0.113.7', '203.0.113.777'),
    IPV4_LINE.replace('9999', '99999'),
    IPV4_LINE.replace('udp dport', 'tcp dport'),
  ])('says nothing otherwise: %s', (line) => {
    expect(parseTrace(line)).toBeUndefined()
  })

  it('given anything, is read or is none', () => {
    const { random, inputs } = fuzzSource('lines about packets', 20_000)
    let read = 0
    for (let n = 0; n < inputs; n++) {
      const line = Buffer.from(random.pick([IPV4_LINE, IPV6_LINE]))
      for (let left = random.integer(0, 3); left > 0; left--)
        line[random.integer(0, line.length - 1)] = random.integer(32, 126)
      const found = parseTrace(
        line.toString('latin1').slice(0, random.pick([line.length, random.integer(0, 200)])),
      )
      if (found === undefined) continue
      read++
      for (const port of [found.port, found.clientPort]) expect(port > 0 && port < 65_536).toBe(true)
    }
    expect(read).toBeGreaterThan(inputs / 10)
  })
})

describe('the first packets of flows', () => {
  const came = (first: FirstPackets, text: string, port = 1000, now = 0): string | undefined =>
    first.came({ address: '198.18.0.1', port }, Buffer.from(text), now)?.address

  it('go where their own lines say, whichever comes first', () => {
    const first = new FirstPackets()
    expect(came(first, 'to seven')).toBeUndefined()
    expect(came(first, 'to eight')).toBeUndefined()
    expect(first.traced(traced('203.0.113.8', 'to eight'), 0)?.toString()).toBe('to eight')
    expect(first.traced(traced('203.0.113.7', 'to seven'), 0)?.toString()).toBe('to seven')
    expect(first.traced(traced('203.0.113.9', 'to nine'), 0)).toBeUndefined()
    expect(came(first, 'to nine', 1001)).toBeUndefined()
    expect(came(first, 'to nine')).toBe('203.0.113.9')
    // The next one is not the first.
    expect(came(first, 'to nine')).toBeUndefined()
  })

  it('are lost where it cannot be told which of several lines is about them', () => {
    const first = new FirstPackets()
    for (const address of ['203.0.113.7', '203.0.113.8']) first.traced(traced(address, 'hello'), 0)
    expect(came(first, 'hello')).toBeUndefined()
    expect(came(first, 'hello!')).toBeUndefined()
  })

  it('do not go where an old line says', () => {
    const first = new FirstPackets()
    first.traced(traced('203.0.113.7', 'hello'), 0)
    expect(came(first, 'hello', 1000, 1001)).toBeUndefined()
    expect(first.traced(traced('203.0.113.8', 'hello'), 1002)?.toString()).toBe('hello')
  })

  it('wait for their lines up to a limit, and so do the lines', () => {
    const first = new FirstPackets()
    for (let n = 0; n < 65; n++) came(first, `packet ${n}`)
    expect(first.traced(traced('203.0.113.7', 'packet 0'), 0)).toBeUndefined()
    expect(first.traced(traced('203.0.113.7', 'packet 1'), 0)).toBeDefined()
    const others = new FirstPackets()
    for (let n = 0; n < 65; n++) others.traced(traced('203.0.113.7', `packet ${n}`), 0)
    expect([came(others, 'packet 0'), came(others, 'packet 1')]).toEqual([undefined, '203.0.113.7'])
  })
})

/** A socket on loopback. */
async function udp(): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return socket
}

/** Flows of a program without a session: each waits for one. */
function programFlows() {
  const sent = vi.spyOn(Flow.prototype, 'send')
  const closed: string[] = []
  const context = {
    keeper: { session: () => new Promise(() => {}) },
    hubOf: () => expect.unreachable(),
    log: { detail: () => {}, warn: () => {} },
    streams: { add: () => () => {} },
  } as unknown as ClientContext
  const flows = new ProgramFlows(context, (address) => closed.push(address))
  onTestFinished(() => {
    flows.close()
    sent.mockRestore()
  })
  const bytes = (): number => sent.mock.calls.reduce((sum, [packet]) => sum + packet.length, 0)
  return { flows, bytes, closed }
}

describe('the flows of a program', () => {
  const destination = { host: 'web.example', port: 9 }
  const address = '203.0.113.7'

  it('take what came before it was known where it goes, up to a limit', async () => {
    const { flows, bytes, closed } = programFlows()
    const [socket, program] = [await udp(), await udp()]
    onTestFinished(() => void program.close())
    flows.opened(address, socket)
    const { port } = program.address()
    for (let n = 0; n < 10; n++) program.send(Buffer.alloc(100), socket.address().port, '127.0.0.1')
    for (let n = 0; n < 10; n++) await once(socket, 'message')
    flows.leads({ client: { host: '127.0.0.1', port }, address, destination, packet: 'eHh4' })
    expect(bytes()).toBe(1003)
    // An address that has no socket any more.
    flows.leads({ client: { host: '127.0.0.1', port }, address: '203.0.113.8', destination, packet: 'eHh4' })
    expect([bytes(), closed]).toEqual([1003, []])
  })

  it('lead to 512 addresses at a time: the one told of longest ago loses its socket', async () => {
    const { flows, closed } = programFlows()
    const socket = (): Socket => ({ ...fake, close: vi.fn() }) as unknown as Socket
    const fake = { setRecvBufferSize: () => {}, on: () => {} }
    const sockets = Array.from({ length: 513 }, socket)
    for (const [n, one] of sockets.slice(0, 512).entries()) flows.opened(`10.0.${n >> 8}.${n & 255}`, one)
    flows.leads({ client: { host: '127.0.0.1', port: 1 }, address: '10.0.0.0', destination })
    expect(closed).toEqual([])
    flows.opened('10.1.0.0', sockets[512]!)
    expect(closed).toEqual(['10.0.0.1'])
    expect(sockets[1]!.close).toHaveBeenCalledTimes(1)
  })

  it('have 1,024 sockets of the program at one address, of which the one told of longest ago is forgotten', async () => {
    const { flows, bytes } = programFlows()
    let message: (packet: Buffer, from: object) => void = () => {}
    const fake = { setRecvBufferSize: () => {}, close: () => {} }
    const on = (name: string, listener: typeof message): void => {
      if (name === 'message') message = listener
    }
    flows.opened(address, { ...fake, on } as unknown as Socket)
    for (let port = 1; port <= 1025; port++)
      flows.leads({ client: { host: '127.0.0.1', port }, address, destination })
    message(Buffer.alloc(5), { address: '127.0.0.1', port: 1 })
    expect(bytes()).toBe(0)
    message(Buffer.alloc(7), { address: '127.0.0.1', port: 2 })
    expect(bytes()).toBe(7)
    // Of those that nothing is known of, 64 wait.
    for (let n = 0; n < 100; n++) message(Buffer.alloc(1000), { address: '127.0.0.1', port: 5000 })
    flows.leads({ client: { host: '127.0.0.1', port: 5000 }, address, destination })
    expect(bytes()).toBe(7 + 63_000)
  })
})
