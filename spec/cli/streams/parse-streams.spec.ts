// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import {
  formatTarget,
  parseBind,
  parseListenPlace,
  parseLocalForward,
  parseRemoteForward,
} from '../../../lib/cli/streams/parse-places.js'
import {
  formatAllowed,
  parseAllowed,
  parseAllowRule,
  parseRange,
} from '../../../lib/cli/streams/parse-rules.js'
import { parsePathPlace } from '../../../lib/cli/streams/path-place.js'

describe('parseAllowed', () => {
  it('takes rules for UDP, and a host that is called so', () => {
    expect(parseAllowed('udp:dns=10.0.0.1:53')).toEqual({
      ...{ host: '10.0.0.1', port: 53, name: 'dns', protocol: 'udp' },
    })
    expect(parseAllowed('udp:[fd00::1]:53')).toMatchObject({ host: 'fd00::1', protocol: 'udp' })
    expect(parseAllowed('udp:53')).toEqual({ host: 'udp', port: 53, name: undefined })
    expect(parseAllowRule('udp:*:53')).toMatchObject({ host: '*', protocol: 'udp' })
    expect(parseAllowRule('*:53')).not.toHaveProperty('protocol')
    expect(parseLocalForward('udp:5353=dns')).toEqual({
      ...{ bind: { host: '127.0.0.1', port: 5353 }, target: { name: 'dns' }, protocol: 'udp' },
    })
    expect(() => parseRemoteForward('udp:53=a:53')).toThrow('PORT')
  })

  it.each(['web=127.0.0.1:80', 'example.org:443', 'db-1=[fd00::1]:5432'])('takes %s', (text) => {
    expect(formatAllowed(parseAllowed(text))).toBe(text)
  })

  it.each([
    '',
    'web',
    'web=',
    '=a:80',
    '1web=a:80',
    'we b=a:80',
    'a:0',
    'a:65536',
    '::1:80',
    'a=b=c:80',
    'a_b-:80',
  ])('refuses "%s"', (text) => {
    expect(() => parseAllowed(text)).toThrow(/HOST:PORT/)
  })
})

describe('parseAllowRule', () => {
  it.each([
    ['*:*', { host: '*', ports: [{ first: 1, last: 65_535 }] }],
    ['*.Example.org:80', { host: '.example.org', ports: [{ first: 80, last: 80 }] }],
    [
      'a.b:1-2,4',
      {
        host: 'a.b',
        ports: [
          { first: 1, last: 2 },
          { first: 4, last: 4 },
        ],
      },
    ],
    ['10.0.0.0/8:22', { range: { address: '10.0.0.0', family: 4, prefix: 8 } }],
    ['10.0.0.1:22', { range: { address: '10.0.0.1', family: 4, prefix: 32 } }],
    ['[fd00::/8]:22', { range: { address: 'fd00::', family: 6, prefix: 8 } }],
  ])('takes %s', (text, rule) => {
    expect(parseAllowRule(text)).toMatchObject(rule)
  })

  it.each([
    ...[
      '',
      '*',
      'a',
      'a:',
      ':80',
      '10.0.0.0/33:80',
      '[fd00::/129]:80',
      '10.0.0/8:80',
      '999.1.1.1:80',
      '*.*:80',
    ],
    ...[
      'a.*:80',
      'a:80-',
      'a:-80',
      'a:80-70',
      'a:1-2-3',
      'a:80,',
      'a:0',
      'a:http',
      'fd00::/8:80',
      '*.10.0.0.1:80',
    ],
  ])('refuses "%s"', (text) => {
    expect(() => parseAllowRule(text)).toThrow(/HOST:PORTS/)
  })
})

describe('parseRange', () => {
  it('takes addresses and ranges', () => {
    expect(parseRange('10.0.0.0/8')).toEqual({ address: '10.0.0.0', family: 4, prefix: 8 })
    expect(parseRange('fd00::1')).toEqual({ address: 'fd00::1', family: 6, prefix: 128 })
  })

  it.each(['', 'example.org', '10.0.0.0/', '10.0.0.0/33', '/8'])('refuses "%s"', (text) => {
    expect(() => parseRange(text)).toThrow(/range/)
  })
})

describe('places', () => {
  it('of paths may name their source', () => {
    expect(parsePathPlace('a:1')).toEqual({ host: 'a', port: 1, source: undefined })
    expect(parsePathPlace('[::1]:1@fd00::2')).toEqual({ host: '::1', port: 1, source: 'fd00::2' })
    for (const text of ['a', 'a:1@', 'a:1@1.2.3.4@5.6.7.8'])
      expect(() => parsePathPlace(text)).toThrow(/HOST:PORT|@/)
  })

  it('to listen on may do without an address', () => {
    expect(parseListenPlace('80')).toEqual({ host: undefined, port: 80 })
    expect(parseListenPlace('[::]:0')).toEqual({ host: '::', port: 0 })
    expect(parseListenPlace('localhost:1')).toEqual({ host: '127.0.0.1', port: 1 })
    expect(parseBind('80')).toEqual({ host: '127.0.0.1', port: 80 })
    for (const text of ['', 'a:1', '::1:80', ':80', '1.2.3.4:', '1.2.3.4:70000', 'x'])
      expect(() => parseListenPlace(text)).toThrow(/PORT|port/)
  })

  it('to forward from and to', () => {
    expect(parseLocalForward('8080=web')).toEqual({
      bind: { host: '127.0.0.1', port: 8080 },
      target: { name: 'web' },
    })
    expect(parseLocalForward('[::1]:0=[::2]:80')).toEqual({
      bind: { host: '::1', port: 0 },
      target: { host: '::2', port: 80 },
    })
    expect(parseRemoteForward('0.0.0.0:80=db:5432')).toEqual({
      bind: { host: '0.0.0.0', port: 80 },
      target: { host: 'db', port: 5432 },
    })
    expect(formatTarget({ name: 'web' })).toBe('web')
    expect(formatTarget({ host: '::1', port: 80 })).toBe('[::1]:80')
    for (const text of ['8080', '=web', '8080=', 'a=b', '1=a b:80', `1=${'a.'.repeat(150)}b:80`])
      expect(() => parseLocalForward(text)).toThrow()
    for (const text of ['0=a:1', '80=web', '80']) expect(() => parseRemoteForward(text)).toThrow()
  })
})
