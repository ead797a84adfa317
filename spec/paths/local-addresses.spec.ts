// SPDX-License-Identifier: Apache-2.0
import { networkInterfaces } from 'node:os'
import { describe, expect, it } from 'vitest'
import { OptionError } from '../../lib/errors.js'
import type { LocalAddressFilter } from '../../lib/paths/local-addresses.js'
import { isLinkLocal, localAddresses, selectorOf } from '../../lib/paths/local-addresses.js'
import { machine } from '../support/interfaces.js'

const MACHINE = machine({
  lo: ['127.0.0.1/8', '::1/128'],
  eth0: ['192.0.2.2', '2001:db8::2'],
  wlan0: ['198.51.100.2'],
  'br-lan': ['192.168.1.1'],
  'br-0123456789ab': ['172.18.0.1'],
  docker0: ['172.17.0.1'],
  wg0: ['10.8.0.2'],
})

/** As localAddresses does, on MACHINE. */
function found(filter: LocalAddressFilter): string[] {
  const { select, useVirtual } = selectorOf(filter)
  return select(MACHINE)
    .filter(({ isVirtual }) => useVirtual || !isVirtual)
    .map(({ address }) => address)
}

describe('local addresses', () => {
  it('are those of every interface that has packets of its own leave the machine, and loopback', () => {
    expect(found({})).toEqual(['127.0.0.1', '::1', '192.0.2.2', '2001:db8::2', '198.51.100.2', '192.168.1.1'])
  })

  it('include bridges of containers and tunnels where asked', () => {
    const all = found({ includeVirtual: true })
    expect(all).toEqual(expect.arrayContaining(['172.18.0.1', '172.17.0.1', '10.8.0.2']))
    expect(all).toHaveLength(9)
  })

  it('keep to one family where asked', () => {
    expect(found({ family: 6 })).toEqual(['::1', '2001:db8::2'])
    expect(found({ family: 4 })).toHaveLength(4)
  })

  it.each([
    ['names', ['eth0', 'wlan0'], ['192.0.2.2', '2001:db8::2', '198.51.100.2']],
    ['one name', 'wlan0', ['198.51.100.2']],
    ['a pattern', '?lan*', ['198.51.100.2']],
    ['a name whose dot stands for itself', 'wlan.', []],
    [
      'a regular expression, whatever it matched last',
      /^[ew]..?.?0$/gy,
      ['192.0.2.2', '2001:db8::2', '198.51.100.2', '10.8.0.2'],
    ],
    [
      'a function',
      ({ interfaceName }: { interfaceName: string }) => interfaceName === 'eth0',
      ['192.0.2.2', '2001:db8::2'],
    ],
  ])('are filtered by %s of interfaces', (_what, interfaces, expected) => {
    expect(found({ interfaces })).toEqual(expected)
  })

  it('of a virtual interface count where it is named, unless that is refused', () => {
    expect(found({ interfaces: 'wg0' })).toEqual(['10.8.0.2'])
    expect(found({ interfaces: ['wg0', 'eth0'], includeVirtual: false })).toEqual([
      '192.0.2.2',
      '2001:db8::2',
    ])
  })

  it.each([
    ['an address', '192.0.2.2', ['192.0.2.2']],
    ['networks', ['192.0.0.0/14', '2001:db8::/32'], ['192.0.2.2', '2001:db8::2']],
    ['a regular expression', /^198\./, ['198.51.100.2']],
    ['a function', ({ isLoopback }: { isLoopback: boolean }) => isLoopback, ['127.0.0.1', '::1']],
  ])('are filtered by %s', (_what, addresses, expected) => {
    expect(found({ addresses })).toEqual(expected)
  })

  it('are worth one path for each IPv6 network of an interface, the first, unless `addresses` chooses', () => {
    const { select, forPaths } = selectorOf({})
    const there = machine({
      eth0: ['2001:db8:1::a', '2001:db8:1::b', '2001:db8:2::c', '192.0.2.2', '192.0.2.3'],
      wlan0: ['2001:db8:1::d'],
    })
    const one = ['2001:db8:1::a', '2001:db8:2::c', '192.0.2.2', '192.0.2.3', '2001:db8:1::d']
    expect(forPaths(there).map(({ address }) => address)).toEqual(one)
    expect(selectorOf({ addresses: ['0.0.0.0/0', '::/0'] }).forPaths(there)).toHaveLength(6)
    expect(select(there)).toHaveLength(6)
  })

  it('come once, however many interfaces have them', () => {
    const there = machine({ a: ['192.0.2.2'], b: ['192.0.2.2'] })
    expect(
      selectorOf({})
        .select(there)
        .map(({ interfaceName }) => interfaceName),
    ).toEqual(['a'])
  })

  it('of this machine are among those that the system lists', () => {
    const listed = Object.values(networkInterfaces()).flatMap((infos) => infos!.map(({ address }) => address))
    const here = localAddresses({ includeVirtual: true }).map(({ address }) => address)
    expect(here).toContain('127.0.0.1')
    expect(here.filter((address) => !listed.includes(address) || isLinkLocal(address))).toEqual([])
  })

  it.each([
    [{ family: 5 }, 'family must be 0, 4 or 6, got 5'],
    [{ interfaces: 7 }, 'interfaces must be strings, regular expressions or a function'],
    [{ interfaces: ['eth0', null] }, 'interfaces must be strings'],
    [{ addresses: 'eth0' }, 'addresses must be addresses or networks such as 192.168.0.0/16, got "eth0"'],
    [{ addresses: '10.0.0.0/33' }, 'got "10.0.0.0/33"'],
    [{ addresses: '10.0.0.0/x' }, 'got "10.0.0.0/x"'],
    [{ includeVirtual: 1 }, 'includeVirtual must be true or false'],
    [{ interface: 'eth0' }, 'unknown option interface'],
  ])('are refused with the filter %j', (filter, message) => {
    const ask = (): unknown => localAddresses(filter as LocalAddressFilter)
    expect(ask).toThrow(OptionError)
    expect(ask).toThrow(message)
  })
})
