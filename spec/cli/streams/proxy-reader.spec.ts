// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import type { CheckLogin } from '../../../lib/cli/streams/proxy-handshake.js'
import { ProxyRefusal } from '../../../lib/cli/streams/proxy-handshake.js'
import { ProxyReader } from '../../../lib/cli/streams/proxy-reader.js'

const login: CheckLogin = (user, password) => user === 'anna' && password === 's3cret'
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
const counted = (text: string): Buffer => Buffer.concat([Buffer.of(text.length), Buffer.from(text)])
const hello = (user: string, password: string): Buffer =>
  Buffer.concat([hex('05 01 02 01'), counted(user), counted(password)])
const NAME_REQUEST = Buffer.concat([hex('05 01 00 03'), counted('example.org'), hex('01bb')])

/** What became of a client that says all of `bytes`. */
function outcome(
  bytes: Buffer,
  check?: CheckLogin,
): { said: string; reader: ProxyReader; refusal?: ProxyRefusal } {
  const reader = new ProxyReader(check)
  let said = ''
  try {
    said = reader.push(bytes).toString('latin1')
    return { said, reader }
  } catch (error) {
    if (!(error instanceof ProxyRefusal)) throw error
    return { said, reader, refusal: error }
  }
}

function refusedWith(bytes: Buffer, check?: CheckLogin): string {
  const { refusal } = outcome(bytes, check)
  expect(refusal).toBeDefined()
  return Buffer.from(refusal!.answer).toString('latin1')
}

describe('a SOCKS5 client', () => {
  it.each([
    ['an IPv4 address', '01 c0000201', '192.0.2.1'],
    ['an IPv6 address', '04 20010db8000000000000000000000001', '2001:db8:0:0:0:0:0:1'],
    ['a name', `03 0b ${Buffer.from('example.org').toString('hex')}`, 'example.org'],
  ])('asks for %s', (_, address, host) => {
    const { said, reader } = outcome(hex(`05 01 00 05 01 00 ${address} 01bb 6869`))
    expect(said).toBe('\x05\x00')
    expect(reader.request).toMatchObject({ protocol: 'socks5', host, port: 443 })
    expect(reader.rest.toString()).toBe('hi')
  })

  it('is asked for user and password where they are wanted', () => {
    const { said, reader } = outcome(Buffer.concat([hello('anna', 's3cret'), NAME_REQUEST]), login)
    expect(said).toBe('\x05\x02\x01\x00')
    expect(reader.request).toMatchObject({ host: 'example.org', port: 443 })
  })

  it('is refused with a wrong user or password, before it can ask', () => {
    for (const [user, password] of [
      ['anna', 'wrong'],
      ['eve', 's3cret'],
      ['', ''],
    ] as const) {
      const { reader, refusal } = outcome(Buffer.concat([hello(user, password), NAME_REQUEST]), login)
      expect(Buffer.from(refusal!.answer)).toEqual(Buffer.of(5, 2, 1, 1))
      expect(reader.request).toBeUndefined()
    }
  })

  it('is refused where it offers no method that is wanted', () => {
    expect(refusedWith(hex('05 01 00'), login)).toBe('\x05\xff')
    expect(refusedWith(hex('05 01 02'))).toBe('\x05\xff')
    expect(refusedWith(hex('05 00'))).toBe('\x05\xff')
  })

  it('is refused whatever is neither CONNECT nor UDP ASSOCIATE, and addresses of unknown types', () => {
    expect(refusedWith(hex('05 01 00 05 02 00 01 c0000201 01bb'))[3]).toBe('\x07')
    expect(refusedWith(hex('05 01 00 05 04 00 01 c0000201 01bb'))[3]).toBe('\x07')
    expect(refusedWith(hex('05 01 00 05 01 00 02 c0000201 01bb'))[3]).toBe('\x08')
  })

  it('is told where to send its packets, where it wants to use UDP', () => {
    const { associated } = outcome(hex('05 01 00 05 03 00 01 00000000 0000')).reader.request!
    const words = (host: string): string => Buffer.from(associated!({ host, port: 53 })).toString('hex')
    expect(words('127.0.0.1')).toBe('05000001' + '7f000001' + '0035')
    expect(words('::1')).toBe(`05000004${'0'.repeat(31)}1` + '0035')
  })

  it('is told what became of its request', () => {
    const { answer } = outcome(Buffer.concat([hex('05 01 00'), NAME_REQUEST])).reader.request!
    const codes = (['ok', 'not-allowed', 'not-found', 'refused', 'timeout', 'unavailable'] as const).map(
      (word) => answer(word)[1],
    )
    expect(codes).toEqual([0, 2, 4, 5, 6, 1])
    expect(answer('ok')).toHaveLength(10)
  })
})

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`
const connect = (target: string, ...headers: string[]): Buffer =>
  Buffer.from(`${[`CONNECT ${target} HTTP/1.1`, ...headers].join('\r\n')}\r\n\r\n`)

describe('an HTTP client', () => {
  it.each([
    ['example.org:443', 'example.org', 443],
    ['[2001:db8::1]:80', '2001:db8::1', 80],
  ])('asks for %s', (target, host, port) => {
    const { said, reader } = outcome(Buffer.concat([connect(target, 'Host: x'), Buffer.from('hi')]))
    expect(said).toBe('')
    expect(reader.request).toMatchObject({ protocol: 'http', host, port })
    expect(reader.rest.toString()).toBe('hi')
  })

  it('logs in where that is wanted', () => {
    const right = connect('a:1', `proxy-AUTHORIZATION:  ${basic('anna:s3cret')}`)
    expect(outcome(right, login).reader.request).toMatchObject({ host: 'a' })
    for (const headers of [
      [],
      [`Proxy-Authorization: ${basic('anna:wrong')}`],
      [`Proxy-Authorization: ${basic('anna')}`],
    ])
      expect(refusedWith(connect('a:1', ...headers), login)).toMatch(
        /^HTTP\/1\.1 407 .*\r\nProxy-Authenticate: Basic/,
      )
  })

  it('is refused at once with thousands of blanks that no login follows', () => {
    const blanks = ' '.repeat(8000)
    const head = `CONNECT a:1 HTTP/1.1\r\nProxy-Authorization:${blanks}\rX\r\n\r\n`
    expect(() => new ProxyReader(() => true).push(Buffer.from(head))).toThrow('its user or password')
  })

  it('is refused whatever is not CONNECT', () => {
    expect(refusedWith(Buffer.from('GET http://a/ HTTP/1.1\r\n\r\n'))).toMatch(/^HTTP\/1\.1 405 /)
    expect(refusedWith(Buffer.from('CONNECT a HTTP/1.1\r\n\r\n'))).toMatch(/^HTTP\/1\.1 400 /)
    expect(refusedWith(Buffer.from('NONSENSE\r\n\r\n'))).toMatch(/^HTTP\/1\.1 400 /)
  })

  it('is told what became of its request', () => {
    const { answer } = outcome(connect('a:1')).reader.request!
    const status = (['ok', 'not-allowed', 'refused', 'timeout', 'limit', 'unavailable'] as const).map(
      (word) => Number(Buffer.from(answer(word)).toString().split(' ')[1]),
    )
    expect(status).toEqual([200, 403, 502, 504, 503, 504])
  })

  it('is refused a head of more than 8 KiB, whether it ends or not', () => {
    const long = connect('a:1', `X: ${'x'.repeat(8192)}`)
    expect(refusedWith(long)).toMatch(/^HTTP\/1\.1 431 /)
    expect(refusedWith(long.subarray(0, 8192))).toMatch(/^HTTP\/1\.1 431 /)
  })
})

it('whoever speaks neither is refused at the first byte', () => {
  expect(refusedWith(hex('04 01'))).toBe('')
  expect(refusedWith(Buffer.from('connect'))).toBe('')
})
