import { once } from 'node:events'
import { Agent as HttpAgent } from 'node:http'
import type { IncomingMessage, Server } from 'node:http'
import { Agent, createServer, get } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { WebSocketDialerOptions } from '../../lib/index.js'
import { MultipathDialer, MultipathListener, webSocketDialer, webSocketServer } from '../../lib/index.js'
import { CERTIFICATE, FINGERPRINT } from '../support/certificate.js'
import { readAll } from '../support/pair.js'
import { listening, portOf } from '../support/tcp.js'

const OPTION = expect.objectContaining({ code: 'ERR_MULTIPATH_OPTION' }) as Error
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
    await expect(path.dial(free())).rejects.toThrow('the fingerprint of none')
  })
})
