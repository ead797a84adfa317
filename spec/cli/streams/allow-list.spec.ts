// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import type { AllowListInit } from '../../../lib/cli/streams/allow-list.js'
import { AllowList, placeOf } from '../../../lib/cli/streams/allow-list.js'
import { parseAddress } from '../../../lib/cli/streams/host.js'
import { parseAllowed, parseAllowRule, parseRange } from '../../../lib/cli/streams/parse-rules.js'

interface Flags {
  readonly allow?: readonly string[]
  readonly socks?: readonly string[]
  readonly private?: readonly string[]
  readonly own?: readonly string[]
}

function allowing(flags: Flags): AllowList {
  const init: AllowListInit = {
    places: (flags.allow ?? []).map(parseAllowed),
    rules: (flags.socks ?? []).map(parseAllowRule),
    privateRanges: (flags.private ?? []).map(parseRange),
    isOwn: (address) => (flags.own ?? []).includes(address),
  }
  return new AllowList(init)
}

/** `host:port` that leads to `address`; an address leads to itself. */
function may(list: AllowList, host: string, port: number, address = host): boolean {
  const place = placeOf(host, port)
  if (place === undefined) return false
  const isAsked = list.mayAsk(place)
  const isDialled = list.mayDial(place, parseAddress(address)!)
  // Whatever may be dialled has to pass the first question, too.
  if (isDialled) expect(isAsked).toBe(true)
  return isDialled
}

const PUBLIC = '93.184.216.34'

describe('an allow list', () => {
  it('that is empty allows nothing', () => {
    expect(may(allowing({}), PUBLIC, 80)).toBe(false)
    expect(may(allowing({}), 'example.org', 80, PUBLIC)).toBe(false)
  })

  it('allows the very place that is written down, whatever the case of its name and its last dot', () => {
    const list = allowing({ allow: ['web=Example.org:80', `${PUBLIC}:443`] })
    expect(may(list, 'example.ORG.', 80, PUBLIC)).toBe(true)
    expect(may(list, 'example.org', 81, PUBLIC)).toBe(false)
    expect(may(list, 'www.example.org', 80, PUBLIC)).toBe(false)
    expect(may(list, PUBLIC, 443)).toBe(true)
    expect(may(list, PUBLIC, 80)).toBe(false)
    expect(list.named('web')).toMatchObject({ host: 'example.org', port: 80 })
    expect(list.named('nope')).toBeUndefined()
  })

  it('takes a wildcard for the names below it, and ports as lists and ranges', () => {
    const list = allowing({ socks: ['*.example.org:80,8000-8002'] })
    expect([80, 8000, 8001, 8002].map((port) => may(list, 'a.b.example.org', port, PUBLIC))).toEqual(
      Array(4).fill(true),
    )
    expect([79, 7999, 8003].map((port) => may(list, 'a.example.org', port, PUBLIC))).toEqual(
      Array(3).fill(false),
    )
    for (const host of ['example.org', 'badexample.org', 'example.org.evil.net', PUBLIC])
      expect(may(list, host, 80, PUBLIC)).toBe(false)
  })

  it('takes a range for addresses, and for names that lead into it', () => {
    const list = allowing({ socks: ['93.184.0.0/16:80', '[2606:2800::/32]:80'] })
    expect(may(list, PUBLIC, 80)).toBe(true)
    expect(may(list, 'example.org', 80, PUBLIC)).toBe(true)
    expect(may(list, '93.185.0.1', 80)).toBe(false)
    expect(may(list, '2606:2800:0::1', 80)).toBe(true)
    expect(may(list, `::ffff:${PUBLIC}`, 80)).toBe(true)
  })
})

const SPECIAL = [
  ...['0.0.0.0', '10.1.2.3', '100.64.0.1', '127.0.0.1', '127.9.9.9', '169.254.169.254', '172.31.255.255'],
  ...['192.168.1.1', '198.18.0.1', '224.0.0.1', '255.255.255.255', '::', '::1', '::127.0.0.1'],
  ...['::ffff:10.0.0.1', '::ffff:7f00:1', '64:ff9b::7f00:1', '64:ff9b::a00:1', '64:ff9b::1', '64:ff9b:1::1'],
  ...['2002:7f00:1::', '2001::1', 'fc00::1', 'fd12:3456::1', 'fe80::1', 'fec0::1', 'ff02::1'],
]

describe('a special address', () => {
  it.each(SPECIAL)('%s is reached by no wildcard, and by no name', (address) => {
    const list = allowing({ allow: ['example.org:80'], socks: ['*:*', '0.0.0.0/0:*', '[::/0]:*'] })
    expect(may(list, address, 80)).toBe(false)
    expect(may(list, 'example.org', 80, address)).toBe(false)
    expect(may(list, 'anything.example', 80, address)).toBe(false)
    expect(may(list, 'localhost', 80, address)).toBe(false)
  })

  it.each(SPECIAL)('%s is reached where it is written down', (address) => {
    const written = parseAddress(address)!
    const host = written.family === 6 ? `[${written.address}]` : written.address
    expect(may(allowing({ allow: [`${host}:80`] }), address, 80)).toBe(true)
    expect(may(allowing({ socks: [`${host}:80`] }), address, 80)).toBe(true)
    expect(may(allowing({ socks: ['*:80'], private: [written.address] }), 'a.example', 80, address)).toBe(
      true,
    )
  })

  it('is reached where a range within the special one is written down, for its ports alone', () => {
    const list = allowing({ socks: ['10.0.0.0/8:22', '[fd00::/8]:22'] })
    expect(may(list, '10.9.9.9', 22)).toBe(true)
    expect(may(list, 'db.internal', 22, '10.9.9.9')).toBe(true)
    expect(may(list, 'fd00::5', 22)).toBe(true)
    expect(may(list, '10.9.9.9', 23)).toBe(false)
    expect(may(list, '192.168.0.1', 22)).toBe(false)
  })

  it('of a name needs leave of its own, which opens nothing else', () => {
    const list = allowing({ allow: ['db.internal:5432'], private: ['10.0.0.0/8'] })
    expect(may(list, 'db.internal', 5432, '10.0.0.5')).toBe(true)
    expect(may(list, 'db.internal', 5432, '192.168.0.5')).toBe(false)
    expect(may(list, 'db.internal', 22, '10.0.0.5')).toBe(false)
    expect(may(list, '10.0.0.5', 5432)).toBe(false)
  })

  it('of loopback is what localhost means where it is written down, and nothing else is', () => {
    const list = allowing({ allow: ['localhost:80'], socks: ['*:443'] })
    expect(may(list, 'localhost', 80, '127.0.0.1')).toBe(true)
    expect(may(list, 'localhost', 80, '::1')).toBe(true)
    expect(may(list, 'localhost', 80, '10.0.0.1')).toBe(false)
    expect(may(list, 'localhost', 443, '127.0.0.1')).toBe(false)
  })

  it('is also a public one of this very machine', () => {
    const own = { own: ['8.8.8.8'] }
    expect(may(allowing({ socks: ['*:*', '8.0.0.0/8:*'], ...own }), '8.8.8.8', 80)).toBe(false)
    expect(may(allowing({ socks: ['8.8.8.8:80'], ...own }), '8.8.8.8', 80)).toBe(true)
  })
})

describe('what is asked for', () => {
  it.each([
    '',
    'a b',
    '-a.example',
    'a..b',
    'fe80::1%eth0',
    `${'a'.repeat(64)}.org`,
    'x'.repeat(254),
    'a/b',
    '[::1]',
  ])('%j is no place', (host) => {
    expect(placeOf(host, 80)).toBeUndefined()
  })

  it('is no place with port 0', () => {
    expect(placeOf('example.org', 0)).toBeUndefined()
  })

  it('is not looked up where no rule could allow it', () => {
    const list = allowing({ allow: ['example.org:80'], socks: ['*.example.net:443', '10.0.0.0/8:22'] })
    const ask = (host: string, port: number): boolean => list.mayAsk(placeOf(host, port)!)
    expect(ask('example.org', 80)).toBe(true)
    expect(ask('a.example.net', 443)).toBe(true)
    expect(ask('anything.example', 22)).toBe(true)
    expect(ask('anything.example', 80)).toBe(false)
  })
})
