// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events'
import type { IncomingMessage, RequestListener } from 'node:http'
import http from 'node:http'
import https from 'node:https'
import { buffer, text } from 'node:stream/consumers'
import type { ConnectionOptions } from 'node:tls'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { HttpConnectOptions } from '../../lib/http/index.js'
import { HttpAgent, HttpsAgent, undiciConnect } from '../../lib/http/index.js'
import { MultipathSocket } from '../../lib/index.js'
import { CERTIFICATE } from '../support/certificate.js'
import { freePorts } from '../support/free-ports.js'
import { meeting } from '../support/pair.js'

const BYTES = 300_000
const hello: RequestListener = (_request, response) => response.end('hello')

/** A server whose connections come in over two paths in memory. */
function serve(server: http.Server): ReturnType<typeof meeting> & { readonly accepted: () => number } {
  const met = meeting({ paths: 2, listener: { allowHalfOpen: true } })
  let accepted = 0
  const accepting = async (): Promise<void> => {
    for await (const conn of met.listener) {
      accepted++
      conn.on('error', () => {})
      server.emit('connection', conn)
    }
  }
  void accepting()
  return { ...met, accepted: () => accepted }
}

async function get(url: string, options: https.RequestOptions): Promise<IncomingMessage> {
  const request = (url.startsWith('https') ? https : http).get(url, options)
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  return response
}

/** A request, until the agent has its connection back. */
async function answered(url: string, agent: http.Agent): Promise<void> {
  const free = once(agent, 'free')
  expect(await text(await get(url, { agent }))).toBe('hello')
  await free
}

describe('an http.Agent over several paths', () => {
  it('sends one request after another over one connection', async () => {
    const { paths, accepted } = serve(http.createServer(hello))
    const agent = new HttpAgent({ paths }, { keepAlive: true })
    onTestFinished(() => {
      agent.destroy()
    })
    for (let i = 0; i < 3; i++)
      expect(await text(await get('http://server.example/', { agent }))).toBe('hello')
    expect(accepted()).toBe(1)
  })

  it('brings a response to its end although one of its paths is cut meanwhile', async () => {
    const { paths } = serve(http.createServer((_request, response) => response.end(Buffer.alloc(BYTES, 1))))
    const agent = new HttpAgent({ paths })
    const response = await get('http://server.example/', { agent })
    paths[0]!.last.cut()
    expect(await buffer(response)).toHaveLength(BYTES)
  })

  it('takes the option timeout, of connections too that have never been used', async () => {
    const { paths } = serve(http.createServer(() => {}))
    const agent = new HttpAgent({ paths }, { timeout: 50 })
    const request = http.get('http://server.example/', { agent })
    request.on('error', () => {})
    await once(request, 'timeout')
    request.destroy()
  })

  it('asks a function for the paths of each target', async () => {
    const { paths } = serve(http.createServer(hello))
    const targets: unknown[] = []
    const agent = new HttpAgent((target) => {
      targets.push(target)
      return { paths }
    })
    await text(await get('http://server.example/', { agent }))
    await text(await get('http://other.example:8080/', { agent }))
    expect(targets).toEqual([
      { host: 'server.example', port: 80 },
      { host: 'other.example', port: 8080 },
    ])
  })

  it('tells a request why no path can be dialled, by the code of net', async () => {
    const [port] = await freePorts(1)
    const agent = new HttpAgent({ paths: [{ host: '127.0.0.1', port: port! }] })
    await expect(get('http://server.example/', { agent })).rejects.toMatchObject({
      code: 'ECONNREFUSED',
      multipathCode: 'ERR_MULTIPATH_FAIL_ON_ALL_DIALERS',
    })
  })

  it.each([undefined, {}, 7])('refuses %s in place of paths', (options) => {
    for (const make of [HttpAgent, HttpsAgent])
      expect(() => new make(options as unknown as HttpConnectOptions)).toThrow('options with paths')
    expect(() => undiciConnect(options as unknown as HttpConnectOptions)).toThrow('options with paths')
  })
})

describe('an https.Agent over several paths', () => {
  it('checks the certificate for the host of the URL', async () => {
    const { paths } = serve(https.createServer(CERTIFICATE, hello))
    const agent = new HttpsAgent({ paths })
    await expect(get('https://localhost/', { agent })).rejects.toThrow('self-signed certificate')
  })

  it('sends requests over TLS inside one connection, and takes the options of its class', async () => {
    const { paths, accepted } = serve(https.createServer(CERTIFICATE, hello))
    const agent = new HttpsAgent({ paths }, { keepAlive: true, ca: CERTIFICATE.cert })
    onTestFinished(() => {
      agent.destroy()
    })
    const unref = vi.spyOn(MultipathSocket.prototype, 'unref')
    onTestFinished(() => unref.mockRestore())
    for (let i = 0; i < 2; i++) await answered('https://localhost/', agent)
    expect(accepted()).toBe(1)
    // An idle connection keeps no process up.
    expect(unref).toHaveBeenCalled()
  })
})

describe('the connect option of undici', () => {
  const dial = (
    connect: HttpConnectOptions,
    protocol: string,
    tls?: ConnectionOptions,
  ): Promise<http.Agent> =>
    new Promise((resolve, reject) => {
      undiciConnect(connect, tls)({ protocol, hostname: 'localhost', port: '' }, (error, socket) => {
        if (error) reject(error)
        else resolve(Object.assign(new http.Agent(), { createConnection: () => socket }))
      })
    })

  it('gives a socket that is connected', async () => {
    const { paths } = serve(http.createServer(hello))
    const agent = await dial({ paths }, 'http:')
    expect(await text(await get('http://localhost/', { agent }))).toBe('hello')
  })

  it('gives a socket with TLS for https', async () => {
    const { paths } = serve(https.createServer(CERTIFICATE, hello))
    const agent = await dial({ paths }, 'https:', { ca: CERTIFICATE.cert })
    expect(await text(await get('http://localhost/', { agent }))).toBe('hello')
  })

  it('gives up on a server that never answers TLS', async () => {
    const { paths, listener } = meeting()
    const accepted = listener.accept()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const dialling = dial({ paths }, 'https:')
    dialling.catch(() => {})
    const conn = await accepted
    conn.on('error', () => {})
    await once(conn, 'data')
    vi.advanceTimersByTime(10_000)
    await expect(dialling).rejects.toMatchObject({ multipathCode: 'ERR_MULTIPATH_HANDSHAKE_TIMEOUT' })
  })

  it('tells why there is none', async () => {
    const [port] = await freePorts(1)
    await expect(dial({ paths: [{ host: '127.0.0.1', port: port! }] }, 'http:')).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    })
  })
})
