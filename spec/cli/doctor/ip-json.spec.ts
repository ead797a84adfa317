// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { parseAddresses, parseChosenRoute, parseRoutes, parseRules } from '../../../lib/cli/doctor/ip-json.js'
import { IP_SAMPLES } from '../../support/ip-samples.js'

describe('parseAddresses', () => {
  it('gives each address with its interface', () => {
    const addresses = parseAddresses(IP_SAMPLES.addresses)
    expect(addresses.map(({ device, address }) => `${device} ${address}`)).toEqual([
      'lo 127.0.0.1',
      'lo ::1',
      'eth1 10.81.1.1',
      'eth1 fd81:1::1',
      'eth2 10.81.2.1',
      'eth2 fd81:2::1',
    ])
    expect(addresses[2]).toEqual({
      device: 'eth1',
      address: '10.81.1.1',
      prefixLength: 24,
      peer: undefined,
      isPointToPoint: false,
    })
  })

  it('knows a link that has only two ends', () => {
    const text =
      '[{"ifname":"ppp0","flags":["POINTOPOINT","UP"],"addr_info":[{"family":"inet","local":"100.64.0.2","address":"100.64.0.1","prefixlen":32}]},{}]'
    expect(parseAddresses(text)).toMatchObject([{ device: 'ppp0', peer: '100.64.0.1', isPointToPoint: true }])
  })
})

describe('parseRoutes', () => {
  it('gives the routes of all tables', () => {
    expect(parseRoutes(IP_SAMPLES.routes4)).toHaveLength(6)
    expect(parseRoutes(IP_SAMPLES.routes4)[1]).toEqual({
      destination: 'default',
      gateway: '10.81.2.2',
      device: 'eth2',
      table: 'main',
    })
    expect(parseRoutes(IP_SAMPLES.routes4)[4]).toMatchObject({ destination: '10.81.1.1', table: 'local' })
  })

  it('takes each hop of a route apart', () => {
    const text =
      '[{"dst":"default","flags":[],"nexthops":[{"gateway":"10.81.1.2","dev":"eth1","weight":1,"flags":[]},{"gateway":"10.81.2.2","dev":"eth2","weight":1,"flags":[]}]}]'
    expect(parseRoutes(text).map(({ device, gateway }) => [device, gateway])).toEqual([
      ['eth1', '10.81.1.2'],
      ['eth2', '10.81.2.2'],
    ])
  })
})

describe('parseRules', () => {
  it('gives sources and tables', () => {
    expect(parseRules(IP_SAMPLES.ruled4)[1]).toEqual({ source: '10.81.2.1', table: '101' })
  })
})

describe('parseChosenRoute', () => {
  it('says by which interface and gateway a packet leaves', () => {
    expect(parseChosenRoute(IP_SAMPLES.first4)).toEqual({
      device: 'eth1',
      gateway: '10.81.1.2',
      source: undefined,
      isLocal: false,
    })
    expect(parseChosenRoute(IP_SAMPLES.unbound4).source).toBe('10.81.1.1')
    expect(parseChosenRoute(IP_SAMPLES.toItself)).toMatchObject({ device: 'lo', isLocal: true })
  })

  it('refuses what names no interface', () => {
    expect(() => parseChosenRoute('[{}]')).toThrow('named no interface')
  })
})

it('another ip, which knows no JSON, is named', () => {
  expect(() => parseAddresses('1: lo: <LOOPBACK,UP> mtu 65536')).toThrow(/iproute2/)
  expect(parseRules('')).toEqual([])
})
