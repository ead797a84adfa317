// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events'
import type { Server } from 'node:net'
import { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { RequestRead } from '../../lib/transport/request-head.js'
import { decodeRequest, readRequest } from '../../lib/transport/request-head.js'
import { client, heardUntilClose, listening } from '../support/tcp.js'

const LINE = 'GET /a?b HTTP/1.1\r\n'
const socket = new Socket()

function decode(text: string | Buffer): RequestRead | undefined {
  return decodeRequest(Buffer.from(text as string), socket)
}

function requestOf(text: string): Exclude<RequestRead, { head: string }> {
  const read = decode(text)
  if (read === undefined || 'head' in read) throw new Error(`no request, but ${read?.head}`)
  return read
}

function statusOf(read: RequestRead | undefined): string | undefined {
  return read !== undefined && 'head' in read ? read.head.split('\r\n', 1)[0] : undefined
}

describe('the head of a request', () => {
  it('is what Node makes of it', () => {
    const { request, rest } = requestOf(
      `${LINE}Host: x:1\r\nX-One:  1 2 \r\ncookie: a=b\r\nx-one:3\r\nCookie: c=d\r\nX-Empty:\r\n\r\nmore`,
    )
    expect(request).toMatchObject({ method: 'GET', url: '/a?b', httpVersion: '1.1', complete: true, socket })
    expect(request.headers).toEqual({ host: 'x:1', 'x-one': '1 2, 3', cookie: 'a=b; c=d', 'x-empty': '' })
    expect(request.rawHeaders.slice(0, 4)).toEqual(['Host', 'x:1', 'X-One', '1 2'])
    expect(String(rest)).toBe('more')
  })

  it('is refused at once, however many blanks are in front of what is no text', () => {
    const head = Buffer.from(`${LINE}Host: x\r\na:${' '.repeat(16_000)}\x01\r\n\r\n`)
    for (let n = 0; n < 300; n++) expect(statusOf(decode(head))).toBe('HTTP/1.1 400 Bad Request')
  })

  it('is waited for until it is whole', () => {
    const head = `${LINE}Host: x\r\n\r\n`
    for (let bytes = 0; bytes < head.length; bytes++) expect(decode(head.slice(0, bytes))).toBeUndefined()
    expect(requestOf(head).rest).toHaveLength(0)
  })

  it('alone is decoded, however many follow', () => {
    const head = `${LINE}Host: x\r\n\r\n`
    const { request, rest } = requestOf(head.repeat(2000))
    expect(request.headers).toEqual({ host: 'x' })
    expect(rest).toHaveLength(1999 * head.length)
  })

  it('gives no name of a header a meaning of its own', () => {
    const { headers } = requestOf(`${LINE}Host: x\r\n__proto__: 1\r\nconstructor: 2\r\n\r\n`).request
    expect(Object.entries(headers)).toEqual([
      ['host', 'x'],
      ['__proto__', '1'],
      ['constructor', '2'],
    ])
    expect(Object.getPrototypeOf(headers)).toBe(Object.prototype)
  })

  it.each([
    ['of another version', 'GET / HTTP/1.0\r\nHost: x\r\n\r\n'],
    ['without a target', 'GET HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['with two spaces', 'GET  / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['that is empty', '\r\n\r\n'],
    ['without a host', `${LINE}\r\n`],
    ['with two hosts', `${LINE}Host: x\r\nHost: y\r\n\r\n`],
    ['with a header that goes on', `${LINE}Host: x\r\n y\r\n\r\n`],
    ['with white space before a colon', `${LINE}Host : x\r\n\r\n`],
    ['with a header without a name', `${LINE}Host: x\r\n: y\r\n\r\n`],
    ['with a lone line feed', `${LINE}Host: x\nX: y\r\n\r\n`],
    ['with a zero', `${LINE}Host: x\0\r\n\r\n`],
    ['with a body', `${LINE}Host: x\r\nContent-Length: 1\r\n\r\n`],
    ['with a body in chunks', `${LINE}Host: x\r\nTransfer-Encoding: chunked\r\n\r\n`],
    ['of TLS', Buffer.concat([Buffer.from('160301020001', 'hex'), Buffer.from('\r\n\r\n')])],
  ])('%s is answered 400', (_what, text) => {
    expect(statusOf(decode(text))).toBe('HTTP/1.1 400 Bad Request')
  })

  it('has 16 KiB, and no more', () => {
    const of = (bytes: number): string => `${LINE}Host: x\r\nX: `.padEnd(bytes - 4, 'y')
    expect(requestOf(`${of(16_384)}\r\n\r\n`).rest).toHaveLength(0)
    expect(decode(of(16_384))).toBeUndefined()
    expect(statusOf(decode(`${of(16_385)}\r\n\r\n`))).toMatch('431')
    expect(statusOf(decode(of(16_388)))).toMatch('431')
  })
})

describe('reading the request of a socket', () => {
  async function accepted(server: Server): Promise<[near: Socket, far: Socket]> {
    const came = once(server, 'connection') as Promise<[Socket]>
    const near = await client(server)
    const [far] = await came
    return [near, far]
  }

  function read(far: Socket, timeoutMs = 60_000): Promise<RequestRead> {
    return new Promise((resolve) => {
      readRequest(far, timeoutMs, resolve)
    })
  }

  it('takes it in pieces, and leaves the socket paused', async () => {
    const [near, far] = await accepted(await listening())
    const reading = read(far)
    for (const piece of [LINE, 'Host: x\r', '\n\r', '\nmore']) {
      near.write(piece)
      await once(far, 'data')
    }
    expect(await reading).toMatchObject({ request: { url: '/a?b' }, rest: Buffer.from('more') })
    expect(far.isPaused()).toBe(true)
  })

  it('ends with 408 once the time is over', async () => {
    const [near, far] = await accepted(await listening())
    near.write(LINE)
    expect(statusOf(await read(far, 20))).toMatch('408')
    expect(far.isPaused()).toBe(true)
  })

  it('closes a socket that ends before', async () => {
    const [near, far] = await accepted(await listening())
    void read(far)
    const heard = heardUntilClose(near)
    near.end(LINE)
    expect(await heard).toHaveLength(0)
  })
})
