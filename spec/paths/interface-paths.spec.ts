// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import type { AddressPair } from '../../lib/paths/address-pairs.js'
import { NullTracker } from '../../lib/core/tracker.js'
import { PathWatch } from '../support/path-watch.js'

const ETH = '192.0.2.2|203.0.113.1:80'
const WLAN = '198.51.100.2|203.0.113.1:80'
const BOTH = { eth0: ['192.0.2.2'], wlan0: ['198.51.100.2'] }

/** A source that is watched, once the first lookup is through. */
async function watched(watch: PathWatch = new PathWatch()): Promise<PathWatch> {
  watch.source.watch(watch.listener)
  await watch.clock.run(0)
  return watch
}

describe('interfacePaths', () => {
  it('tells of a path from each local address, soon, but not from inside of watch', async () => {
    const watch = new PathWatch()
    watch.interfaces = BOTH
    watch.source.watch(watch.listener)
    expect(watch.events).toEqual([])
    await watch.clock.run(0)
    expect(watch.events).toEqual([`+${ETH}`, `+${WLAN}`])
  })

  it('tells of interfaces that come and go, at each poll', async () => {
    const watch = await watched(new PathWatch({ pollMs: 700 }))
    watch.interfaces = BOTH
    expect(watch.news).toEqual([`+${ETH}`])
    await watch.clock.run(699)
    expect(watch.news).toEqual([])
    await watch.clock.run(1)
    expect(watch.news).toEqual([`+${WLAN}`])
    watch.interfaces = { wlan0: BOTH.wlan0 }
    await watch.clock.run(700)
    expect(watch.news).toEqual([`-${ETH}`])
    await watch.clock.run(60_000)
    expect(watch.news).toEqual([])
  })

  it('adds before it removes, so that a connection is not without a path in between', async () => {
    const watch = await watched()
    watch.interfaces = { eth0: ['192.0.2.77'] }
    await watch.clock.run(2000)
    expect(watch.events).toEqual([`+${ETH}`, '+192.0.2.77|203.0.113.1:80', `-${ETH}`])
  })

  it('looks at once when a path has failed, however many do, but not more often than each 250 ms', async () => {
    const watch = await watched(new PathWatch({ pollMs: 10_000 }))
    await watch.clock.run(1000)
    watch.interfaces = BOTH
    for (let failure = 0; failure < 100; failure++) watch.source.check()
    await watch.clock.run(0)
    expect(watch.news).toContain(`+${WLAN}`)
    expect(watch.scans).toEqual([0, 1000])
    for (let ms = 0; ms < 1000; ms += 10) {
      watch.source.check()
      await watch.clock.run(10)
    }
    expect(watch.scans).toEqual([0, 1000, 1250, 1500, 1750, 2000])
  })

  it('looks the name up at once when a path has failed, at most each 2 s, and one lookup at a time', async () => {
    const watch = await watched()
    await watch.clock.run(5000)
    watch.source.check()
    watch.source.check()
    await watch.clock.run(0)
    expect(watch.lookups).toEqual([0, 5000])
    watch.lookupMs = 9000
    watch.source.check()
    await watch.clock.run(2000)
    expect(watch.lookups).toEqual([0, 5000, 7000])
    watch.source.check()
    await watch.clock.run(8999)
    expect(watch.lookups).toHaveLength(3)
    await watch.clock.run(1)
    expect(watch.lookups).toEqual([0, 5000, 7000, 16_000])
  })

  it('looks the name up each resolveMs, when the interfaces change, and when the TTL of an answer ends', async () => {
    const watch = await watched(new PathWatch({ resolveMs: 30_000 }))
    await watch.clock.run(29_999)
    expect(watch.lookups).toEqual([0])
    watch.answer = [{ address: '203.0.113.1', family: 4, ttl: 5 }]
    await watch.clock.run(1)
    expect(watch.lookups).toEqual([0, 30_000])
    await watch.clock.run(4999)
    expect(watch.lookups).toHaveLength(2)
    await watch.clock.run(1)
    expect(watch.lookups).toEqual([0, 30_000, 35_000])
    watch.interfaces = BOTH
    await watch.clock.run(2000)
    expect(watch.lookups).toEqual([0, 30_000, 35_000, 37_000])
  })

  it('is not driven by an answer that holds for no time at all', async () => {
    const watch = new PathWatch()
    watch.answer = [{ address: '203.0.113.1', family: 4, ttl: 0 }]
    await watched(watch)
    await watch.clock.run(60_000)
    expect(watch.lookups).toHaveLength(31)
  })

  it('follows the addresses of the name, new ones first, and gives an old one up when two answers lack it', async () => {
    const watch = await watched()
    watch.answer = ['203.0.113.9']
    await watch.clock.run(10_000)
    expect(watch.news).toEqual([`+${ETH}`, '+192.0.2.2|203.0.113.9:80'])
    await watch.clock.run(10_000)
    expect(watch.news).toEqual([`-${ETH}`])
  })

  it('keeps its paths while lookups fail, and says so once', async () => {
    const watch = await watched()
    watch.answer = new Error('getaddrinfo EAI_AGAIN')
    await watch.clock.run(120_000)
    expect(watch.events).toEqual([`+${ETH}`, '!peer.example:80: getaddrinfo EAI_AGAIN'])
    watch.answer = ['203.0.113.1']
    await watch.clock.run(20_000)
    watch.answer = new Error('getaddrinfo EAI_AGAIN')
    await watch.clock.run(20_000)
    expect(watch.events).toHaveLength(3)
  })

  it('goes on looking up after a failure, even if it was told not to look up again', async () => {
    const watch = new PathWatch({ resolveMs: Infinity })
    watch.answer = new Error('getaddrinfo EAI_AGAIN')
    await watched(watch)
    watch.answer = ['203.0.113.1']
    await watch.clock.run(10_000)
    expect(watch.events).toEqual(['!peer.example:80: getaddrinfo EAI_AGAIN', `+${ETH}`])
    await watch.clock.run(3_600_000)
    expect(watch.lookups).toHaveLength(2)
  })

  it('keeps its paths when the system does not tell its interfaces, and says so once', async () => {
    const watch = await watched()
    watch.interfaces = new Error('uv_interface_addresses returned 13')
    await watch.clock.run(60_000)
    expect(watch.events).toEqual([
      `+${ETH}`,
      '!cannot list the interfaces of this machine: uv_interface_addresses returned 13',
    ])
  })

  it('says once that no local address can reach the peer, and again when it is so again', async () => {
    const watch = new PathWatch({ targets: [{ host: '2001:db8::9', port: 80 }] })
    await watched(watch)
    await watch.clock.run(60_000)
    const failure = '!no address of this machine can reach 2001:db8::9'
    expect(watch.news).toEqual([failure])
    watch.interfaces = { eth0: ['2001:db8::2'] }
    await watch.clock.run(2000)
    expect(watch.news).toEqual(['+2001:db8::2|[2001:db8::9]:80'])
    watch.interfaces = { eth0: [] }
    await watch.clock.run(2000)
    expect(watch.news).toEqual(['-2001:db8::2|[2001:db8::9]:80', failure])
  })

  it('tells of the places that are found before it tells of those that are not', async () => {
    const watch = new PathWatch({
      family: 4,
      targets: [
        { host: '::1', port: 80 },
        { host: '203.0.113.1', port: 80 },
      ],
    })
    await watched(watch)
    expect(watch.events).toEqual([`+${ETH}`, '![::1]:80: no IPv4 address found'])
    await watch.clock.run(60_000)
    expect(watch.lookups).toEqual([])
    expect(watch.news).toHaveLength(2)
  })

  it('leaves the interface to the system where asked, and does not look at interfaces then', async () => {
    const watch = await watched(new PathWatch({ interfaces: false, multiplier: 2 }))
    watch.source.check()
    await watch.clock.run(10_000)
    expect(watch.events).toEqual(['+203.0.113.1:80#1', '+203.0.113.1:80#2'])
    expect(watch.scans).toEqual([])
  })

  it('has no more paths than maxPaths, says so, and fills up when there is room', async () => {
    const watch = new PathWatch({ maxPaths: 2 })
    watch.interfaces = { eth0: ['192.0.2.2', '192.0.2.3', '192.0.2.4'] }
    await watched(watch)
    const label = (last: number): string => `192.0.2.${last}|203.0.113.1:80`
    expect(watch.news).toEqual([
      `+${label(2)}`,
      `+${label(3)}`,
      '!3 paths were found, and maxPaths is 2: 1 are left out',
    ])
    watch.interfaces = { eth0: ['192.0.2.3', '192.0.2.4'] }
    await watch.clock.run(2000)
    expect(watch.news).toEqual([`+${label(4)}`, `-${label(2)}`])
  })
})

describe('watchers of interfacePaths', () => {
  it('leave no timer behind when the last of them stops', async () => {
    const watch = new PathWatch()
    const stops = [watch.source.watch(watch.listener), watch.source.watch(watch.listener)]
    await watch.clock.run(0)
    expect(watch.events).toEqual([`+${ETH}`, `+${ETH}`])
    stops[0]!()
    stops[0]!()
    expect(watch.clock.nextTimerAt).toBeLessThan(Infinity)
    watch.lookupMs = 5000
    watch.source.check()
    await watch.clock.run(2000)
    stops[1]!()
    await watch.clock.run(60_000)
    expect(watch.clock.nextTimerAt).toBe(Infinity)
    expect(watch.scans).toHaveLength(2)
    watch.source.check()
    expect(watch.clock.nextTimerAt).toBe(Infinity)
  })

  it('that stop before they are told anything are told nothing', async () => {
    const watch = new PathWatch()
    watch.source.watch(watch.listener)()
    await watch.clock.run(60_000)
    expect([watch.events, watch.scans, watch.lookups]).toEqual([[], [], []])
  })

  it('that stop while they are told are told no more', async () => {
    const watch = new PathWatch()
    watch.interfaces = BOTH
    await watched(watch)
    const labels: string[] = []
    const stop = watch.source.watch({
      add: ({ label }) => {
        labels.push(label)
        stop()
      },
      remove: () => {},
      failed: () => {},
    })
    await watch.clock.run(60_000)
    expect(labels).toEqual([ETH])
  })

  it('are told at once what the last one knew, and what has gone since', async () => {
    const watch = new PathWatch()
    watch.interfaces = BOTH
    const stop = watch.source.watch(watch.listener)
    await watch.clock.run(0)
    const path = watch.paths.get(WLAN)
    stop()
    watch.events.length = 0
    watch.interfaces = { wlan0: BOTH.wlan0, eth1: ['192.0.2.9'] }
    watch.lookupMs = 5000
    await watched(watch)
    expect(watch.news).toEqual([`+${WLAN}`, '+192.0.2.9|203.0.113.1:80', `-${ETH}`])
    expect(watch.paths.get(WLAN)).toBe(path)
    expect(watch.lookups).toHaveLength(2)
  })

  it.each([
    ['before', 0, ['!peer.example:80: getaddrinfo ENOTFOUND']],
    ['after', 5000, []],
  ])('are not told of a failure from %s the last one stopped', async (_when, lookupMs, told) => {
    const watch = new PathWatch()
    watch.answer = new Error('getaddrinfo ENOTFOUND')
    watch.lookupMs = lookupMs
    const stop = watch.source.watch(watch.listener)
    await watch.clock.run(1000)
    stop()
    await watch.clock.run(10_000)
    expect(watch.news).toEqual(told)
    watch.answer = ['203.0.113.1']
    watch.lookupMs = 0
    await watched(watch)
    expect(watch.news).toEqual([`+${ETH}`])
  })

  it('that come later are told of what is wrong, too', async () => {
    const watch = new PathWatch()
    watch.answer = new Error('getaddrinfo ENOTFOUND')
    await watched(watch)
    await watched(watch)
    expect(watch.events).toEqual(Array(2).fill('!peer.example:80: getaddrinfo ENOTFOUND'))
  })
})

describe('paths of interfacePaths', () => {
  it('have the options that the user gives each pair', async () => {
    const tracker = new NullTracker()
    const pathOptions = ({ interfaceName }: AddressPair): object =>
      interfaceName === 'wlan0' ? { tier: 'backup', maxBytes: 1000, tracker } : { weight: 3 }
    const watch = new PathWatch({ pathOptions })
    watch.interfaces = BOTH
    await watched(watch)
    expect(watch.paths.get(WLAN)).toMatchObject({ tracker, policy: { tier: 'backup', maxBytes: 1000 } })
    expect(watch.paths.get(ETH)).toMatchObject({ policy: { weight: 3 } })
  })

  it('with the same label are told apart', async () => {
    const watch = new PathWatch({ pathOptions: ({ interfaceName }) => ({ label: interfaceName, weight: 2 }) })
    await watched(watch)
    watch.interfaces = { eth0: ['192.0.2.3'] }
    await watch.clock.run(2000)
    expect(watch.news).toEqual(['+eth0', '+eth0#2', '-eth0'])
    expect(watch.paths.get('eth0#2')).toMatchObject({ policy: { weight: 2 } })
    watch.interfaces = { eth0: ['192.0.2.4'] }
    await watch.clock.run(2000)
    expect(watch.news).toEqual(['+eth0', '-eth0#2'])
  })

  it('are made by the dialer of the user, with pair and options', async () => {
    const calls: unknown[] = []
    const dialed: unknown[] = []
    const watch = new PathWatch({
      pathOptions: () => ({ tier: 'secondary' }),
      dial: (pair, path) => {
        calls.push(pair, path)
        return {
          label: 'same',
          dial: async (options) => Promise.reject(new Error(String(dialed.push(options)))),
        }
      },
    })
    watch.interfaces = BOTH
    await watched(watch)
    expect(calls.slice(2)).toEqual([
      {
        ...{ host: '203.0.113.1', port: 80, family: 4, target: 'peer.example', label: WLAN },
        ...{ localAddress: '198.51.100.2', interfaceName: 'wlan0' },
      },
      { label: WLAN, tier: 'secondary' },
    ])
    const { signal } = new AbortController()
    await expect(watch.paths.get('same#2')!.dial({ signal })).rejects.toThrow('1')
    expect(dialed).toEqual([{ signal }])
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('no key')
      },
      'no key',
    ],
    [
      'is none',
      () => 'wlan0' as never,
      "the result of dial has no dial(): it must be a SubflowDialer, such as tcpDialer({ label: 'wifi', host, port })",
    ],
  ])('are left out where what makes them %s, and the others are there', async (_what, wrong, message) => {
    const watch = new PathWatch({
      dial: (pair) =>
        pair.interfaceName === 'wlan0'
          ? wrong()
          : { label: pair.label, dial: () => Promise.reject(new Error()) },
    })
    watch.interfaces = BOTH
    await watched(watch)
    await watch.clock.run(60_000)
    expect(watch.events).toEqual([`+${ETH}`, `!cannot create path ${WLAN}: ${message}`])
  })

  it.each([
    [{ port: 0 }, 'port must be an integer from 1 to 65535, got 0'],
    [{ host: '' }, 'host must be a name or an address'],
    [{ targets: [] }, 'targets cannot be combined with host and port'],
    [{ host: undefined, port: undefined, targets: [] }, 'targets must be an array of at least one'],
    [
      { host: undefined, port: undefined, targets: [{ host: 'a', port: 80 }, null] },
      'targets[1].host must be',
    ],
    [{ interfaces: 4 }, 'interfaces must be'],
    [{ interfaces: false, addresses: 'x' }, 'addresses must be'],
    [{ pollMs: 99 }, 'pollMs must be an integer from 100 to 3600000, got 99'],
    [{ pathOptions: {} }, 'pathOptions must be a function, got object'],
    [{ dial: 'tls' }, 'dial must be a function, got string'],
    [{ lookup: 'dns' }, 'lookup must be a function, got string'],
    [{ clock: {} }, 'clock must have now()'],
    [{ device: 'eth0' }, 'unknown option device'],
  ])('cannot be looked for with the options %j', (options, message) => {
    expect(() => new PathWatch({ host: 'peer.example', port: 80, ...options } as never)).toThrow(message)
  })
})
