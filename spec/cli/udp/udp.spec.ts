// SPDX-License-Identifier: Apache-2.0
/** UDP through `serve`, as its users run it, on loopback: forwarded ports, and SOCKS5 UDP ASSOCIATE. */
import type { Socket } from 'node:dgram'
import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import type { Socket as TcpSocket } from 'node:net'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { PathRelay } from '../../../interop/support/path-relay.js'
import { answerQuery } from '../../../lib/cli/run/dns-message.js'
import { freePorts } from '../../support/free-ports.js'
import { at, command, dial, serve, socks } from '../../support/streams.js'

vi.setConfig({ testTimeout: 60_000 })

/** A UDP socket on a port of loopback. */
async function udp(): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  onTestFinished(() => {
    socket.close()
  })
  return socket
}

/** A server that sends back what it gets, with the port that it came from in front. */
async function echo(): Promise<number> {
  const socket = await udp()
  socket.on('message', (packet, { port, address }) => {
    socket.send(Buffer.concat([Buffer.from(`${port} `), packet]), port, address)
  })
  return socket.address().port
}

async function said(socket: Socket): Promise<string> {
  const [packet] = (await once(socket, 'message')) as [Buffer]
  return packet.toString()
}

/** Sends until there is an answer: the first packets may be lost. */
async function asks(socket: Socket, port: number, text: string | Buffer): Promise<string> {
  const answer = said(socket)
  const again = setInterval(() => socket.send(text, port, '127.0.0.1'), 300)
  socket.send(text, port, '127.0.0.1')
  try {
    return await answer
  } finally {
    clearInterval(again)
  }
}

/** `multipath forward` of a UDP port. */
async function forwardUdp(to: string, target: string, ...args: string[]) {
  const [port] = await freePorts(1)
  const cli = command(['forward', '--to', to, '--local', `udp:${port}=${target}`, '-v', ...args])
  await cli.line(/listening on udp/)
  await cli.line(/connected to/)
  return { cli, port: port! }
}

describe('a forwarded port of UDP', () => {
  it('leads to what serve allows for UDP, each program as a flow of its own, which is listed', async () => {
    const target = await echo()
    const there = await serve(['--allow', `udp:echo=${at(target)}`, '-v'])
    const here = await forwardUdp(at(there.port), 'echo')
    const [one, two] = [await udp(), await udp()]
    const first = await asks(one, here.port, 'one')
    const second = await asks(two, here.port, 'two')
    expect(first).toMatch(/^\d+ one$/)
    expect(second).toMatch(/^\d+ two$/)
    expect(first.split(' ')[0]).not.toBe(second.split(' ')[0])
    await here.cli.line(/udp echo: open/)
    await there.cli.line(/udp echo: open/)
  })

  it('leads queries of names to a server, and its answers back', async () => {
    const server = await udp()
    server.on('message', (query, { port, address }) => {
      const found = (name: string) => (name === 'web.example' ? { ipv4: [203, 0, 113, 7] } : undefined)
      server.send(answerQuery(query, found)!, port, address)
    })
    const there = await serve(['--allow', `udp:dns=${at(server.address().port)}`])
    const here = await forwardUdp(at(there.port), 'dns')
    const resolver = new Resolver()
    resolver.setServers([at(here.port)])
    expect(await resolver.resolve4('web.example')).toEqual(['203.0.113.7'])
    await expect(resolver.resolve4('other.example')).rejects.toMatchObject({ code: 'ENOTFOUND' })
  })

  it('takes packets of any size that UDP has, empty ones as well', async () => {
    const target = at(await echo())
    const there = await serve(['--allow', `udp:${target}`])
    const here = await forwardUdp(at(there.port), target)
    const program = await udp()
    expect(await asks(program, here.port, '')).toMatch(/^\d+ $/)
    const long = 'x'.repeat(60_000)
    expect((await asks(program, here.port, long)).split(' ')[1]).toBe(long)
  })

  it('goes on by the other path when one is cut', async () => {
    const there = await serve(['--allow', `udp:echo=${at(await echo())}`])
    await using relay = await PathRelay.open(there.port)
    const here = await forwardUdp(relay.address, 'echo', '--to', at(there.port))
    const program = await udp()
    await asks(program, here.port, 'before')
    relay.refuse(true)
    relay.reset()
    expect(await asks(program, here.port, 'behind')).toMatch(/behind|before/)
    expect(here.cli.lines.filter((line) => line.includes('connected to'))).toHaveLength(1)
  })

  it('leads nowhere where serve allows its target for TCP alone, and both say so once', async () => {
    const target = await echo()
    const there = await serve(['--allow', `echo=${at(target)}`])
    const here = await forwardUdp(at(there.port), at(target))
    const program = await udp()
    for (let n = 0; n < 10; n++) program.send('anybody?', here.port, '127.0.0.1')
    await there.cli.line(/refused udp 127\.0\.0\.1:\d+: no rule allows it/)
    await here.cli.line(/udp 127\.0\.0\.1:\d+: not-allowed/)
    expect(here.cli.lines.filter((line) => line.includes('not-allowed'))).toHaveLength(1)
  })

  it('does not keep the command from its end', async () => {
    const there = await serve(['--allow', `udp:echo=${at(await echo())}`])
    const here = await forwardUdp(at(there.port), 'echo')
    await asks(await udp(), here.port, 'x')
    const startedAt = performance.now()
    here.cli.kill('SIGTERM')
    await here.cli.exited
    there.cli.kill('SIGTERM')
    await there.cli.exited
    expect(performance.now() - startedAt).toBeLessThan(10_000)
  })
})

const GREETING = Buffer.of(5, 1, 0)
const ASSOCIATE = Buffer.of(5, 3, 0, 1, 0, 0, 0, 0, 0, 0)

/** A packet for `port` of loopback, as RFC 1928 has it. */
function packet(port: number, text: string, fragment = 0): Buffer {
  return Buffer.concat([
    Buffer.of(0, 0, fragment, 1, 127, 0, 0, 1, port >> 8, port & 0xff),
    Buffer.from(text),
  ])
}

/** The port that a proxy of SOCKS5 gives to a program. */
async function associated(proxy: number): Promise<{ control: TcpSocket; port: number }> {
  const control = await dial(proxy)
  control.write(Buffer.concat([GREETING, ASSOCIATE]))
  let heard = Buffer.alloc(0)
  while (heard.length < 12) {
    const [chunk] = (await once(control, 'data')) as [Buffer]
    heard = Buffer.concat([heard, chunk])
  }
  expect(heard.toString('hex', 0, 10)).toBe('0500050000017f000001')
  return { control, port: heard.readUInt16BE(10) }
}

describe('UDP ASSOCIATE of SOCKS5', () => {
  it('leads to whatever serve allows for UDP, until its connection ends', async () => {
    const [one, two] = [await echo(), await echo()]
    const there = await serve(['--allow-socks', 'udp:127.0.0.0/8:*'])
    const proxy = await socks(there.port)
    const { control, port } = await associated(proxy.port)
    const program = await udp()
    for (const target of [one, two]) {
      expect(await asks(program, port, packet(target, 'hello'))).toMatch(/ hello$/)
    }
    control.end()
    await once(control, 'close')
    const silent = vi.fn()
    program.on('message', silent)
    program.send(packet(one, 'too late'), port, '127.0.0.1', () => {})
    program.on('error', () => {})
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(silent).not.toHaveBeenCalled()
  })

  it('drops fragments, and what others than the program send', async () => {
    const target = await echo()
    const there = await serve(['--allow-socks', 'udp:127.0.0.0/8:*'])
    const proxy = await socks(there.port)
    const { port } = await associated(proxy.port)
    const [program, other] = [await udp(), await udp()]
    const heard: string[] = []
    for (const socket of [program, other])
      socket.on('message', (bytes) => heard.push(bytes.toString('latin1')))
    await asks(program, port, packet(target, 'first'))
    program.send(packet(target, 'a fragment', 1), port, '127.0.0.1')
    other.send(packet(target, 'not mine'), port, '127.0.0.1')
    await asks(program, port, packet(target, 'last'))
    expect(heard.filter((text) => /fragment|mine/.test(text))).toEqual([])
  })
})
