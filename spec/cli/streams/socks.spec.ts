// SPDX-License-Identifier: Apache-2.0
/** `multipath socks` as programs use it: SOCKS5 and HTTP CONNECT on one port, spoken by the book and by curl. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import type { Socket } from 'node:net'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { buffer, text } from 'node:stream/consumers'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { freePorts } from '../../support/free-ports.js'
import { at, command, dial, echo, ending, serve, socks, target } from '../../support/streams.js'
import { heardUntilClose, portOf } from '../../support/tcp.js'
import { tempFiles } from '../../support/temp-files.js'

vi.setConfig({ testTimeout: 60_000 })

const write = tempFiles()
const hasIPv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
)
const hasCurl = spawnSync('curl', ['--version']).status === 0

const port16 = (port: number): Buffer => Buffer.of(port >> 8, port & 0xff)
const ipv4 = (port: number): Buffer => Buffer.concat([Buffer.of(5, 1, 0, 1, 127, 0, 0, 1), port16(port)])
const named = (name: string, port: number): Buffer =>
  Buffer.concat([Buffer.of(5, 1, 0, 3, name.length), Buffer.from(name), port16(port)])
const GREETING = Buffer.of(5, 1, 0)

/** A client that says all at once, the first bytes for the target included, and hears all. */
async function say(port: number, ...words: (Buffer | string)[]): Promise<Buffer> {
  const socket = await dial(port)
  socket.end(Buffer.concat(words.map((word) => Buffer.from(word))))
  return buffer(socket)
}

const SUCCESS = '050005000001000000000000'

/** A server that sends back what it gets, until `leaves` is called. */
async function fleetingEcho(): Promise<{ port: number; leaves: () => Promise<void> }> {
  // Of those that nobody else is given once it has been left.
  const [port] = await freePorts(1)
  const server = createServer((socket) => socket.pipe(socket)).listen(port, '127.0.0.1')
  await once(server, 'listening')
  const leaves = async (): Promise<void> => {
    server.close()
    await once(server, 'close')
  }
  return { port: port!, leaves }
}

/** Asks for `port`, is told that it is connected, and is reset. */
async function expectEarlyReset(proxy: number, port: number): Promise<void> {
  const client = await dial(proxy)
  const heard = heardUntilClose(client)
  // To Node a reset that is found together with bytes is an end; whoever writes learns of it.
  client.once('end', () => client.write('?'))
  client.write(Buffer.concat([GREETING, ipv4(port)]))
  expect(await ending(client)).toBe('ECONNRESET')
  expect((await heard).toString('hex')).toBe(SUCCESS)
}

describe('a SOCKS5 client', () => {
  it('is led to an IPv4 address, with what it says before it is answered', async () => {
    const port = await echo()
    const there = await serve(['--allow-socks', `127.0.0.1:${port}`])
    const proxy = await socks(there.port)
    const heard = await say(proxy.port, GREETING, ipv4(port), 'hello')
    expect(heard.toString('hex')).toBe(SUCCESS + Buffer.from('hello').toString('hex'))
  })

  it('is led to a name, which is looked up at the other end', async () => {
    const port = await echo()
    const there = await serve(['--allow', `localhost:${port}`])
    const proxy = await socks(there.port)
    const heard = await say(proxy.port, GREETING, named('LOCALHOST.', port), 'by name')
    expect(heard.subarray(12).toString()).toBe('by name')
  })

  it.skipIf(!hasIPv6)('is led to an IPv6 address', async () => {
    const server = createHttpServer((_, response) => response.end('over IPv6')).listen(0, '::1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const port = portOf(server)
    const there = await serve(['--allow-socks', `[::1]:${port}`])
    const proxy = await socks(there.port)
    const address = Buffer.concat([Buffer.of(5, 1, 0, 4), Buffer.alloc(15), Buffer.of(1), port16(port)])
    const heard = await say(proxy.port, GREETING, address, 'GET / HTTP/1.0\r\n\r\n')
    expect(heard.toString()).toMatch(/over IPv6$/)
  })

  it('is told why it is led nowhere', async () => {
    const [nobody] = await freePorts(1)
    const port = await echo()
    const rules = [`*:${port}`, `127.0.0.1:${nobody!}`, `*.invalid:80`].flatMap((rule) => [
      '--allow-socks',
      rule,
    ])
    const there = await serve(rules)
    const proxy = await socks(there.port)
    const code = async (request: Buffer): Promise<number> => (await say(proxy.port, GREETING, request))[3]!
    expect(await code(ipv4(9))).toBe(2)
    // Allowed by its name, but it leads to loopback: as if it did not exist.
    expect(await code(named('localhost', port))).toBe(4)
    expect(await code(ipv4(nobody!))).toBe(5)
    expect(await code(named('a b', port))).toBe(1)
    await there.cli.line(/refused localhost:\d+: it resolves to .*127\.0\.0\.1.*, which no rule allows/)
  })

  it('needs user and password where a file of them is given', async () => {
    const file = write('logins', 'anna:s3cret\n')
    const port = await echo()
    const there = await serve(['--allow', at(port)])
    const proxy = await socks(there.port, ['--login-file', file])
    const login = (password: string): Buffer =>
      Buffer.concat([
        Buffer.of(5, 1, 2, 1, 4),
        Buffer.from('anna'),
        Buffer.of(password.length),
        Buffer.from(password),
      ])
    expect((await say(proxy.port, GREETING)).toString('hex')).toBe('05ff')
    expect((await say(proxy.port, login('wrong!'))).toString('hex')).toBe('05020101')
    const heard = await say(proxy.port, login('s3cret'), ipv4(port), 'hello')
    expect(heard.subarray(14).toString()).toBe('hello')
  })

  it('is refused after --wait while there is no session, and served once there is one', async () => {
    const [later] = await freePorts(1)
    const port = await echo()
    const cli = command(['socks', '--to', at(later!), '--listen', '0', '--wait', '0.2'])
    const proxy = Number((await cli.line(/listening on \S+:(\d+)/))[1])
    expect((await say(proxy, GREETING, ipv4(port)))[3]).toBe(1)
    expect(String(await say(proxy, 'CONNECT a:1 HTTP/1.1\r\n\r\n'))).toMatch(/^HTTP\/1\.1 504 /)
    command(['serve', '--listen', at(later!), '--allow', at(port)])
    await cli.line(/connected to/)
    expect((await say(proxy, GREETING, ipv4(port), 'now')).subarray(12).toString()).toBe('now')
  })
})

describe('a target that was reached a short while ago', () => {
  it('is taken for reachable: where it has gone since there is a reset, and a reason after that', async () => {
    const { port, leaves } = await fleetingEcho()
    const there = await serve(['--allow', at(port)])
    const proxy = await socks(there.port)
    for (let n = 0; n < 2; n++)
      expect((await say(proxy.port, GREETING, ipv4(port), 'hello')).subarray(12).toString()).toBe('hello')
    await leaves()
    await expectEarlyReset(proxy.port, port)
    expect((await say(proxy.port, GREETING, ipv4(port)))[3]).toBe(5)
  })
})

describe('with --early never', () => {
  it('clients wait for the other end, also where it was reached before', async () => {
    const { port, leaves } = await fleetingEcho()
    const there = await serve(['--allow', at(port)])
    const proxy = await socks(there.port, ['--early', 'never'])
    expect((await say(proxy.port, GREETING, ipv4(port), 'hello')).subarray(12).toString()).toBe('hello')
    await leaves()
    expect((await say(proxy.port, GREETING, ipv4(port)))[3]).toBe(5)
  })
})

describe('with --early always', () => {
  it('clients are led on as ever', async () => {
    const port = await echo()
    const there = await serve(['--allow', at(port)])
    const proxy = await socks(there.port, ['--early', 'always'])
    const heard = await say(proxy.port, GREETING, ipv4(port), 'hello')
    expect(heard.toString('hex')).toBe(SUCCESS + Buffer.from('hello').toString('hex'))
    expect(String(await say(proxy.port, `CONNECT ${at(port)} HTTP/1.1\r\n\r\n`, 'hi'))).toMatch(
      /^HTTP\/1\.1 200 .*hi$/s,
    )
  })

  it('they are told before the other end has answered, and reset where it refuses', async () => {
    const there = await serve(['--allow', 'localhost:9'])
    const proxy = await socks(there.port, ['--early', 'always'])
    await expectEarlyReset(proxy.port, 9)
  })

  it('they are refused with a reason while there is no session', async () => {
    const [nobody] = await freePorts(1)
    const cli = command(['socks', '--to', at(nobody!), '--listen', '0', '--wait', '0.2', '--early', 'always'])
    const proxy = Number((await cli.line(/listening on \S+:(\d+)/))[1])
    expect((await say(proxy, GREETING, ipv4(9)))[3]).toBe(1)
  })
})

describe('an HTTP client', () => {
  it('is led to where it wants by CONNECT, and told where that fails', async () => {
    const port = await echo()
    const there = await serve(['--allow', at(port)])
    const proxy = await socks(there.port)
    const heard = await say(proxy.port, `CONNECT ${at(port)} HTTP/1.1\r\nHost: x\r\n\r\n`, 'hello')
    expect(String(heard)).toBe('HTTP/1.1 200 Connection established\r\n\r\nhello')
    expect(String(await say(proxy.port, `CONNECT ${at(9)} HTTP/1.1\r\n\r\n`))).toMatch(/^HTTP\/1\.1 403 /)
    expect(String(await say(proxy.port, 'GET http://a/ HTTP/1.1\r\n\r\n'))).toMatch(/^HTTP\/1\.1 400 /)
  })
})

describe('a client of the proxy', () => {
  it('that leaves before it is answered leaves nothing open at the target', async () => {
    const sockets: Socket[] = []
    const port = await target((socket) => {
      sockets.push(socket)
      socket.resume().end()
    })
    const there = await serve(['--allow', at(port)])
    const proxy = await socks(there.port)
    const client = await dial(proxy.port)
    client.write(Buffer.concat([GREETING, ipv4(port)]))
    client.resetAndDestroy()
    const other = await dial(proxy.port)
    other.end(Buffer.concat([GREETING, ipv4(port)]))
    expect((await buffer(other)).toString('hex')).toBe(SUCCESS)
    proxy.cli.kill('SIGTERM')
    expect((await proxy.cli.exited).code).toBe(0)
    // Whether the first one ever came or not: what came is closed.
    for (const socket of sockets) expect(await ending(socket)).toMatch(/closed|ECONNRESET/)
  })
})

describe.skipIf(!hasCurl)('curl', () => {
  it('fetches a page by SOCKS5 and by HTTP CONNECT, by name and by address', async () => {
    const page = createHttpServer((_, response) => response.end('a page')).listen(0, '127.0.0.1')
    onTestFinished(() => void page.close())
    await once(page, 'listening')
    const port = portOf(page)
    const there = await serve(['--allow', `localhost:${port}`, '--allow', at(port)])
    const proxy = await socks(there.port)
    const fetched = async (how: string, host: string): Promise<string> => {
      const flags = ['-sS', '--noproxy', '', '--proxytunnel', '--proxy', `${how}://${at(proxy.port)}`]
      return text(spawn('curl', [...flags, `http://${host}:${port}/`]).stdout)
    }
    for (const [how, host] of [
      ['socks5h', 'localhost'],
      ['socks5', '127.0.0.1'],
      ['http', 'localhost'],
    ] as const)
      expect(await fetched(how, host)).toBe('a page')
  })
})
