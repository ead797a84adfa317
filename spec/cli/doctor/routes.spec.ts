// SPDX-License-Identifier: Apache-2.0
/** The way that packets of a path take, asked of a system that was recorded. */
import { describe, expect, it } from 'vitest'
import type { JudgedRoute } from '../../../lib/cli/doctor/check-routes.js'
import { checkRoutes } from '../../../lib/cli/doctor/check-routes.js'
import type { SystemView } from '../../../lib/cli/doctor/network-facts.js'
import { systemView, UncheckedError } from '../../../lib/cli/doctor/network-facts.js'
import type { PathPair } from '../../../lib/cli/plan-paths.js'
import { IP_SAMPLES, sampleView } from '../../support/ip-samples.js'

const path = (localAddress: string | undefined, host = '10.81.9.1'): PathPair => ({
  label: `${localAddress ?? ''}|${host}`,
  host,
  port: 7000,
  localAddress,
})

async function check(view: SystemView, ...paths: PathPair[]): Promise<JudgedRoute[]> {
  return checkRoutes(paths, view)
}

const codes = ({ findings }: JudgedRoute): string[] => findings.map(({ code }) => code)

/** What fixes the path from eth2 where `others` are the answers of ip. */
async function fixOf(others: Record<string, string>): Promise<readonly string[] | undefined> {
  const [judged] = await check(sampleView(others), path('10.81.2.1'))
  return judged?.findings[0]?.fix
}

/** Addresses as recorded, with another prefix of eth2 and other flags. */
const addressesWith = (prefix: number, flag = 'BROADCAST'): Record<string, string> => {
  const [before, eth2] = IP_SAMPLES.addresses.split('"ifname":"eth2"')
  const changed = eth2!.replace('"prefixlen":24', `"prefixlen":${prefix}`).replace('"BROADCAST"', `"${flag}"`)
  return { 'address show': `${before!}"ifname":"eth2"${changed}` }
}
const ONLY_FIRST_DEFAULT = {
  '-4 route show table all': '[{"dst":"default","gateway":"10.81.1.2","dev":"eth1"}]',
}

describe('a path whose packets leave', () => {
  it('by the interface of their source is fine', async () => {
    const [judged] = await check(sampleView(), path('10.81.1.1'))
    expect(judged).toEqual({
      check: {
        kind: 'route',
        device: 'eth1',
        gateway: '10.81.1.2',
        source: '10.81.1.1',
        owners: ['eth1'],
        isLocal: false,
      },
      findings: [],
    })
  })

  it('by another interface is a wrong source route, with the lines that fix it', async () => {
    const [, judged] = await check(sampleView(), path('10.81.1.1'), path('10.81.2.1'))
    expect(judged?.findings).toEqual([
      {
        severity: 'fault',
        code: 'wrong-source-route',
        text: 'wrong source route: 10.81.2.1 is an address of eth2, but its packets leave by eth1 via 10.81.1.2',
        fix: [
          'ip rule add from 10.81.2.1 table 101',
          'ip route add default via 10.81.2.2 dev eth2 table 101',
        ],
      },
    ])
  })

  it('by another interface is that over IPv6, too', async () => {
    const [judged] = await check(sampleView(), path('fd81:2::1', 'fd81:9::1'))
    expect(judged?.findings[0]?.fix).toEqual([
      'ip -6 rule add from fd81:2::1 table 101',
      'ip -6 route add default via fd81:2::2 dev eth2 table 101',
    ])
  })

  it('by its own interface, since a rule says so, is fine', async () => {
    const mended = {
      '-4 rule show': IP_SAMPLES.ruled4,
      '-4 route get 10.81.9.1 from 10.81.2.1': IP_SAMPLES.mended4,
    }
    const [judged] = await check(sampleView(mended), path('10.81.2.1'))
    expect(judged).toMatchObject({ check: { device: 'eth2' }, findings: [] })
  })

  it('by nothing, since this machine is the target, is fine', async () => {
    const [judged] = await check(sampleView(), path('10.81.1.1', '10.81.2.1'))
    expect(judged).toMatchObject({ check: { kind: 'route', isLocal: true }, findings: [] })
  })

  it('by what the system chooses is fine, and is told with the source', async () => {
    const [judged] = await check(sampleView(), path(undefined))
    expect(judged).toMatchObject({ check: { source: '10.81.1.1', owners: ['eth1'] }, findings: [] })
  })

  it('by the interface that a link-local target names is asked of that interface', async () => {
    const answer = '[{"dst":"fe80::1","from":"::","dev":"eth2","protocol":"kernel","prefsrc":"fd81:2::1"}]'
    const view = sampleView({ '-6 route get fe80::1 oif eth2': answer })
    const [judged] = await check(view, path(undefined, 'fe80::1%eth2'))
    expect(judged).toMatchObject({ check: { device: 'eth2', owners: ['eth2'] }, findings: [] })
  })
})

describe('a path', () => {
  it('from an address that no interface has cannot be', async () => {
    const [judged] = await check(sampleView(), path('10.9.9.9'))
    expect(judged?.check).toEqual({ kind: 'no-address', source: '10.9.9.9' })
    expect(codes(judged!)).toEqual(['no-such-address'])
  })

  it('from any loopback address can be', async () => {
    const local = '[{"type":"local","dst":"127.0.0.1","from":"127.0.0.9","dev":"lo"}]'
    const view = sampleView({ '-4 route get 127.0.0.1 from 127.0.0.9': local })
    expect(codes((await check(view, path('127.0.0.9', '127.0.0.1')))[0]!)).toEqual([])
  })

  it('that no route leads to is told in the words of ip', async () => {
    const [judged] = await check(sampleView(), path('10.81.1.1', '203.0.113.1'))
    expect(judged?.findings[0]?.text).toMatch(
      /no route to the target: RTNETLINK answers: Network is unreachable/,
    )
  })
})

describe('the lines that fix a route', () => {
  it('use a table of its own for each source, and one for all paths of a source', async () => {
    const paths = [path('10.81.2.1'), path('fd81:2::1', 'fd81:9::1'), path('10.81.2.1', '10.81.9.2')]
    const second = { '-4 route get 10.81.9.2 from 10.81.2.1': IP_SAMPLES.first4 }
    const judged = await check(sampleView(second), ...paths)
    expect(judged.map(({ findings }) => findings[0]?.fix?.[0])).toEqual([
      'ip rule add from 10.81.2.1 table 101',
      'ip -6 rule add from fd81:2::1 table 102',
      'ip rule add from 10.81.2.1 table 101',
    ])
  })

  it('leave tables alone that routes or rules use', async () => {
    const used = {
      '-4 rule show': IP_SAMPLES.ruled4.replace('10.81.2.1', '10.0.0.7'),
      '-6 route show table all': '[{"dst":"default","dev":"eth1","table":"102"}]',
    }
    expect((await fixOf(used))?.[0]).toBe('ip rule add from 10.81.2.1 table 103')
  })

  it('fill the table of a rule that is there already', async () => {
    const ruled = { '-4 rule show': IP_SAMPLES.ruled4.replaceAll('101', '7') }
    expect(await fixOf(ruled)).toEqual(['ip route add default via 10.81.2.2 dev eth2 table 7'])
  })

  it('never fill the main table', async () => {
    const ruled = { '-4 rule show': IP_SAMPLES.ruled4.replaceAll('101', 'main') }
    expect(await fixOf(ruled)).toContain('ip rule add from 10.81.2.1 table 101')
  })

  it('take the gateway of any route by that interface where it has no default route', async () => {
    const other = '[{"dst":"10.0.0.0/8","gateway":"10.81.2.9","dev":"eth2","table":"60"}]'
    expect((await fixOf({ '-4 route show table all': other }))?.[1]).toMatch(/ via 10\.81\.2\.9 dev eth2 /)
  })

  it('take the other host of a subnet of two', async () => {
    const pair = { ...addressesWith(30), ...ONLY_FIRST_DEFAULT }
    expect((await fixOf(pair))?.[1]).toMatch(/ via 10\.81\.2\.2 dev eth2 /)
    const twins = { ...addressesWith(31), ...ONLY_FIRST_DEFAULT }
    expect((await fixOf(twins))?.[1]).toMatch(/ via 10\.81\.2\.0 dev eth2 /)
  })

  it('name no gateway on a link with only two ends', async () => {
    const tunnel = { ...addressesWith(24, 'POINTOPOINT'), ...ONLY_FIRST_DEFAULT }
    expect((await fixOf(tunnel))?.[1]).toBe('ip route add default dev eth2 table 101')
  })

  it('say so where the gateway is not known', async () => {
    const [judged] = await check(sampleView(ONLY_FIRST_DEFAULT), path('10.81.2.1'))
    expect(judged?.findings[0]?.fix?.[1]).toMatch(/ via GATEWAY dev eth2 /)
    expect(judged?.findings[1]?.text).toMatch(/gateway of eth2 is unknown: .*GATEWAY/)
  })
})

describe('a strict rp_filter', () => {
  const FILE = '/proc/sys/net/ipv4/conf'

  it.each([
    ['of the interface', { [`${FILE}/all/rp_filter`]: '0\n', [`${FILE}/eth2/rp_filter`]: '1\n' }],
    ['of all interfaces', { [`${FILE}/all/rp_filter`]: '1\n', [`${FILE}/eth2/rp_filter`]: '0\n' }],
  ])('%s is named where it drops answers', async (_, files) => {
    const [judged] = await check(sampleView({}, files), path('10.81.2.1'))
    expect(codes(judged!)).toEqual(['wrong-source-route', 'strict-rp-filter'])
    expect(judged?.findings[1]?.text).toMatch(/strict on eth2: answers to 10\.81\.2\.1/)
  })

  it('is none where the interface is loose', async () => {
    const loose = { [`${FILE}/all/rp_filter`]: '1\n', [`${FILE}/eth2/rp_filter`]: '2\n' }
    expect(codes((await check(sampleView({}, loose), path('10.81.2.1')))[0]!)).toEqual(['wrong-source-route'])
  })

  it('does no harm where the route is right', async () => {
    const strict = { [`${FILE}/all/rp_filter`]: '1\n' }
    expect(codes((await check(sampleView({}, strict), path('10.81.1.1')))[0]!)).toEqual([])
  })

  it('has no say over IPv6', async () => {
    const strict = { [`${FILE}/all/rp_filter`]: '1\n' }
    const [judged] = await check(sampleView({}, strict), path('fd81:2::1', 'fd81:9::1'))
    expect(codes(judged!)).toEqual(['wrong-source-route'])
  })
})

describe('routes are not checked', () => {
  const why = async (view: SystemView): Promise<unknown> => (await check(view, path('10.81.1.1')))[0]

  it('on other systems than Linux', async () => {
    expect(await why({ ...sampleView(), platform: 'darwin' })).toEqual({
      check: { kind: 'unchecked', why: expect.stringMatching(/only on Linux.*darwin/) as string },
      findings: [],
    })
  })

  it('without ip, which is named', async () => {
    const view = { ...sampleView(), ip: () => Promise.reject(new UncheckedError('ip was not found')) }
    expect(await why(view)).toMatchObject({ check: { kind: 'unchecked', why: 'ip was not found' } })
  })

  it('where ip fails, in its words', async () => {
    const { ip } = sampleView()
    const fails: SystemView['ip'] = (args) =>
      args.includes('rule') ? Promise.reject(new Error('not supported')) : ip(args)
    expect(await why({ ...sampleView(), ip: fails })).toMatchObject({
      check: {
        kind: 'unchecked',
        why: expect.stringMatching(/^the ip command did not give the routes: not supported$/) as string,
      },
    })
  })

  it('with an ip that knows no JSON', async () => {
    const view = { ...sampleView(), ip: () => Promise.resolve('ip: unrecognized option') }
    expect(await why(view)).toMatchObject({ check: { why: expect.stringMatching(/iproute2/) as string } })
  })
})

it('a kernel without IPv6 is no reason to check nothing', async () => {
  const view = sampleView()
  const old: SystemView = {
    ...view,
    ip: (args) => (args.includes('-6') ? Promise.reject(new Error('no IPv6')) : view.ip(args)),
  }
  expect(codes((await check(old, path('10.81.2.1')))[0]!)).toEqual(['wrong-source-route'])
})

it.skipIf(process.platform !== 'linux')('a missing ip is told from one that fails', async () => {
  const { PATH } = process.env
  process.env['PATH'] = '/nonexistent'
  try {
    await expect(systemView().ip(['-json', 'address', 'show'])).rejects.toThrow(/install iproute2/)
  } finally {
    process.env['PATH'] = PATH
  }
})
