// SPDX-License-Identifier: Apache-2.0
/** Small proxies on loopback, as others would write them. They resolve every name to loopback. */
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import type { Server, Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { listening, portOf } from './tcp.js'

export interface TestProxy {
  readonly server: Server
  readonly port: number
  /** Places that clients asked for, as host:port. */
  readonly asked: string[]
}

/** Takes user and password where they are given, and wants none otherwise. */
export async function socks5Proxy(login?: { user: string; password: string }): Promise<TestProxy> {
  const asked: string[] = []
  const server = await listening(
    createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
      socket.on('error', () => {})
      serveSocks(socket, login, asked).catch(() => socket.destroy())
    }),
  )
  return { server, port: portOf(server), asked }
}

async function serveSocks(
  socket: Socket,
  login: { user: string; password: string } | undefined,
  asked: string[],
): Promise<void> {
  const take = taker(socket)
  const [, count] = await take(2)
  const methods = [...(await take(count!))]
  const method = login === undefined ? 0 : 2
  socket.write(Buffer.from([5, methods.includes(method) ? method : 0xff]))
  if (!methods.includes(method)) return
  if (login !== undefined) {
    const user = String(await take((await take(2))[1]!))
    const password = String(await take((await take(1))[0]!))
    const isRight = user === login.user && password === login.password
    socket.write(Buffer.from([1, isRight ? 0 : 1]))
    if (!isRight) return
  }
  const kind = (await take(4))[3]
  const bytes = await take(kind === 1 ? 4 : kind === 4 ? 16 : (await take(1))[0]!)
  const host = kind === 1 ? [...bytes].join('.') : kind === 4 ? bytes.toString('hex') : String(bytes)
  const port = (await take(2)).readUInt16BE()
  asked.push(`${host}:${port}`)
  await relay(socket, port, Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]), Buffer.from([5, 5, 0, 1]))
}

/** Reads exactly so many bytes; the rest stays in the socket. */
function taker(socket: Socket): (bytes: number) => Promise<Buffer> {
  return async (bytes) => {
    for (;;) {
      const chunk = (bytes === 0 ? Buffer.alloc(0) : socket.read(bytes)) as Buffer | null
      if (chunk !== null) return chunk
      await once(socket, 'readable')
    }
  }
}

/** Each half ends by itself. Otherwise what the target still sends when the client has ended would be lost, with a reset. */
async function relay(socket: Socket, port: number, success: Buffer, failure: Buffer): Promise<void> {
  const target = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
  target.on('error', () => {})
  try {
    await once(target, 'connect')
  } catch {
    socket.end(failure)
    return
  }
  socket.write(success)
  socket.pipe(target).pipe(socket)
  socket.on('close', () => target.destroy())
  target.on('close', () => socket.destroy())
}

/** Takes `authorization` where it is given, as the header's value. */
export async function httpProxy(authorization?: string): Promise<TestProxy> {
  const asked: string[] = []
  const server = createHttpServer()
  server.on('connect', (request, socket: Socket) => {
    socket.on('error', () => {})
    if (authorization !== undefined && request.headers['proxy-authorization'] !== authorization) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n')
      return
    }
    asked.push(request.url!)
    const port = Number(request.url!.split(':').at(-1))
    const [success, failure] = ['200 Connection established', '502 Bad Gateway'].map((status) =>
      Buffer.from(`HTTP/1.1 ${status}\r\n\r\n`),
    )
    void relay(socket, port, success!, failure!)
  })
  await listening(server)
  return { server, port: portOf(server), asked }
}
