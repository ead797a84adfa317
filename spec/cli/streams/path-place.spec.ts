// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { parseInterfaceRules, policyOf, takes } from '../../../lib/cli/streams/interface-rules.js'
import { labelOf, parsePathPlace } from '../../../lib/cli/streams/path-place.js'
import { parsePolicy } from '../../../lib/cli/parse-policy.js'

const GW = { host: 'gw', port: 7001 }

describe('a path on the command line', () => {
  it.each([
    ['gw:7001', GW],
    ['gw:7001@10.64.3.7', { ...GW, source: '10.64.3.7' }],
    ['gw:7001@wwan0', { ...GW, source: undefined, interfaceName: 'wwan0' }],
    ['[fd00::1]:7001@fd00::2', { host: 'fd00::1', port: 7001, source: 'fd00::2' }],
    ['gw:7001,tier=backup,weight=3', { ...GW, policy: { tier: 'backup', weight: 3 } }],
    ['gw:7001,max-bytes=10GB/month', { ...GW, policy: { maxBytes: 10e9 }, period: 'month' }],
    [
      'gw:7001,max-rate=5Mbit,parallel=2',
      { ...GW, policy: { maxBytesPerSecond: 625_000, parallel: 1 }, parallel: 2 },
    ],
    ['gw:7001,parallel=1-8,weight=2', { ...GW, policy: { parallel: { max: 8 }, weight: 2 } }],
    ['gw:7001,tls,label=lte', { ...GW, transport: 'tls', label: 'lte' }],
    ['gw:7001,via=socks5://127.0.0.1:1080', { ...GW, via: 'socks5://127.0.0.1:1080' }],
  ])('takes %s', (text, place) => {
    expect(parsePathPlace(text)).toMatchObject(place)
  })

  it.each([
    ['gw', /HOST:PORT/],
    ['gw:7001@10.0.0', /address or an interface/],
    ['gw:7001@a@b', /HOST:PORT@ADDRESS/],
    ['gw:7001,tier=best', /tier must be one of/],
    ['gw:7001,weight=0', /weight must be/],
    ['gw:7001,max-bytes=lots', /max-bytes must be/],
    ['gw:7001,max-rate=5', /max-rate must be/],
    ['gw:7001,parallel=0', /from 1 to 64/],
    ['gw:7001,parallel=2-8', /parallel must be from 1-1 to 1-64/],
    ['gw:7001,parallel=1-65', /parallel must be/],
    ['gw:7001,via=ftp://x', /via must be/],
    ['gw:7001,label=', /label must/],
    ['gw:7001,speed=fast', /is unknown/],
    ['gw:7001,', /is unknown/],
  ])('refuses %s and says why', (text, why) => {
    expect(() => parsePathPlace(text)).toThrow(why)
  })

  it('is called by its label, or by where it leads and starts', () => {
    expect(labelOf(parsePathPlace('gw:7001@wwan0,label=lte'))).toBe('lte')
    expect(labelOf(parsePathPlace('gw:7001@wwan0'))).toBe('gw:7001@wwan0')
  })
})

describe('a policy on the command line', () => {
  it('may lift a cap', () => {
    expect(parsePolicy('max-bytes=none,max-rate=none')).toEqual({
      maxBytes: Infinity,
      maxBytesPerSecond: Infinity,
    })
  })

  it('knows decimal and binary units', () => {
    expect(parsePolicy('max-bytes=1.5GB')).toEqual({ maxBytes: 1.5e9 })
    expect(parsePolicy('max-bytes=2MiB')).toEqual({ maxBytes: 2 ** 21 })
    expect(parsePolicy('max-rate=800kbit/s')).toEqual({ maxBytesPerSecond: 100_000 })
  })
})

describe('rules of interfaces', () => {
  const local = (interfaceName: string, isVirtual = false): Parameters<typeof takes>[1] => ({
    ...{ interfaceName, isVirtual, address: '192.0.2.1', family: 4, isLoopback: false },
    network: undefined,
  })

  it('include and exclude by pattern, and give tiers', () => {
    const rules = parseInterfaceRules('eth*,wwan*:tier=backup:weight=2,!eth9')
    expect(['eth0', 'eth9', 'wwan0', 'wlan0'].filter((name) => takes(rules, local(name)))).toEqual([
      'eth0',
      'wwan0',
    ])
    expect(policyOf(rules, 'wwan0')).toEqual({ tier: 'backup', weight: 2 })
    expect(policyOf(rules, 'eth0')).toEqual({})
  })

  it('leave out virtual interfaces where they only exclude', () => {
    const rules = parseInterfaceRules('!wwan*')
    expect(takes(rules, local('eth0'))).toBe(true)
    expect(takes(rules, local('docker0', true))).toBe(false)
    expect(takes(rules, local('wwan0'))).toBe(false)
  })

  it.each(['', 'eth 0', '!eth0:tier=backup', 'eth0:tier=best'])('refuse "%s"', (text) => {
    expect(() => parseInterfaceRules(text)).toThrow()
  })
})
