import type { NetworkInterfaceInfo } from 'node:os'
import { describe, expect, it } from 'vitest'
import { usableAddresses } from '../../lib/cli/local-addresses.js'
import type { Target } from '../../lib/cli/plan-paths.js'
import { planPaths } from '../../lib/cli/plan-paths.js'

function info(address: string, internal = false): NetworkInterfaceInfo {
  const common = { address, netmask: '', mac: '', internal, cidr: null }
  return address.includes(':') ? { ...common, family: 'IPv6', scopeid: 0 } : { ...common, family: 'IPv4' }
}

const INTERFACES = {
  lo: [info('127.0.0.1', true), info('::1', true)],
  eth0: [info('192.0.2.2'), info('2001:db8::2'), info('fe80::2')],
  wlan0: [info('198.51.100.2'), info('169.254.7.7')],
  tun0: undefined,
}
const LOCALS = usableAddresses(INTERFACES, 0)

const target = (address: string): Target => ({ address, family: address.includes(':') ? 6 : 4, port: 80 })
const sources = (address: string): (string | undefined)[] =>
  planPaths([target(address)], LOCALS, 1).map(({ localAddress }) => localAddress)

describe('usableAddresses', () => {
  it('gives every address but link-local ones', () => {
    expect(LOCALS.map(({ address }) => address)).toEqual([
      '127.0.0.1',
      '::1',
      '192.0.2.2',
      '2001:db8::2',
      '198.51.100.2',
    ])
  })

  it('keeps to one family where asked', () => {
    expect(usableAddresses(INTERFACES, 6).map(({ address }) => address)).toEqual(['::1', '2001:db8::2'])
    expect(usableAddresses(INTERFACES, 4)).toHaveLength(3)
  })

  it('gives an address once, however many interfaces have it', () => {
    expect(usableAddresses({ a: [info('192.0.2.2')], b: [info('192.0.2.2')] }, 0)).toHaveLength(1)
  })
})

describe('planPaths', () => {
  it('starts a path from every address of the family of the target', () => {
    expect(sources('203.0.113.1')).toEqual(['192.0.2.2', '198.51.100.2'])
    expect(sources('2001:db8::9')).toEqual(['2001:db8::2'])
  })

  it('reaches loopback from loopback alone', () => {
    expect(sources('127.0.0.5')).toEqual(['127.0.0.1'])
    expect(sources('::1')).toEqual(['::1'])
  })

  it('leaves the source of a link-local target to the system', () => {
    expect(sources('fe80::1%eth0')).toEqual([undefined])
  })

  it('leaves all sources to the system without local addresses', () => {
    expect(planPaths([target('203.0.113.1')], undefined, 1)).toEqual([
      { label: '203.0.113.1:80', host: '203.0.113.1', port: 80, localAddress: undefined },
    ])
  })

  it('has no path to a target that no local address can reach', () => {
    expect(planPaths([target('2001:db8::9')], usableAddresses(INTERFACES, 4), 1)).toEqual([])
  })

  it('names each path, multiplied ones apart', () => {
    expect(planPaths([target('127.0.0.1'), target('::1')], LOCALS, 1).map(({ label }) => label)).toEqual([
      '127.0.0.1|127.0.0.1:80',
      '::1|[::1]:80',
    ])
    expect(planPaths([target('127.0.0.1')], LOCALS, 2).map(({ label }) => label)).toEqual([
      '127.0.0.1|127.0.0.1:80#1',
      '127.0.0.1|127.0.0.1:80#2',
    ])
  })
})
