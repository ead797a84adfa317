// SPDX-License-Identifier: Apache-2.0
/** Parts of Node that take any net.Socket, run over whatever claims to be like one. */
import { once } from 'node:events'
import type { IncomingMessage, RequestOptions, Server as HttpServer } from 'node:http'
import { Agent, createServer as createHttpServer, request } from 'node:http'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { connect as tlsConnect, createServer as createTlsServer, TLSSocket } from 'node:tls'
import { describe, expect, it, onTestFinished } from 'vitest'
import { CERTIFICATE } from '../support/certificate.js'
import { until } from '../support/turns.js'
import type { MakePair } from './net-socket-like.js'
import { pairOf } from './net-socket-like.js'

const DATA = Buffer.alloc(1_500_000, 'carried over something else')

async function bodyOf(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function web(makePair: MakePair): void {
  it('Duplex.toWeb, both directions', async () => {
    const [near, far] = await pairOf(makePair, { allowHalfOpen: true })
    const [nearWeb, farWeb] = [Duplex.toWeb(near), Duplex.toWeb(far)]
    const collect = (readable: AsyncIterable<Uint8Array>): Promise<Buffer> => bodyOf(readable)
    const send = async (writable: WritableStream<Uint8Array>): Promise<void> => {
      const writer = writable.getWriter()
      for (let at = 0; at < DATA.length; at += 50_000) {
        await writer.ready
        void writer.write(DATA.subarray(at, at + 50_000))
      }
      await writer.close()
    }
    const [toFar, toNear] = await Promise.all([
      collect(farWeb.readable as unknown as AsyncIterable<Uint8Array>),
      collect(nearWeb.readable as unknown as AsyncIterable<Uint8Array>),
      send(nearWeb.writable as WritableStream<Uint8Array>),
      send(farWeb.writable as WritableStream<Uint8Array>),
    ])
    expect([toFar.equals(DATA), toNear.equals(DATA)]).toEqual([true, true])
  })
}

function tls(makePair: MakePair): void {
  it('tls.connect({ socket }), with a TLSSocket on the other side that goes on after our end', async () => {
    const [near, far] = await pairOf(makePair, { allowHalfOpen: true })
    const server = new TLSSocket(far, { isServer: true, ...CERTIFICATE })
    const secure = tlsConnect({ socket: near, rejectUnauthorized: false })
    await once(secure, 'secureConnect')
    expect(secure.getPeerCertificate().subject.CN).toBe('localhost')
    server.pipe(server)
    const back = bodyOf(secure)
    secure.end(DATA)
    expect((await back).equals(DATA)).toBe(true)
    await until(() => near.destroyed && far.destroyed)
  })

  it('tls.connect({ socket }) for questions and answers', async () => {
    const [near, far] = await pairOf(makePair)
    const server = new TLSSocket(far, { isServer: true, ...CERTIFICATE })
    const secure = tlsConnect({ socket: near, rejectUnauthorized: false })
    server.pipe(server)
    for (let round = 1; round <= 5; round++) {
      const question = DATA.subarray(0, 100_000 * round)
      secure.write(question)
      let bytes = 0
      for await (const chunk of secure.iterator({ destroyOnReturn: false })) {
        bytes += (chunk as Buffer).length
        if (bytes === question.length) break
      }
    }
    secure.end()
    await until(() => near.destroyed && far.destroyed)
    expect([near.errored, far.errored]).toEqual([null, null])
  })

  it('tls.Server, given the other side as a connection', async () => {
    const [near, far] = await pairOf(makePair)
    const server = createTlsServer(CERTIFICATE)
    const accepted = once(server, 'secureConnection') as Promise<[TLSSocket]>
    server.emit('connection', far)
    const secure = tlsConnect({ socket: near, rejectUnauthorized: false })
    const [end] = await accepted
    secure.end('to the server')
    expect(String(await bodyOf(end))).toBe('to the server')
  })
}

/** A server that answers with what it got, and asks for no listening port. */
function echoServer(): HttpServer {
  const server = createHttpServer((incoming, response) => {
    response.setHeader('x-url', incoming.url ?? '')
    incoming.pipe(response)
  })
  onTestFinished(() => {
    server.close()
  })
  return server
}

function ask(options: RequestOptions, body: Buffer): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request({ method: 'POST', host: 'over.example', ...options }, resolve)
      .on('error', reject)
      .end(body)
  })
}

function http(makePair: MakePair): void {
  it('http.request({ createConnection })', async () => {
    const [near, far] = await pairOf(makePair, { allowHalfOpen: true })
    echoServer().emit('connection', far)
    const response = await ask({ path: '/here', createConnection: () => near }, DATA)
    expect(response.headers['x-url']).toBe('/here')
    expect((await bodyOf(response)).equals(DATA)).toBe(true)
  })

  it('http.Agent with keepAlive: one connection for many requests', async () => {
    const server = echoServer()
    const made: Socket[] = []
    type Callback = (error: Error | null, socket?: Socket) => void
    const createConnection = (_options: object, callback: Callback): void => {
      pairOf(makePair, { allowHalfOpen: true }).then(([near, far]) => {
        made.push(near)
        server.emit('connection', far)
        callback(null, near)
      }, callback)
    }
    const agent = new Agent({ keepAlive: true, maxSockets: 1, timeout: 60_000 })
    Object.assign(agent, { createConnection })
    for (let round = 0; round < 10; round++) {
      const response = await ask({ path: `/${round}`, agent }, DATA.subarray(0, 1000 * (round + 1)))
      expect((await bodyOf(response)).length).toBe(1000 * (round + 1))
    }
    expect(made).toHaveLength(1)
    agent.destroy()
    await until(() => made[0]!.destroyed)
  })

  it('http keeps apart requests that are pipelined over time and end the connection', async () => {
    const [near, far] = await pairOf(makePair, { allowHalfOpen: true })
    echoServer().emit('connection', far)
    const response = await ask({ createConnection: () => near, headers: { connection: 'close' } }, DATA)
    await bodyOf(response)
    await until(() => near.destroyed && far.destroyed)
  })
}

export function netSocketUsers(name: string, makePair: MakePair): void {
  describe(`over ${name} works`, () => {
    web(makePair)
    tls(makePair)
    http(makePair)
  })
}
