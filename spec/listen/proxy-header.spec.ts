// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { decodeProxyHeader } from '../../lib/listen/proxy-header.js'
import { damaged, fuzzSource } from '../support/fuzz.js'
import { v1, v2, V2_SIGNATURE } from '../support/proxy-headers.js'

const BROKEN = expect.objectContaining({ code: 'ERR_MULTIPATH_HANDSHAKE' }) as Error
const HELLO = Buffer.alloc(17)

const IPV4 = { remoteAddress: '203.0.113.9', remotePort: 51_000, localAddress: '192.0.2.1', localPort: 7000 }
const IPV6 = { remoteAddress: '2001:db8::9', remotePort: 1, localAddress: '2001:db8::1', localPort: 65_535 }

describe('a PROXY header', () => {
  it.each([
    ['version 1 over IPv4', v1('TCP4', IPV4), IPV4],
    ['version 1 over IPv6', v1('TCP6', IPV6), IPV6],
    [
      'version 1 over IPv6, spelt otherwise',
      v1('TCP6', { ...IPV6, remoteAddress: '0:0:0:0:0:FFFF:c000:207' }),
      { ...IPV6, remoteAddress: '::ffff:192.0.2.7' },
    ],
    ['version 2 over IPv4', v2(IPV4), IPV4],
    ['version 2 over IPv6', v2(IPV6), IPV6],
    ['version 2 with a TLV behind the addresses', v2(IPV4, Buffer.from('03000400000000', 'hex')), IPV4],
  ])('of %s names both ends, in whatever pieces it comes', (_what, header, addresses) => {
    const bytes = Buffer.concat([header, HELLO])
    for (let length = 0; length < header.length; length++)
      expect(decodeProxyHeader(bytes.subarray(0, length))).toBeUndefined()
    const want = { value: { isLocal: false, addresses }, length: header.length }
    expect(decodeProxyHeader(bytes)).toEqual(want)
    expect(decodeProxyHeader(header)).toEqual(want)
  })

  it.each([
    ['UNKNOWN', Buffer.from('PROXY UNKNOWN ffff:f::1 whatever\r\n'), false],
    ['UNKNOWN alone', Buffer.from('PROXY UNKNOWN\r\n'), false],
    [
      'a Unix socket',
      Buffer.concat([V2_SIGNATURE, Buffer.from('213100d8', 'hex'), Buffer.alloc(216)]),
      false,
    ],
    ['UDP', Buffer.concat([V2_SIGNATURE, Buffer.from('2112000c', 'hex'), Buffer.alloc(12)]), false],
    ['nobody', Buffer.concat([V2_SIGNATURE, Buffer.from('21000000', 'hex')]), false],
    ['LOCAL', Buffer.concat([V2_SIGNATURE, Buffer.from('20000000', 'hex')]), true],
    [
      'LOCAL with addresses',
      Buffer.concat([V2_SIGNATURE, Buffer.from('2011000c', 'hex'), Buffer.alloc(12)]),
      true,
    ],
  ])('that speaks of %s names no addresses', (_what, header, isLocal) => {
    expect(decodeProxyHeader(header)).toEqual({
      value: { isLocal, addresses: undefined },
      length: header.length,
    })
  })

  it.each([
    ['a hello', HELLO],
    ['one wrong byte', Buffer.from('PROXZ')],
    ['a wrong signature', Buffer.from('0d0a0d0a000d0a515549540b', 'hex')],
    ['version 1 in small letters', Buffer.from('PROXY tcp4 1.2.3.4 1.2.3.4 1 1\r\n')],
    ['an address of the other family', Buffer.from('PROXY TCP4 ::1 ::1 1 1\r\n')],
    ['an address with a zone', Buffer.from('PROXY TCP6 fe80::1%eth0 ::1 1 1\r\n')],
    ['a port too large', Buffer.from('PROXY TCP4 1.2.3.4 1.2.3.4 65536 1\r\n')],
    ['a port with a sign', Buffer.from('PROXY TCP4 1.2.3.4 1.2.3.4 +1 1\r\n')],
    ['a field too many', Buffer.from('PROXY TCP4 1.2.3.4 1.2.3.4 1 1 1\r\n')],
    ['a line without end', Buffer.from('PROXY '.padEnd(107, 'x'))],
    ['version 3', Buffer.concat([V2_SIGNATURE, Buffer.from('31110000', 'hex')])],
    ['an unknown command', Buffer.concat([V2_SIGNATURE, Buffer.from('22110000', 'hex')])],
    ['addresses cut short', Buffer.concat([V2_SIGNATURE, Buffer.from('2111000b', 'hex'), Buffer.alloc(11)])],
    ['a length beyond 536 bytes', Buffer.concat([V2_SIGNATURE, Buffer.from('21110209', 'hex')])],
  ])('is refused for %s', (_what, bytes) => {
    expect(() => decodeProxyHeader(bytes)).toThrow(BROKEN)
  })

  it('may be as long as its version allows', () => {
    const longest = Buffer.from(`${'PROXY UNKNOWN '.padEnd(105, 'x')}\r\n`)
    expect(decodeProxyHeader(longest)?.length).toBe(107)
    const padded = Buffer.concat([V2_SIGNATURE, Buffer.from('20000208', 'hex'), Buffer.alloc(520)])
    expect(decodeProxyHeader(padded)?.length).toBe(536)
  })

  it('given anything, is one, wants more within its limit, or is refused', () => {
    const { random, inputs } = fuzzSource('PROXY header', 30_000)
    const seen = { header: 0, more: 0, refused: 0 }
    for (let n = 0; n < inputs; n++) {
      const whole = random.pick([v1('TCP4', IPV4), v1('TCP6', IPV6), v2(IPV4), v2(IPV6)])
      const bytes = damaged(random, Buffer.concat([whole, random.bytes(random.integer(0, 600))]))
      try {
        const read = decodeProxyHeader(bytes)
        if (read !== undefined) expect(read.length).toBeLessThanOrEqual(Math.min(bytes.length, 536))
        else expect(bytes.length).toBeLessThan(536)
        seen[read === undefined ? 'more' : 'header']++
      } catch (error) {
        expect(error).toEqual(BROKEN)
        seen.refused++
      }
    }
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(inputs / 100)
  }, 60_000)
})
