// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { Agent as HttpAgent, createServer as createHttpServer } from 'node:http'
import type { IncomingMessage, Server as HttpServer } from 'node:http'
import type { Server } from 'node:https'
import { Agent, createServer, get } from 'node:https'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { SubflowDialer, WebSocketDialerOptions } from '../../lib/index.js'
import { MultipathDialer, MultipathListener, webSocketDialer, webSocketServer } from '../../lib/index.js'
import { CERTIFICATE, FINGERPRINT } from '../support/certificate.js'
import { readAll } from '../support/pair.js'
import { listening, portOf } from '../support/tcp.js'

const OPTION = expect.objectContaining({ multipathCode: 'ERR_MULTIPATH_OPTION' }) as Error
const OTHER = FINGERPRINT.replaceAll(/[0-9A-F]{2}/g, '5A')
const free = (): { signal: AbortSignal } => ({ signal: new AbortController().signal })

/** An HTTPS server whose requests are counted, and that takes WebSockets. */
async function web(): Promise<{
  server: Server
  url: string
  asked: () => number
  listener: MultipathListener
}> {
  const server = createServer(CERTIFICATE, (_request, response) => response.end('page'))
  let asked = 0
  server.on('upgrade', () => asked++)
  server.on('tlsClientError', () => {})
  await listening(server)
  const listener = new MultipathListener([await webSocketServer({ server })])
  onTestFinished(() => listener.close())
  return { server, url: `wss://127.0.0.1:${portOf(server)}/`, asked: () => asked, listener }
}

/** What comes over a path. */
async function bring(listener: MultipathListener, options: WebSocketDialerOptions): Promise<string> {
  const dialer = new MultipathDialer('x', [webSocketDialer(options)])
  const [near, far] = await Promise.all([dialer.dial(), listener.accept()])
  near.end('hello')
  return String(await readAll(far))
}

/** The first frame, of one byte, that a path sends to a server which shakes hands and no more. */
async function firstFrame(server: Server | HttpServer, path: SubflowDialer): Promise<Buffer> {
  const frame = new Promise<Buffer>((resolve) => {
    server.on('upgrade', ({ headers }: IncomingMessage, socket: Duplex) => {
      const key = `${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
      const accept = createHash('sha1').update(key).digest('base64')
      const head = `HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}`
      socket.on('error', () => {}).write(`${head}\r\n\r\n`)
      let heard = Buffer.alloc(0)
      socket.on('data', (bytes: Buffer) => {
        heard = Buffer.concat([heard, bytes])
        if (heard.length === 7) resolve(heard)
      })
    })
  })
  const stream = await path.dial(free())
  stream.on('error', () => {}).write('x')
  const first = await frame
  stream.destroy()
  return first
}

describe('the mask of what a client sends', () => {
  it.each(['ws', 'wss'])('is random over %s:', async (scheme) => {
    const masks = new Set<number>()
    for (let n = 0; n < 8; n++) {
      const server = scheme === 'ws' ? createHttpServer() : createServer(CERTIFICATE)
      await listening(server)
      const url = `${scheme}://127.0.0.1:${portOf(server)}/`
      const path = webSocketDialer({ url, ...(scheme === 'wss' && { fingerprints: [FINGERPRINT] }) })
      masks.add((await firstFrame(server, path)).readUInt32BE(2))
    }
    expect(masks.size).toBeGreaterThan(6)
  })
})

describe('a pinned path over wss:', () => {
  it.each([
    ['an empty list', { url: 'wss://h', fingerprints: [] }],
    ['half a fingerprint', { url: 'wss://h', fingerprints: [FINGERPRINT.slice(3)] }],
    ['ws:, which has no certificate', { url: 'ws://h', fingerprints: [FINGERPRINT] }],
  ])('is refused with %s', (_what, options) => {
    expect(() => webSocketDialer(options)).toThrow(OPTION)
  })

  it('opens to the certificate whose fingerprint is given, whoever issued it and for whatever name', async () => {
    const { url, listener } = await web()
    expect(await bring(listener, { url, fingerprints: [OTHER, FINGERPRINT.toLowerCase()] })).toBe('hello')
  })

  it('sends another one nothing, tells which one it saw, and closes its socket', async () => {
    const { server, url, asked } = await web()
    let heard = 0
    server.on('secureConnection', (socket: TLSSocket) =>
      socket.on('data', (bytes: Buffer) => (heard += bytes.length)),
    )
    const path = webSocketDialer({
      url: url.replace('//', '//anna:s3cret@'),
      fingerprints: [OTHER],
      ca: CERTIFICATE.cert,
    })
    await expect(path.dial(free())).rejects.toMatchObject({
      code: 'ERR_MULTIPATH_HANDSHAKE',
      message: expect.stringContaining(FINGERPRINT) as string,
    })
    // It closes only once its last socket has.
    await once(server.close(), 'close')
    expect([asked(), heard]).toEqual([0, 0])
  })

  it('takes a socket of an agent that has shaken hands before', async () => {
    const { url, listener } = await web()
    const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false })
    onTestFinished(() => agent.destroy())
    const [page] = (await once(get(url.replace('wss', 'https'), { agent }), 'response')) as [IncomingMessage]
    const { localPort } = page.socket
    page.resume()
    await once(agent, 'free')
    const path = webSocketDialer({ url, agent, fingerprints: [FINGERPRINT] })
    const accepted = listener.accept()
    const near = await new MultipathDialer('x', [path]).dial()
    near.end('hello')
    const far = await accepted
    expect(far.remotePort).toBe(localPort)
    expect(String(await readAll(far))).toBe('hello')
  })

  it('refuses a socket of an agent without TLS', async () => {
    const { url } = await web()
    const agent = Object.assign(new HttpAgent(), { protocol: 'https:' })
    const path = webSocketDialer({ url, agent, fingerprints: [FINGERPRINT] })
    await expect(path.dial(free())).rejects.toThrow('its fingerprint is missing')
  })
})
