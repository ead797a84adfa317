// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { createServer, get } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo, Server, Socket } from 'node:net'
import { connect, createServer as createTcpServer } from 'node:net'
import type { Duplex } from 'node:stream'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import type { WebSocketAcceptor, WebSocketServerOptions } from '../../lib/index.js'
import { MultipathDialer, MultipathListener, webSocketDialer, webSocketServer } from '../../lib/index.js'
import { CERTIFICATE } from '../support/certificate.js'
import { catchUncaught } from '../support/outside.js'
import { readAll } from '../support/pair.js'
import { patternAt } from '../support/pattern.js'
import { heardUntilClose, listening, portOf } from '../support/tcp.js'
import { nextStream } from '../support/transports.js'
import { quiet, until } from '../support/turns.js'

const OPTION = expect.objectContaining({ multipathCode: 'ERR_MULTIPATH_OPTION' }) as Error
const free = (): { signal: AbortSignal } => ({ signal: new AbortController().signal })
const PATH = '/multipath'
/** What a request for a WebSocket has to have. */
const WANTED =
  'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n'

async function accepting(
  options: Partial<WebSocketServerOptions> = {},
): Promise<{ acceptor: WebSocketAcceptor; url: string }> {
  const acceptor = await webSocketServer({
    ...(options.server === undefined && { port: 0, host: '127.0.0.1' }),
    ...options,
  })
  onTestFinished(() => {
    acceptor.close()
  })
  return { acceptor, url: `ws://127.0.0.1:${(acceptor.address() as AddressInfo).port}${PATH}` }
}

/** The status of the answer to a plain request. */
async function statusOf(url: string, headers: Record<string, string> = {}): Promise<number | undefined> {
  const request = get(url, { headers, agent: false })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  response.resume()
  return response.statusCode
}

/** What one WebSocket hears of `server`. */
async function echoed(url: string, text: string): Promise<string> {
  const socket = new WebSocket(url)
  await once(socket, 'open')
  socket.send(text)
  const [data] = (await once(socket, 'message')) as [Buffer]
  socket.terminate()
  return String(data)
}

const MESSAGE = 262_144
const SIZES = [1, 20_000, 10, 0, 5000, 16_384, 3, 200_000, 16_383, 1, 65_536, 7]
const SIZED = patternAt(
  5,
  0,
  SIZES.reduce((sum, size) => sum + size, 0),
)

/** Writes SIZED at once, in chunks of SIZES, and ends. @returns `reader` */
function writeSizes(writer: Duplex, reader: Duplex): Duplex {
  writer.cork()
  let at = 0
  for (const size of SIZES) writer.write(SIZED.subarray(at, (at += size)))
  writer.end()
  writer.uncork()
  return reader
}

/** What a server proves with that it has read the request. */
function acceptOf(headers: IncomingMessage['headers']): string {
  const key = `${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
  return createHash('sha1').update(key).digest('base64')
}

/** What lies below a WebSocket of the package ws. */
function rawOf(socket: WebSocket): Socket {
  return (socket as unknown as { _socket: Socket })._socket
}

/** Another handler of upgrades, of /echo alone. */
function serveEcho(server: Server): void {
  const echo = new WebSocketServer({ noServer: true })
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    if (request.url === '/echo')
      echo.handleUpgrade(request, socket, head, (webSocket) => {
        webSocket.on('message', (data: Buffer) => {
          webSocket.send(data)
        })
      })
  })
}

describe('a path over a WebSocket', () => {
  it.each([
    [{ url: 'ws://example.org' }, 'ws://example.org/'],
    [{ url: 'wss://anna:s3cret@example.org:1/a?token=s3cret' }, 'wss://example.org:1/a'],
    [{ url: 'ws://example.org/a', localAddress: '192.0.2.7' }, '192.0.2.7|ws://example.org/a'],
    [{ url: 'ws://example.org/a', label: 'cafe' }, 'cafe'],
  ])('to %j has the label %s', (options, label) => {
    expect(webSocketDialer(options).label).toBe(label)
  })

  it.each([
    [{}],
    [{ url: 'http://anna:s3cret@h' }],
    [{ url: 'ws://h/#s3cret' }],
    [{ url: 's3cret' }],
    [{ url: 'ws://h', label: 5 }],
    [{ url: 'ws://h', localAddress: 5 }],
  ])('with %j is refused, and secrets are not told', (options) => {
    const make = (): unknown => webSocketDialer(options as never)
    expect(make).toThrow(OPTION)
    expect(make).not.toThrow(/s3cret/)
  })

  it('sends the headers that are given', async () => {
    const http = createServer()
    const headers: unknown[] = []
    http.on('upgrade', (request: IncomingMessage) => headers.push(request.headers['x-pass'], request.headers))
    await listening(http)
    const { acceptor } = await accepting({ server: http })
    const accepted = nextStream(acceptor)
    const dialer = webSocketDialer({
      url: `ws://127.0.0.1:${portOf(http)}/`,
      headers: { 'X-Pass': 'please' },
    })
    const near = await dialer.dial(free())
    await accepted
    near.destroy()
    expect(headers[0]).toBe('please')
    expect(headers[1]).not.toHaveProperty('sec-websocket-extensions')
  })

  it('goes over TLS with wss:, and verifies the server', async () => {
    const https = createHttpsServer(CERTIFICATE)
    await listening(https)
    const { acceptor } = await accepting({ server: https, path: PATH })
    const listener = new MultipathListener([acceptor])
    onTestFinished(() => listener.close())
    const url = `wss://localhost:${portOf(https)}${PATH}`
    await expect(webSocketDialer({ url }).dial(free())).rejects.toMatchObject({
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    })
    const path = webSocketDialer({ url, ca: CERTIFICATE.cert })
    const [near, far] = await Promise.all([new MultipathDialer('x', [path]).dial(), listener.accept()])
    near.end('hello')
    expect(String(await readAll(far))).toBe('hello')
  })

  it('tells the status of a server that refuses it', async () => {
    const http = await listening(createServer((_request, response) => response.writeHead(401).end()))
    const dialer = webSocketDialer({ url: `ws://127.0.0.1:${portOf(http)}/` })
    await expect(dialer.dial(free())).rejects.toThrow('the server answered with status 401 Unauthorized')
  })

  it('tells it without the characters that a terminal takes for commands', async () => {
    const raw = await listening(
      createTcpServer((socket) => void socket.end('HTTP/1.1 404 \x1b]0;mine\x07\r\n\r\n')),
    )
    const dialer = webSocketDialer({ url: `ws://127.0.0.1:${portOf(raw)}/` })
    await expect(dialer.dial(free())).rejects.toThrow('status 404 ?]0;mine?')
  })

  it.each([
    ['another upgrade', (_: string) => 'Upgrade: h2c', /did not upgrade/],
    ['a wrong proof', (_: string) => 'Upgrade: websocket\r\nSec-WebSocket-Accept: AAAA', /Accept/],
    ['an extension', (good: string) => `${good}\r\nSec-WebSocket-Extensions: x`, /extension/],
    ['a subprotocol', (good: string) => `${good}\r\nSec-WebSocket-Protocol: x`, /subprotocol/],
  ])('refuses a server that answers with %s, and closes', async (_what, linesOf, message) => {
    const http = await listening(createServer())
    const closed = new Promise((resolve) => {
      http.on('upgrade', ({ headers }: IncomingMessage, socket: Socket) => {
        const good = `Upgrade: websocket\r\nSec-WebSocket-Accept: ${acceptOf(headers)}`
        socket.on('error', () => {}).on('end', resolve)
        socket.resume().write(`HTTP/1.1 101 x\r\nConnection: Upgrade\r\n${linesOf(good)}\r\n\r\n`)
      })
    })
    const path = webSocketDialer({ url: `ws://127.0.0.1:${portOf(http)}/` })
    const dialled = path.dial(free())
    await expect(dialled).rejects.toMatchObject({ code: 'ERR_MULTIPATH_HANDSHAKE' })
    await expect(dialled).rejects.toThrow(message)
    await closed
  })

  it('takes a subprotocol that its headers ask for', async () => {
    const { acceptor, url } = await accepting()
    acceptor.on('connection', (stream) => stream.on('error', () => {}).resume())
    const headers = { 'Sec-WebSocket-Protocol': 'one, two' }
    const near = await webSocketDialer({ url, headers }).dial(free())
    near.destroy()
    expect(near.errored).toBe(null)
  })

  it('fails without a stray error when the server breaks the protocol right behind its answer', async () => {
    const caught = catchUncaught()
    const http = createServer()
    http.on('upgrade', ({ headers }: IncomingMessage, socket: Socket) => {
      const head = `HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptOf(headers)}`
      // One packet: the answer, and a frame with reserved bits.
      socket
        .on('error', () => {})
        .write(Buffer.concat([Buffer.from(`${head}\r\n\r\n`), Buffer.alloc(4, 0xff)]))
    })
    await listening(http)
    const path = webSocketDialer({ url: `ws://127.0.0.1:${portOf(http)}/`, label: 'cafe' })
    await expect(new MultipathDialer('x', [path]).dial()).rejects.toThrow(/cafe: .*byte 0xff: reserved bits/)
    const stream = await path.dial(free())
    await quiet(200)
    stream.on('error', () => {}).resume()
    await until(() => stream.closed)
    expect(caught).toEqual({ exceptions: [], rejections: [] })
  })

  it('has the addresses of its socket at both ends', async () => {
    const { acceptor, url } = await accepting()
    const accepted = nextStream(acceptor)
    const near = await webSocketDialer({ url, localAddress: '127.0.0.1' }).dial(free())
    const far = await accepted
    expect(near).toMatchObject({ remoteAddress: '127.0.0.1', localFamily: 'IPv4', remoteFamily: 'IPv4' })
    const [{ localPort }, { remotePort }] = [near, far] as unknown as [Socket, Socket]
    expect(localPort).toBe(remotePort)
    near.destroy()
  })

  it.each([
    ['a text message', (socket: WebSocket) => socket.send('text'), /text message/, 1003],
    [
      'a message larger than any frame',
      (socket: WebSocket) => socket.send(Buffer.alloc(1_100_000)),
      /message of 1100000 bytes/,
      1009,
    ],
    [
      'a message of small parts that is larger than any frame',
      (socket: WebSocket) => {
        for (let n = 0; n < 17; n++) socket.send(Buffer.alloc(65_536), { fin: false })
      },
      /the limit is 1048640/,
      1009,
    ],
    ['what is no frame', (socket: WebSocket) => rawOf(socket).write('GET'), /byte 0x47: reserved bits/, 1002],
    ['an end out of order', (socket: WebSocket) => socket.close(1011), /code 1011/, 1011],
    ['no end at all', (socket: WebSocket) => socket.terminate(), /code 1006/, 1006],
  ])('fails at %s, and tells the peer a code', async (_what, act, message, code) => {
    const { acceptor, url } = await accepting()
    const accepted = nextStream(acceptor)
    const socket = new WebSocket(url)
    socket.on('error', () => {})
    await once(socket, 'open')
    const far = await accepted
    const failed = once(far.resume(), 'error') as Promise<[Error]>
    const closed = once(socket, 'close')
    act(socket)
    expect((await failed)[0].message).toMatch(message)
    await until(() => far.closed)
    expect((await closed)[0]).toBe(code)
  })

  it('answers the newest of the pings that come together', async () => {
    const { acceptor, url } = await accepting()
    const accepted = nextStream(acceptor)
    const socket = new WebSocket(url)
    await once(socket, 'open')
    const far = await accepted
    far.resume()
    const pongs: string[] = []
    socket.on('pong', (payload: Buffer) => pongs.push(String(payload)))
    rawOf(socket).cork()
    for (const word of ['who', 'is', 'there?']) socket.ping(word)
    rawOf(socket).uncork()
    await until(() => pongs.length > 0)
    socket.send('x', { binary: true })
    await once(far, 'data')
    expect(pongs).toEqual(['there?'])
    socket.terminate()
  })

  it.each(['near', 'far'] as const)('brings what its %s end writes at once as it was', async (writer) => {
    const { acceptor, url } = await accepting()
    const accepted = nextStream(acceptor)
    const near = await webSocketDialer({ url }).dial(free())
    const ends = { near, far: await accepted }
    const reader = writer === 'near' ? ends.far : ends.near
    ends[writer].resume()
    expect((await readAll(writeSizes(ends[writer], reader))).equals(SIZED)).toBe(true)
    near.destroy()
  })

  it('sends messages of 256 KiB at most, as few as may be', async () => {
    const others = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    onTestFinished(() => others.close())
    await once(others, 'listening')
    const opened = once(others, 'connection') as Promise<[WebSocket]>
    const near = await webSocketDialer({
      url: `ws://127.0.0.1:${(others.address() as AddressInfo).port}/`,
    }).dial(free())
    const [far] = await opened
    const messages: Buffer[] = []
    far.on('message', (data: Buffer) => messages.push(data))
    const [closed] = [once(far, 'close'), writeSizes(near.resume(), near)]
    expect((await closed)[0]).toBe(1000)
    expect(Buffer.concat(messages).equals(SIZED)).toBe(true)
    const full = Math.floor(SIZED.length / MESSAGE)
    expect(messages.map(({ length }) => length)).toEqual([
      ...Array.from({ length: full }, () => MESSAGE),
      SIZED.length % MESSAGE,
    ])
  })

  it('takes messages of any size, empty ones too', async () => {
    const { acceptor, url } = await accepting()
    const accepted = nextStream(acceptor)
    const socket = new WebSocket(url)
    await once(socket, 'open')
    for (const part of ['', 'he', '', 'llo']) socket.send(Buffer.from(part))
    socket.close()
    expect(String(await readAll(await accepted))).toBe('hello')
  })
})

describe('a WebSocket server', () => {
  it.each([
    [{}],
    [{ port: 1, server: createServer() }],
    [{ port: 65_536 }],
    [{ port: 0, path: 'multipath' }],
    [{ port: 0, host: 5 }],
    [{ server: {} }],
    [{ server: createServer(), host: '127.0.0.1' }],
  ])('with %j is refused', async (options) => {
    await expect(webSocketServer(options as never)).rejects.toThrow(OPTION)
  })

  it('rejects with what the system says of its port', async () => {
    const port = portOf(await listening())
    await expect(webSocketServer({ port, host: '127.0.0.1' })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })

  it('of its own answers nothing but its path', async () => {
    const { acceptor, url } = await accepting({ path: PATH })
    const plain = url.replace('ws:', 'http:')
    expect(await statusOf(plain)).toBe(426)
    await expect(webSocketDialer({ url: `${url}/other` }).dial(free())).rejects.toThrow('404')
    const accepted = nextStream(acceptor)
    const near = await webSocketDialer({ url: `${url}?any=query` }).dial(free())
    near.resume().end('hello')
    expect(String(await readAll(await accepted))).toBe('hello')
  })

  it('shares an HTTP server with its pages and with the upgrades of others', async () => {
    const http = await listening(createServer((_request, response) => response.end('page')))
    serveEcho(http)
    const { acceptor, url } = await accepting({ server: http, path: PATH })
    const listener = new MultipathListener([acceptor])
    const [near, far] = await Promise.all([
      new MultipathDialer('x', [webSocketDialer({ url })]).dial(),
      listener.accept(),
    ])
    const echo = url.replace(PATH, '/echo')
    expect(await echoed(echo, 'beside')).toBe('beside')
    expect(await statusOf(url.replace('ws:', 'http:'))).toBe(200)
    await listener.close()
    expect([acceptor.listening, http.listening]).toEqual([false, true])
    expect(await echoed(echo, 'afterwards')).toBe('afterwards')
    near.end('still here')
    expect(String(await readAll(far))).toBe('still here')
  })

  it('that is alone on an HTTP server leaves no other upgrade without an answer', async () => {
    const http = await listening(createServer())
    await accepting({ server: http, path: PATH })
    const other = webSocketDialer({ url: `ws://127.0.0.1:${portOf(http)}/other` })
    await expect(other.dial(free())).rejects.toThrow('404')
  })

  it('that nobody listens to closes what comes', async () => {
    const { url } = await accepting()
    const stream = await webSocketDialer({ url }).dial(free())
    stream.on('error', () => {}).resume()
    await until(() => stream.closed)
  })

  it.each([
    [
      'of no version',
      'GET',
      'Upgrade: websocket\r\n',
      /^HTTP\/1\.1 426[^]*\r\nSec-WebSocket-Version: 13\r\n/,
    ],
    ['of an old version', 'GET', WANTED.replace('13', '8'), /^HTTP\/1\.1 426/],
    ['that brings something', 'POST', WANTED, /^HTTP\/1\.1 405[^]*\r\nAllow: GET\r\n/],
    ['for something else', 'GET', WANTED.replace('websocket', 'h2c'), /^HTTP\/1\.1 400/],
    ['with a short key', 'GET', WANTED.replace('AAAA', ''), /^HTTP\/1\.1 400/],
    ['without a key', 'GET', WANTED.replace(/Sec-WebSocket-Key.*\r\n/, ''), /^HTTP\/1\.1 400/],
    ['for an odd protocol', 'GET', `${WANTED}Sec-WebSocket-Protocol: a b\r\n`, /^HTTP\/1\.1 400/],
  ])('refuses a request %s', async (_what, method, headers, answer) => {
    const { acceptor } = await accepting()
    const socket = connect((acceptor.address() as AddressInfo).port, '127.0.0.1')
    const heard = heardUntilClose(socket)
    socket.write(`${method} / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n${headers}\r\n`)
    expect(String(await heard)).toMatch(answer)
  })

  it('of its own answers one request of a socket, and reads nothing behind it', async () => {
    const { acceptor } = await accepting()
    let streams = 0
    acceptor.on('connection', (stream) => {
      streams++
      stream.on('error', () => {}).resume()
    })
    const socket = connect((acceptor.address() as AddressInfo).port, '127.0.0.1')
    const heard = heardUntilClose(socket)
    const [plain, wanted] = ['', `Connection: Upgrade\r\n${WANTED}`].map(
      (headers) => `GET / HTTP/1.1\r\nHost: x\r\n${headers}\r\n`,
    )
    socket.write(`${plain}${wanted}`)
    expect(String(await heard)).toMatch(/^HTTP\/1\.1 426[^]*\r\nUpgrade: websocket\r\n\r\n$/i)
    expect(streams).toBe(0)
  })

  it('takes the first of the subprotocols that it is offered, and no extension', async () => {
    const { acceptor, url } = await accepting()
    acceptor.on('connection', (stream) => stream.on('error', () => {}).resume())
    const socket = new WebSocket(url, ['one', 'two'], { perMessageDeflate: true })
    await once(socket, 'open')
    expect([socket.protocol, socket.extensions]).toEqual(['one', ''])
    socket.terminate()
  })

  it('reads what comes in one packet with the request', async () => {
    const { acceptor } = await accepting()
    const accepted = nextStream(acceptor)
    const socket = connect((acceptor.address() as AddressInfo).port, '127.0.0.1')
    onTestFinished(() => {
      socket.on('error', () => {}).destroy()
    })
    const frame = Buffer.from([0x82, 0x81, 1, 2, 3, 4, 1 ^ 'x'.charCodeAt(0)])
    const request = `GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n${WANTED}\r\n`
    socket.write(Buffer.concat([Buffer.from(request), frame]))
    expect(String((await once(await accepted, 'data'))[0])).toBe('x')
  })

  it('has the limits on handshakes of its clients apart', async () => {
    const { acceptor, url } = await accepting()
    const listener = new MultipathListener([acceptor], [], { maxPendingHandshakes: 2 })
    onTestFinished(() => listener.close())
    const refused: (string | undefined)[] = []
    listener.on('refused', (_error, { remoteAddress }) => refused.push(remoteAddress))
    const silent = (localAddress: string): Promise<unknown> =>
      webSocketDialer({ url, localAddress })
        .dial(free())
        .then((stream) => stream.on('error', () => {}).resume())
    for (const address of ['127.0.0.2', '127.0.0.2', '127.0.0.3', '127.0.0.2']) await silent(address)
    await until(() => refused.length === 2)
    expect(refused).toEqual(['127.0.0.2', '127.0.0.2'])
  })
})
