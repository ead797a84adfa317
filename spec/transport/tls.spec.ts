// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events'
import type { Server } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TlsOptions, TLSSocket } from 'node:tls'
import { createServer } from 'node:tls'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { TlsDialerOptions } from '../../lib/index.js'
import { MultipathDialer, MultipathListener, tlsDialer } from '../../lib/index.js'
import { CERTIFICATE, CLIENT_CERTIFICATE, FINGERPRINT } from '../support/certificate.js'
import { readAll } from '../support/pair.js'
import { listening, portOf } from '../support/tcp.js'

const OPTION = expect.objectContaining({ multipathCode: 'ERR_MULTIPATH_OPTION' }) as Error
const OTHER = FINGERPRINT.replaceAll(/[0-9A-F]{2}/g, '5A')
const free = (): { signal: AbortSignal } => ({ signal: new AbortController().signal })

function tlsServer(options: TlsOptions = {}): Promise<Server> {
  return listening(createServer({ ...CERTIFICATE, ...options }))
}

/** What both ends see of each other. */
async function shake(
  server: Server,
  options: Omit<TlsDialerOptions, 'port'>,
): Promise<{ near: Duplex; far: TLSSocket }> {
  const accepted = once(server, 'secureConnection') as Promise<[TLSSocket]>
  const dialer = tlsDialer({ host: '127.0.0.1', port: portOf(server), ...options })
  const near = await dialer.dial(free())
  const [far] = await accepted
  for (const socket of [near, far]) {
    socket.on('error', () => {})
    onTestFinished(() => {
      socket.destroy()
    })
  }
  return { near, far }
}

describe('a path over TLS', () => {
  it('shakes hands once: a peer that asks for it again would have it compute', async () => {
    const { near } = await shake(await tlsServer({ maxVersion: 'TLSv1.2' }), { rejectUnauthorized: false })
    const { renegotiate } = near as Duplex & Pick<TLSSocket, 'renegotiate'>
    const error = await new Promise((resolve) => renegotiate.call(near as never, {}, resolve))
    expect(String(error)).toMatch(/renegotiation/)
  })

  it.each([
    [{ port: 1 }, 'localhost:1'],
    [{ port: 80, host: '2001:db8::1' }, '[2001:db8::1]:80'],
    [{ port: 80, host: 'example.org', localAddress: '192.0.2.7' }, '192.0.2.7|example.org:80'],
    [{ port: 80, label: 'uplink', fingerprints: [FINGERPRINT] }, 'uplink'],
  ])('to %j has the label %s', (options, label) => {
    expect(tlsDialer(options).label).toBe(label)
  })

  it.each([
    [{}],
    [{ port: 65_536 }],
    [{ port: 1, label: 5 }],
    [{ port: 1, servername: 5 }],
    [{ port: 1, fingerprints: [] }],
    [{ port: 1, fingerprints: FINGERPRINT }],
    [{ port: 1, fingerprints: [FINGERPRINT.slice(3)] }],
    [{ port: 1, fingerprints: [5] }],
    [{ port: 1, key: 'no key', cert: 'no certificate' }],
  ])('with %j is refused', (options) => {
    expect(() => tlsDialer(options as never)).toThrow(OPTION)
  })

  it('does not open to a certificate that no authority vouches for', async () => {
    const server = await tlsServer()
    const dialer = tlsDialer({ host: 'localhost', port: portOf(server) })
    await expect(dialer.dial(free())).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
  })

  it('does not open to a certificate for another name', async () => {
    const server = await tlsServer()
    const { cert: ca } = CERTIFICATE
    const dialer = tlsDialer({ host: '127.0.0.1', port: portOf(server), servername: 'other.example', ca })
    await expect(dialer.dial(free())).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  })

  it('tells the server the name that is asked for', async () => {
    const { far } = await shake(await tlsServer(), { servername: 'localhost', ca: CERTIFICATE.cert })
    expect((far as TLSSocket & { servername: unknown }).servername).toBe('localhost')
  })
})

describe('a pinned path over TLS', () => {
  it.each([
    ['as Node prints it', [FINGERPRINT]],
    ['in small letters', [FINGERPRINT.toLowerCase()]],
    ['among others', [OTHER, FINGERPRINT]],
  ])(
    'opens to the certificate whose fingerprint is given %s, whoever issued it',
    async (_how, fingerprints) => {
      const { near, far } = await shake(await tlsServer(), { fingerprints })
      near.end('hello')
      expect(String(await readAll(far))).toBe('hello')
    },
  )

  it('does not open to another certificate, and tells which one it saw', async () => {
    const server = await tlsServer()
    server.on('tlsClientError', () => {})
    server.on('secureConnection', (socket: TLSSocket) => socket.on('error', () => {}).resume())
    const dialer = tlsDialer({
      host: 'localhost',
      port: portOf(server),
      fingerprints: [OTHER],
      ca: CERTIFICATE.cert,
    })
    await expect(dialer.dial(free())).rejects.toMatchObject({
      code: 'ERR_MULTIPATH_HANDSHAKE',
      message: expect.stringContaining(FINGERPRINT) as string,
    })
    // It closes only once its last socket has.
    await once(server.close(), 'close')
  })
})

describe('a client certificate', () => {
  const server = (): Promise<Server> =>
    tlsServer({ requestCert: true, rejectUnauthorized: true, ca: CLIENT_CERTIFICATE.cert })

  it('is shown to a server that asks for one', async () => {
    const { near, far } = await shake(await server(), { ...CLIENT_CERTIFICATE, fingerprints: [FINGERPRINT] })
    expect(far.authorized).toBe(true)
    near.end('hello')
    expect(String(await readAll(far))).toBe('hello')
  })

  it('that is missing fails the dial, with the path named', async () => {
    const refusing = await server()
    refusing.on('tlsClientError', () => {})
    const listener = new MultipathListener([refusing])
    onTestFinished(() => listener.close())
    const path = tlsDialer({
      host: '127.0.0.1',
      port: portOf(refusing),
      fingerprints: [FINGERPRINT],
      label: 'dsl',
    })
    await expect(new MultipathDialer('x', [path]).dial()).rejects.toThrow(/dsl: .*certificate required/)
  })
})

describe('the application protocol', () => {
  it('is multipath/0 unless another is given', async () => {
    const pinned = { fingerprints: [FINGERPRINT] }
    const server = await tlsServer({ ALPNProtocols: ['multipath/0', 'other'] })
    expect((await shake(server, pinned)).far.alpnProtocol).toBe('multipath/0')
    const other = { ...pinned, ALPNProtocols: ['other'] }
    expect((await shake(server, other)).far.alpnProtocol).toBe('other')
  })

  it('that the server does not have fails the dial', async () => {
    const server = await tlsServer({ ALPNProtocols: ['h2'] })
    server.on('tlsClientError', () => {})
    const dialer = tlsDialer({ host: '127.0.0.1', port: portOf(server), fingerprints: [FINGERPRINT] })
    await expect(dialer.dial(free())).rejects.toThrow(/no application protocol/)
  })

  it('does not matter to a server that knows none', async () => {
    const { near } = await shake(await tlsServer(), { fingerprints: [FINGERPRINT] })
    expect(near).toHaveProperty('alpnProtocol', false)
  })
})
