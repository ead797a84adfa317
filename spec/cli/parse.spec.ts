// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { formatHostPort, parseCount, parseHostPort, parsePort, parseSeconds } from '../../lib/cli/parse.js'

describe('parseHostPort', () => {
  it.each([
    ['example.org:80', { host: 'example.org', port: 80 }],
    ['192.0.2.1:65535', { host: '192.0.2.1', port: 65_535 }],
    ['[::1]:4000', { host: '::1', port: 4000 }],
    ['[fe80::1%eth0]:4000', { host: 'fe80::1%eth0', port: 4000 }],
  ])('takes %s', (text, parsed) => {
    expect(parseHostPort(text)).toEqual(parsed)
  })

  it.each([
    '',
    'example.org',
    ':80',
    'example.org:',
    'a:0',
    'a:65536',
    'a:-1',
    'a:http',
    '::1:80',
    '[::1]',
    'a:1:2',
  ])('refuses "%s"', (text) => {
    expect(() => parseHostPort(text)).toThrow(/HOST:PORT/)
  })

  it('is undone by formatHostPort', () => {
    for (const text of ['[::1]:4000', 'example.org:80'])
      expect(formatHostPort(parseHostPort(text))).toBe(text)
  })
})

describe('parsePort', () => {
  it('takes ports, and 0 for any', () => {
    expect(['0', '1', '65535'].map(parsePort)).toEqual([0, 1, 65_535])
  })

  it.each(['', '-1', '65536', '1.5', 'http', '0x10'])('refuses "%s"', (text) => {
    expect(() => parsePort(text)).toThrow(/from 0 to 65535/)
  })
})

describe('parseCount', () => {
  it('takes whole numbers from 1 to its limit', () => {
    expect(['1', '64'].map((text) => parseCount(64)(text))).toEqual([1, 64])
  })

  it.each(['0', '65', '1.5', '', 'two', '-1'])('refuses "%s"', (text) => {
    expect(() => parseCount(64)(text)).toThrow(/from 1 to 64/)
  })
})

describe('parseSeconds', () => {
  it('gives whole milliseconds', () => {
    expect(['0', '1', '0.25', '2147483'].map(parseSeconds)).toEqual([0, 1000, 250, 2_147_483_000])
  })

  it.each(['', '-1', '10s', '1e3', '2147484', '.'])('refuses "%s"', (text) => {
    expect(() => parseSeconds(text)).toThrow(/seconds from 0/)
  })
})
