// SPDX-License-Identifier: Apache-2.0
import { InvalidArgumentError } from 'commander'
import { describe, expect, it } from 'vitest'
import { Matcher, parseMatch } from '../../../lib/cli/gateway/match-rule.js'
import { damaged, fuzzSource } from '../../support/fuzz.js'

const ANY = [{ first: 1, last: 65_535 }]

describe('--match', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7', ANY, {}],
    ['tcp:203.0.113.0/24:443', '203.0.113.0', [{ first: 443, last: 443 }], {}],
    ['2001:db8::/32', '2001:db8::', ANY, {}],
    ['[2001:db8::/32]', '2001:db8::', ANY, {}],
    [
      '[2001:DB8::1]:80,8000-8100,scheduler=redundant',
      '2001:db8::1',
      [
        { first: 80, last: 80 },
        { first: 8000, last: 8100 },
      ],
      { scheduler: 'redundant' },
    ],
    ['Example.org', 'example.org', ANY, {}],
    ['*.example.org,paths=dsl/wwan0', '.example.org', ANY, { paths: ['dsl', 'wwan0'] }],
    ['*,scheduler=hybrid,paths=dsl', '*', ANY, { scheduler: 'hybrid', paths: ['dsl'] }],
  ])('takes %s', (text, host, ports, policy) => {
    const rule = parseMatch(text)
    expect([rule.host ?? rule.range?.address, rule.ports, rule.policy]).toEqual([host, ports, policy])
  })

  it.each([
    ...['', ':443', '203.0.113', '203.0.113.0/33', 'a b', '*.', 'x:0', 'x:99999', 'x,443', 'x,speed=1'],
    ...['x,paths=', 'x,paths=a//b', '[fd00::', 'scheduler=redundant', 'x,scheduler=redundant,443'],
  ])('refuses %j', (text) => {
    expect(() => parseMatch(text)).toThrow(/It must be \[udp:\]HOST/)
  })

  it('says which schedulers there are', () => {
    expect(() => parseMatch('x,scheduler=best')).toThrow(/one of .*redundant/)
  })

  it('is for UDP where it says so', () => {
    for (const place of ['203.0.113.7', '2001:db8::/32', '*:443,scheduler=redundant', '*.example.org'])
      expect(parseMatch(`udp:${place}`)).toEqual({ ...parseMatch(place), protocol: 'udp' })
    expect(() => parseMatch('udp:')).toThrow(/It must be/)
    expect(() => parseMatch('udp:tcp:x')).toThrow(/It must be/)
  })

  it('given anything, is a rule or a refusal', () => {
    const { random, inputs } = fuzzSource('match rules', 5000)
    const words = [
      'tcp:*.example.org:443,80-90,scheduler=redundant,paths=dsl/lte',
      '[fd00::/8]:*,paths=a',
      '*',
    ]
    for (let n = 0; n < inputs; n++) {
      const text = damaged(random, Buffer.from(words[n % words.length]!)).toString('latin1')
      try {
        expect(parseMatch(text).ports.length).toBeGreaterThan(0)
      } catch (error) {
        if (!(error instanceof InvalidArgumentError)) throw error
      }
    }
  })
})

describe('a matcher', () => {
  const matcher = (...texts: string[]): Matcher => new Matcher(texts.map(parseMatch))
  const found = (one: Matcher, host: string, port = 443): unknown => one.ruleFor({ host, port })?.policy

  it('finds the first rule for an address and its port', () => {
    const one = matcher('203.0.113.7:22', '203.0.113.0/24:443,scheduler=redundant', '*,paths=dsl')
    expect(found(one, '203.0.113.7', 22)).toEqual({})
    expect(found(one, '203.0.113.7')).toEqual({ scheduler: 'redundant' })
    expect(found(one, '8.8.8.8')).toEqual({ paths: ['dsl'] })
    expect(found(one, '::ffff:8.8.8.8')).toEqual({ paths: ['dsl'] })
    expect(found(matcher('203.0.113.7:22'), '203.0.113.7')).toBeUndefined()
  })

  it('keeps UDP and TCP apart, but captures a name as a whole', () => {
    const one = matcher('udp:203.0.113.7,paths=dsl', '203.0.113.0/24:443', 'udp:*.example.org:443,paths=lte')
    const udp = (host: string, port = 443): unknown => one.ruleFor({ host, port, protocol: 'udp' })?.policy
    expect([udp('203.0.113.7'), udp('203.0.113.8'), udp('www.example.org', 53)]).toEqual([
      { paths: ['dsl'] },
      undefined,
      { paths: ['lte'] },
    ])
    expect([found(one, '203.0.113.7'), found(one, 'www.example.org')]).toEqual([{}, { paths: ['lte'] }])
    expect(
      matcher('example.org').ruleFor({ host: 'example.org', port: 443, protocol: 'udp' }),
    ).toBeUndefined()
  })

  it('takes special addresses for meant only where a range is no wider', () => {
    expect(found(matcher('*', '0.0.0.0/0', '::/0'), '10.1.2.3')).toBeUndefined()
    expect(found(matcher('10.0.0.0/8'), '10.1.2.3')).toEqual({})
    expect(found(matcher('10.1.2.3'), '10.1.2.3')).toEqual({})
  })

  it('takes a name of a rule whatever its port, by the rule for that port where there is one', () => {
    const one = matcher('*.example.org:22,scheduler=redundant', 'www.example.org:80')
    expect(found(one, 'www.example.org', 80)).toEqual({})
    expect(found(one, 'www.example.org', 22)).toEqual({ scheduler: 'redundant' })
    expect(found(one, 'www.example.org')).toEqual({ scheduler: 'redundant' })
    expect(found(one, 'example.org')).toBeUndefined()
  })

  it('takes * for all names but those of a machine or of a network', () => {
    const names = ['example.org', 'printer', 'localhost', 'tv.local', '1.0.0.127.in-addr.arpa', 'x.internal']
    expect(names.filter((name) => matcher('*').takesName(name))).toEqual(['example.org'])
    expect(matcher('printer').takesName('printer')).toBe(true)
    expect(matcher('203.0.113.7').takesName('example.org')).toBe(false)
  })
})
