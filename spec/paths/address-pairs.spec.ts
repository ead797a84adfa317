// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import type { TargetAddress } from '../../lib/paths/address-pairs.js'
import { addressPairs } from '../../lib/paths/address-pairs.js'
import { selectorOf } from '../../lib/paths/local-addresses.js'
import { machine } from '../support/interfaces.js'

const LOCALS = selectorOf({}).select(
  machine({
    lo: ['127.0.0.1/8', '::1/128'],
    eth0: ['192.0.2.2', '2001:db8::2', 'fe80::2'],
    wlan0: ['198.51.100.2', '169.254.7.7/16'],
    docker0: ['172.17.0.1/16'],
  }),
)

const target = (address: string): TargetAddress => ({
  ...{ address, port: 80, target: 'peer.example' },
  family: address.includes(':') ? 6 : 4,
})
const pairs = (addresses: readonly string[], init: Partial<Parameters<typeof addressPairs>[0]> = {}) =>
  addressPairs({ targets: addresses.map(target), locals: LOCALS, useVirtual: false, multiplier: 1, ...init })
const sources = (address: string): (string | undefined)[] =>
  pairs([address]).map(({ localAddress }) => localAddress)

describe('address pairs', () => {
  it('start from every address of the family of the target, but link-local ones', () => {
    expect(sources('203.0.113.1')).toEqual(['192.0.2.2', '198.51.100.2'])
    expect(sources('2001:db8::9')).toEqual(['2001:db8::2'])
  })

  it('reach loopback from loopback alone', () => {
    expect(sources('127.0.0.5')).toEqual(['127.0.0.1'])
    expect(sources('::1')).toEqual(['::1'])
  })

  it('start from a virtual interface towards its own network, and elsewhere where asked', () => {
    expect(sources('172.17.0.9')).toEqual(['192.0.2.2', '198.51.100.2', '172.17.0.1'])
    expect(pairs(['203.0.113.1'], { useVirtual: true })).toHaveLength(3)
  })

  it('leave the source of a link-local target to the system, if the interface of its zone is there', () => {
    expect(pairs(['fe80::1%eth0'])).toMatchObject([{ localAddress: undefined, interfaceName: 'eth0' }])
    expect(pairs(['fe80::1%wlan0'])).toEqual([])
    const same = selectorOf({}).select(machine({ eth0: ['fe80::2'], wlan0: ['fe80::2'] }))
    expect(pairs(['fe80::1%wlan0'], { locals: same })).toMatchObject([{ interfaceName: 'wlan0' }])
    expect(sources('fe80::1%12')).toEqual([undefined])
    expect(sources('169.254.1.1')).toEqual([undefined])
  })

  it('start from a unique local address towards others only where the interface has no better one', () => {
    const both = selectorOf({}).select(machine({ eth0: ['fd00::2', '2001:db8::2'], wlan0: ['fd01::2'] }))
    const from = (address: string): unknown =>
      pairs([address], { locals: both }).map(({ localAddress }) => localAddress)
    expect(from('2001:db8:9::9')).toEqual(['2001:db8::2', 'fd01::2'])
    expect(from('fd05::9')).toEqual(['fd00::2', '2001:db8::2', 'fd01::2'])
  })

  it('leave all sources to the system without local addresses', () => {
    expect(pairs(['203.0.113.1'], { locals: undefined })).toEqual([
      {
        ...{ host: '203.0.113.1', port: 80, family: 4, target: 'peer.example', label: '203.0.113.1:80' },
        ...{ localAddress: undefined, interfaceName: undefined },
      },
    ])
  })

  it('use each link once: two interfaces and two addresses are two paths, not four that cross', () => {
    expect(pairs(['203.0.113.1', '203.0.113.2']).map(({ label }) => label)).toEqual([
      '192.0.2.2|203.0.113.1:80',
      '198.51.100.2|203.0.113.2:80',
    ])
    expect(pairs(['203.0.113.1', '203.0.113.2'], { pairing: 'all' })).toHaveLength(4)
  })

  it('use every address of either side, where one has more of them', () => {
    const more = ['203.0.113.1', '203.0.113.2', '203.0.113.3']
    expect(pairs(more).map(({ localAddress, host }) => [localAddress, host])).toEqual([
      ['192.0.2.2', '203.0.113.1'],
      ['198.51.100.2', '203.0.113.2'],
      ['192.0.2.2', '203.0.113.3'],
    ])
    expect(pairs(['203.0.113.1'])).toHaveLength(2)
  })

  it('join addresses of one network first, and the rest with each other', () => {
    const locals = selectorOf({}).select(
      machine({ a: ['192.0.2.2/24'], b: ['198.51.100.2/24'], c: ['203.0.113.2/24'] }),
    )
    const found = pairs(['203.0.113.1', '198.18.0.1', '198.51.100.1'], { locals })
    expect(found.map(({ localAddress, host }) => `${localAddress} ${host}`).sort()).toEqual([
      '192.0.2.2 198.18.0.1',
      '198.51.100.2 198.51.100.1',
      '203.0.113.2 203.0.113.1',
    ])
  })

  it('are none where no local address can reach the target', () => {
    const locals = LOCALS.filter(({ family }) => family === 4)
    expect(pairs(['2001:db8::9'], { locals })).toEqual([])
  })

  it('have names of their own, copies too, and come in an order that lets a limit hit copies first', () => {
    const labels = (addresses: string[], multiplier: number): string[] =>
      pairs(addresses, { multiplier }).map(({ label }) => label)
    expect(labels(['127.0.0.1', '::1'], 1)).toEqual(['127.0.0.1|127.0.0.1:80', '::1|[::1]:80'])
    expect(labels(['127.0.0.1', '::1'], 2)).toEqual([
      '127.0.0.1|127.0.0.1:80#1',
      '::1|[::1]:80#1',
      '127.0.0.1|127.0.0.1:80#2',
      '::1|[::1]:80#2',
    ])
    expect(labels(['127.0.0.1', '127.0.0.1'], 1)).toEqual([
      '127.0.0.1|127.0.0.1:80#1',
      '127.0.0.1|127.0.0.1:80#2',
    ])
  })
})
