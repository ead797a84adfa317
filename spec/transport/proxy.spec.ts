// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { proxyDialer } from '../../lib/index.js'
import { httpConnect } from '../../lib/transport/http-connect.js'
import { socks5 } from '../../lib/transport/socks5.js'
import type { Conversation } from '../../lib/transport/conversation.js'
import { readAll } from '../support/pair.js'
import type { TestProxy } from '../support/proxies.js'
import { httpProxy, socks5Proxy } from '../support/proxies.js'
import { listening, portOf } from '../support/tcp.js'
import { quiet } from '../support/turns.js'

const OPTION = expect.objectContaining({ multipathCode: 'ERR_MULTIPATH_OPTION' }) as Error
const REFUSED = { code: 'ERR_MULTIPATH_HANDSHAKE' }
const TARGET = { host: 'target.example', port: 443 }
const LOGIN = { user: 'anna', password: 's3cret:x' }
const free = (): { signal: AbortSignal } => ({ signal: new AbortController().signal })

/** A proxy that does what `serve` says with each connection. */
async function scripted(serve: (socket: Socket) => void | Promise<void>): Promise<number> {
  const server = await listening(
    createServer({ noDelay: true }, (socket) => {
      socket.on('error', () => {})
      onTestFinished(() => {
        socket.destroy()
      })
      void serve(socket)
    }),
  )
  return portOf(server)
}

function dialThrough(proxy: string): Promise<Duplex> {
  return proxyDialer({ proxy, ...TARGET }).dial(free())
}

/** What a conversation says when it hears `answers`, in hexadecimals. */
function said(conversation: Conversation, ...answers: string[]): string[] {
  let step = conversation.next()
  const all: string[] = []
  for (const answer of [...answers, undefined]) {
    if (step.done !== true) all.push(Buffer.from(step.value.send).toString('hex'))
    if (answer !== undefined) step = conversation.next(Buffer.from(answer, 'hex'))
  }
  return all
}

describe('a path through a proxy', () => {
  it.each([
    ['socks5://proxy.example', 'target.example:443 via socks5://proxy.example:1080'],
    ['http://anna:s3cret@proxy.example', 'target.example:443 via http://proxy.example:80'],
    ['socks5://anna:s3cret@[::1]:9/', 'target.example:443 via socks5://[::1]:9'],
  ])('%s has a label without secrets', (proxy, label) => {
    expect(proxyDialer({ proxy, ...TARGET }).label).toBe(label)
    expect(proxyDialer({ proxy: new URL(proxy), ...TARGET, localAddress: '192.0.2.7' }).label).toBe(
      `192.0.2.7|${label}`,
    )
  })

  it.each([
    [{ proxy: 'ftp://anna:s3cret@h' }],
    [{ proxy: 'anna:s3cret' }],
    [{ proxy: 'socks5://anna:s3cret@' }],
    [{ proxy: 'http://anna:s3cret@h/path' }],
    [{ proxy: 'http://anna%3A:s3cret@h' }],
    [{ proxy: 'socks5://:s3cret@h' }],
    [{ proxy: 'socks5://anna:s3cret%ff@h' }],
    [{ proxy: `socks5://anna:s3cret${'x'.repeat(255)}@h` }],
    [{}],
    [{ proxy: 'http://h', host: 'a b' }],
    [{ proxy: 'http://h', host: 'a\r\nX: y' }],
    [{ proxy: 'http://h', host: 'fe80::1%eth0' }],
    [{ proxy: 'http://h', host: 'x'.repeat(256) }],
    [{ proxy: 'http://h', host: '' }],
    [{ proxy: 'http://h', port: -1 }],
    [{ proxy: 'http://h', label: 5 }],
  ])('with %j is refused, and the password is not told', (options) => {
    const make = (): unknown => proxyDialer({ ...TARGET, ...options } as never)
    expect(make).toThrow(OPTION)
    expect(make).not.toThrow(/s3cret/)
  })

  it.each([
    ['SOCKS5', 'socks5', () => socks5Proxy(LOGIN)],
    ['HTTP', 'http', () => httpProxy(`Basic ${Buffer.from('anna:s3cret:x').toString('base64')}`)],
  ])('logs in to one of %s', async (_kind, protocol, start: () => Promise<TestProxy>) => {
    const proxy = await start()
    const server = await listening()
    const accepted = once(server, 'connection') as Promise<[Socket]>
    const url = `${protocol}://anna:s3cret%3Ax@127.0.0.1:${proxy.port}`
    const near = await proxyDialer({ proxy: url, host: 'target.example', port: portOf(server) }).dial(free())
    near.end('hello')
    expect(String(await readAll((await accepted)[0]))).toBe('hello')
    expect(proxy.asked).toEqual([`target.example:${portOf(server)}`])
  })

  it.each([
    ['SOCKS5', 'socks5', () => socks5Proxy(LOGIN), 'the proxy refused the user and password'],
    [
      'HTTP',
      'http',
      () => httpProxy('Basic x'),
      'the proxy answered with status 407 Proxy Authentication Required',
    ],
  ])('tells when one of %s wants another password', async (_kind, protocol, start, message) => {
    const { port } = await start()
    await expect(dialThrough(`${protocol}://anna:wrong@127.0.0.1:${port}`)).rejects.toMatchObject({
      ...REFUSED,
      message,
    })
  })

  it('tells when the proxy cannot be reached', async () => {
    const server = await listening()
    const port = portOf(server)
    await once(server.close(), 'close')
    await expect(dialThrough(`http://127.0.0.1:${port}`)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('keeps what comes right behind the answer, however the answer is cut up', async () => {
    const answers = {
      socks5: Buffer.from('05000500000302616201bb68656c6c6f', 'hex'),
      http: Buffer.from('HTTP/1.1 200 OK\r\nVia: x\r\n\r\nhello'),
    }
    for (const [protocol, answer] of Object.entries(answers)) {
      for (const step of [1, 3, answer.length]) {
        const port = await scripted(async (socket) => {
          socket.resume()
          for (let at = 0; at < answer.length; at += step) {
            socket.write(answer.subarray(at, at + step))
            await quiet(3)
          }
          socket.end()
        })
        const stream = await dialThrough(`${protocol}://127.0.0.1:${port}`)
        expect(String(await readAll(stream)), `${protocol} in steps of ${step}`).toBe('hello')
      }
    }
  })

  it.each([
    ['socks5', 'HTTP/1.1 400 Bad Request\r\n\r\n', 'the proxy does not speak SOCKS5'],
    ['http', 'x'.repeat(20_000), 'the proxy sent an answer that is too long'],
    ['http', 'SSH-2.0-x\r\n\r\n', 'the proxy does not speak HTTP'],
    ['http', 'HTTP/1.1 403 a\u0007b\r\n\r\n', 'the proxy answered with status 403 a?b'],
    ['http', 'HTTP/1.0 503\r\n\r\n', 'the proxy answered with status 503'],
    ['http', 'HTTP/1.1 20', 'the proxy closed the connection without an answer'],
    ['socks5', '', 'the proxy closed the connection without an answer'],
  ])('of %s that answers %j fails with what it said', async (protocol, answer, message) => {
    const port = await scripted((socket) => {
      socket.resume().end(answer)
    })
    const error: unknown = await dialThrough(`${protocol}://anna:s3cret@127.0.0.1:${port}`).catch(
      (thrown: unknown) => thrown,
    )
    expect(error).toMatchObject({ ...REFUSED, message })
  })
})

describe('the words of SOCKS5', () => {
  const asked = (host: string): string => said(socks5({ host, port: 443 }, undefined), '0500')[1]!

  it('name IPv4 and IPv6 addresses as such, and leave names to the proxy', () => {
    expect(asked('192.0.2.7')).toBe('05010001c000020701bb')
    expect(asked('2001:db8::1')).toBe('0501000420010db800000000000000000000000101bb')
    expect(asked('::')).toBe(`05010004${'00'.repeat(16)}01bb`)
    expect(asked('1:2:3:4:5:6:7:8')).toBe('050100040001000200030004000500060007000801bb')
    expect(asked('::ffff:192.0.2.7')).toBe(`05010004${'00'.repeat(10)}ffffc000020701bb`)
    expect(asked('a.example')).toBe('0501000309612e6578616d706c6501bb')
  })

  it('offer a login only where there is one', () => {
    expect(said(socks5(TARGET, undefined))).toEqual(['050100'])
    expect(said(socks5(TARGET, LOGIN), '0502')).toEqual(['05020002', '0104616e6e61087333637265743a78'])
  })

  it.each([
    ['05ff', undefined, 'the proxy requires a user and password'],
    ['05ff', LOGIN, 'the proxy accepts none of the offered login methods'],
    ['0502', undefined, 'the proxy chose login method 2, which was not offered'],
    ['0501', LOGIN, 'the proxy chose login method 1, which was not offered'],
    ['0400', undefined, 'the proxy does not speak SOCKS5'],
  ])('understand the choice %s', (choice, login, message) => {
    expect(() => said(socks5(TARGET, login), choice)).toThrow(message)
  })

  it.each([
    ['0501', 'the proxy answered with code 1: general SOCKS server failure'],
    ['0504', 'the proxy answered with code 4: host unreachable'],
    ['0508', 'the proxy answered with code 8: address type not supported'],
    ['0563', 'the proxy answered with code 99: unassigned'],
    ['0400', 'the proxy does not speak SOCKS5'],
  ])('understand the answer %s', (answer, message) => {
    expect(() => said(socks5(TARGET, undefined), '0500', answer)).toThrow(message)
  })

  it('know how long an answer is', () => {
    const talk = socks5(TARGET, undefined)
    talk.next()
    const { lengthOf } = talk.next(Buffer.from('0500', 'hex')).value!
    const length = (hex: string): number | undefined => lengthOf(Buffer.from(hex, 'hex'))
    expect(['05', '050000', '0500000100', '0500000400', '05000003ff', '0502'].map(length)).toEqual([
      undefined,
      undefined,
      10,
      22,
      262,
      2,
    ])
    expect(() => length('0500000900')).toThrow('address type 9')
  })
})

describe('the words of HTTP', () => {
  it('are a CONNECT that names the target, and who asks', () => {
    const text = (hex: string | undefined): string => Buffer.from(hex!, 'hex').toString()
    expect(text(said(httpConnect(TARGET, undefined))[0])).toBe(
      'CONNECT target.example:443 HTTP/1.1\r\nHost: target.example:443\r\n\r\n',
    )
    const login = { user: 'anna', password: 'x' }
    expect(text(said(httpConnect({ host: '2001:db8::1', port: 1 }, login))[0])).toBe(
      'CONNECT [2001:db8::1]:1 HTTP/1.1\r\nHost: [2001:db8::1]:1\r\nProxy-Authorization: Basic YW5uYTp4\r\n\r\n',
    )
  })
})
