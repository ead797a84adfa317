// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { lookupName } from '../../../lib/cli/run/name-server.js'
import { MAX_NAMES, NameTable } from '../../../lib/cli/run/name-table.js'

const ipv4 = (table: NameTable, name: string): string => table.addressesOf(name).ipv4.join('.')
const ipv6 = (table: NameTable, name: string): string =>
  table
    .addressesOf(name)
    .ipv6.map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
    .replaceAll(/(....)(?=.)/g, '$1:')

describe('a name', () => {
  it('has two addresses that stay the same, and that lead back to it', () => {
    const table = new NameTable()
    expect(ipv4(table, 'a.example')).toBe('198.18.1.0')
    expect(ipv4(table, 'b.example')).toBe('198.18.1.1')
    expect(ipv4(table, 'a.example')).toBe('198.18.1.0')
    expect(table.nameOf('198.18.1.1')).toBe('b.example')
    expect(table.nameOf(ipv6(table, 'b.example'))).toBe('b.example')
    expect(table.nameOf('::ffff:198.18.1.1')).toBe('b.example')
  })

  it('stands for no other address', () => {
    const table = new NameTable()
    table.addressesOf('a.example')
    const others = [
      '198.18.0.1',
      '198.18.1.1',
      '198.20.1.0',
      '198.17.1.0',
      '203.0.113.1',
      'fd6d:7061:7468:1::100',
      '?',
    ]
    expect(others.map((address) => table.nameOf(address))).toEqual(others.map(() => undefined))
  })

  it('beyond the limit takes the place of the one used longest ago, but not its address', () => {
    const table = new NameTable()
    for (let at = 0; at < MAX_NAMES; at++) table.addressesOf(`${at}.example`)
    expect(table.nameOf('198.18.1.0')).toBe('0.example')
    expect(ipv4(table, 'new.example')).toBe('198.18.65.0')
    expect(table.size).toBe(MAX_NAMES)
    expect(table.nameOf('198.18.1.1')).toBeUndefined()
    expect(table.nameOf('198.18.1.0')).toBe('0.example')
  })

  it('has an address that is free when all have been given', () => {
    const table = new NameTable()
    for (let at = 0; at < 131_072 - 256; at++) {
      table.addressesOf(`${at}.example`)
      if (at % 1000 === 0) table.addressesOf('kept.example')
    }
    expect(ipv4(table, 'kept.example')).toBe('198.18.1.1')
    expect(ipv4(table, 'next.example')).toBe('198.18.1.2')
    expect(ipv4(table, 'last.example')).toBe('198.18.1.3')
  })
})

describe('lookupName', () => {
  const table = new NameTable()

  it('leads localhost, and names below it, to the namespace', () => {
    expect(lookupName('localhost', table, true)?.ipv4).toEqual([127, 0, 0, 1])
    expect(lookupName('app.localhost', table, true)?.ipv6?.at(-1)).toBe(1)
    expect(table.size).toBe(0)
  })

  it('knows no names of addresses', () => {
    expect(lookupName('1.0.0.127.in-addr.arpa', table, true)).toBeUndefined()
  })

  it('has IPv6 addresses only where there is IPv6', () => {
    expect(lookupName('a.example', table, true)?.ipv6).toHaveLength(16)
    expect(lookupName('a.example', table, false)?.ipv6).toBeUndefined()
  })
})
