// SPDX-License-Identifier: Apache-2.0
/** Plain HTTP requests through `multipath socks`: curl, keep-alive, and what hides a request in another. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, RequestListener } from 'node:http'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { listening, portOf } from '../../support/tcp.js'
import { at, dial, ending, serve, socks, target } from '../../support/streams.js'

vi.setConfig({ testTimeout: 60_000 })

const ALLOW = ['--allow-socks', '*:*', '--allow-private', '127.0.0.0/8']
const run = promisify(execFile)

async function origin(listener: RequestListener): Promise<number> {
  const server = createServer(listener)
  await listening(server)
  onTestFinished(() => {
    server.closeAllConnections()
  })
  return portOf(server)
}

/** A proxy, and what the origin was asked. */
async function scene(): Promise<{ proxy: number; port: number; asked: IncomingMessage[] }> {
  const asked: IncomingMessage[] = []
  const port = await origin((request, response) => {
    asked.push(request)
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () =>
      response.end(`${request.method} ${request.url} ${Buffer.concat(parts).toString()}`),
    )
  })
  const there = await serve(ALLOW)
  return { proxy: (await socks(there.port)).port, port, asked }
}

async function say(proxy: number, text: string, pattern: RegExp): Promise<string> {
  const socket = await dial(proxy)
  let heard = ''
  socket.on('data', (chunk) => {
    heard += String(chunk)
  })
  socket.write(text)
  while (!pattern.test(heard)) {
    if (socket.closed || socket.readableEnded) break
    await Promise.race([once(socket, 'data'), once(socket, 'end'), once(socket, 'close')])
  }
  return heard
}

describe('a plain HTTP request through multipath socks', () => {
  it('is what http_proxy of curl makes, with a body and headers of its own', async () => {
    const { proxy, port, asked } = await scene()
    const url = `http://${at(port)}/a?b=c`
    const { stdout } = await run('curl', ['-sS', '-d', 'body', '-H', 'X-Own: 1', url], {
      env: { http_proxy: `http://${at(proxy)}` },
    })
    expect(stdout).toBe('POST /a?b=c body')
    expect(asked[0]!.headers).toMatchObject({ host: at(port), 'x-own': '1', 'content-length': '4' })
    expect(asked[0]!.headers['proxy-connection']).toBeUndefined()
  })

  it('shares its connection with those that follow, to other places as well', async () => {
    const { proxy, port } = await scene()
    const other = await origin((_, response) => response.end('other'))
    const requests = [port, other].map((to) => `GET http://${at(to)}/ HTTP/1.1\r\nHost: wrong\r\n\r\n`)
    const heard = await say(proxy, requests.join(''), /GET \/[^]*other/)
    expect(heard.match(/HTTP\/1\.1 200/g)).toHaveLength(2)
  })

  it('is refused where serve does not allow its target, and the log says so', async () => {
    const there = await serve(['--allow', 'a:1'])
    const proxy = await socks(there.port)
    const heard = await say(proxy.port, `GET http://${at(9)}/ HTTP/1.1\r\nHost: x\r\n\r\n`, /403/)
    expect(heard).toMatch(/^HTTP\/1\.1 403 /)
    await proxy.cli.line(/127\.0\.0\.1:9: not-allowed/)
  })

  it.each([
    ['two lengths', 'Content-Length: 4\r\nContent-Length: 5'],
    ['a length beside chunks', 'Content-Length: 4\r\nTransfer-Encoding: chunked'],
    ['an unknown coding', 'Transfer-Encoding: xchunked'],
    ['a space before the colon', 'Content-Length : 4'],
    ['a bare line feed in a header', 'X: a\nContent-Length: 4'],
    ['a folded header', 'X: a\r\n Transfer-Encoding: chunked'],
  ])('is refused with %s, and nothing of it arrives', async (_, headers) => {
    const { proxy, port, asked } = await scene()
    const hidden = `GET http://${at(port)}/hidden HTTP/1.1\r\nHost: x\r\n\r\n`
    const heard = await say(
      proxy,
      `POST http://${at(port)}/ HTTP/1.1\r\nHost: x\r\n${headers}\r\n\r\n${hidden}`,
      /HTTP/,
    )
    expect(heard).toMatch(/^HTTP\/1\.1 400 /)
    expect(asked.map(({ url }) => url)).not.toContain('/hidden')
  })

  it('names its target: what is no absolute URI is refused', async () => {
    const { proxy } = await scene()
    for (const uri of ['/', 'https://a/', 'ftp://a/', '*'])
      expect(await say(proxy, `GET ${uri} HTTP/1.1\r\nHost: x\r\n\r\n`, /400/)).toMatch(/^HTTP\/1\.1 400 /)
  })

  it.each([
    ['a code that is none', 'HTTP/1.1 000 x\r\n\r\n'],
    ['a control character in its reason', 'HTTP/1.1 200 a\x01b\r\nContent-Length: 0\r\n\r\n'],
    ['an upgrade that nobody has asked for', 'HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: y\r\n\r\n'],
  ])('fails where the answer has %s, and the next one does not', async (_, answer) => {
    const { proxy, port: good } = await scene()
    const port = await target((socket) => socket.once('data', () => socket.end(answer)))
    const request = (to: number): string => `GET http://${at(to)}/ HTTP/1.1\r\nHost: x\r\n\r\n`
    expect(await say(proxy, request(port), /HTTP/)).toMatch(/^HTTP\/1\.1 502 /)
    expect(await say(proxy, request(good), /HTTP/)).toMatch(/^HTTP\/1\.1 200 /)
  })

  it('ends without an end where its answer was cut short', async () => {
    const { proxy } = await scene()
    const port = await target((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\npart')
        setTimeout(() => socket.resetAndDestroy(), 300)
      })
    })
    const socket = await dial(proxy)
    socket.write(`GET http://${at(port)}/ HTTP/1.1\r\nHost: x\r\n\r\n`)
    let heard = ''
    socket.on('data', (chunk) => {
      heard += String(chunk)
    })
    await ending(socket)
    expect(heard).toMatch(/part$/)
  })
})
