// SPDX-License-Identifier: Apache-2.0
/** What is said of a path, given what was seen of it. */
import { describe, expect, it } from 'vitest'
import type { Diagnosis, PathFacts } from '../../../lib/cli/doctor/diagnosis.js'
import { diagnose } from '../../../lib/cli/doctor/diagnosis.js'
import { fault, note } from '../../../lib/cli/doctor/finding.js'
import type { Delivery, Measured } from '../../../lib/cli/measure/measure.js'
import { diagnosisText } from '../../../lib/cli/doctor/text.js'

const MBIT = 125_000

function facts(more: Partial<PathFacts> = {}, label = 'one'): PathFacts {
  return {
    path: { label, host: '10.81.9.1', port: 7000, localAddress: '10.81.1.1' },
    route: {
      check: {
        kind: 'route',
        device: 'eth1',
        gateway: '10.81.1.2',
        source: '10.81.1.1',
        owners: ['eth1'],
        isLocal: false,
      },
      findings: [],
    },
    failure: undefined,
    idleRttMs: 20,
    delivery: alone(50, 48, 25, label),
    lostBy: undefined,
    ...more,
  }
}

function alone(down?: number, up?: number, rttMs?: number, label = 'one'): Delivery {
  const rate = (value?: number): number | undefined => value && value * MBIT
  return {
    oneWay: { downBytesPerSecond: rate(down), upBytesPerSecond: rate(up) },
    bothWays: undefined,
    rttMs: new Map(rttMs === undefined ? [] : [[label, rttMs]]),
  }
}

function load(together: Delivery | undefined, endedBy?: Measured['endedBy']): Measured {
  return { alone: new Map(), together, unopened: new Map(), endedBy, error: undefined }
}

const codes = ({ findings, paths }: Diagnosis): string[] =>
  [...paths.flatMap((path) => path.findings), ...findings].map(({ code }) => code)

describe('a diagnosis', () => {
  it('of paths that do as they should is fine, and says what was measured', () => {
    const diagnosis = diagnose(
      'multipath-net',
      [facts(), facts({}, 'two')],
      load({ ...alone(96, 90), bothWays: alone(80, 70).oneWay }),
    )
    expect(diagnosis.isFine).toBe(true)
    expect(diagnosisText(diagnosis)).toBe(`path 1 of 2: one
  route      leaves by eth1 via 10.81.1.2 from 10.81.1.1, an address of eth1
  handshake  done
  RTT        20 ms idle, 25 ms under load
  delivers   50 Mbit/s down, 48 Mbit/s up alone
  verdict    OK

path 2 of 2: two
  route      leaves by eth1 via 10.81.1.2 from 10.81.1.1, an address of eth1
  handshake  done
  RTT        20 ms idle, 25 ms under load
  delivers   50 Mbit/s down, 48 Mbit/s up alone
  verdict    OK

all paths
  peer       multipath-net
  deliver    96 Mbit/s down, 90 Mbit/s up, 80 Mbit/s down and 70 Mbit/s up at once together
  that is    96 % of 100 Mbit/s down, 94 % of 96 Mbit/s up: of the sum of the paths alone
  verdict    OK: 2 of 2 paths are fine
`)
  })

  it('with one fault is not fine, and puts the fault first, then how to fix it', () => {
    const { check } = facts().route
    const findings = [
      note('unknown-gateway', 'ask'),
      fault('wrong-source-route', 'wrong', ['ip one', 'ip two']),
    ]
    const diagnosis = diagnose('Go', [facts({ route: { check, findings } }), facts({}, 'two')], undefined)
    expect(diagnosis.isFine).toBe(false)
    const lines = diagnosisText(diagnosis).split('\n')
    const at = lines.indexOf('  verdict    WRONG: wrong')
    expect(lines.slice(at + 1, at + 6)).toEqual([
      '             to correct it, run as root',
      '               ip one',
      '               ip two',
      '             note: ask',
      '',
    ])
    expect(lines).toContain('  verdict    WRONG: 1 of 2 paths are fine')
    expect(lines.join('\n')).toMatch(/peer {7}Go, or another/)
  })

  it('is data that JSON keeps', () => {
    const diagnosis = diagnose('unknown', [facts()], undefined)
    expect(JSON.parse(JSON.stringify(diagnosis))).toMatchObject({
      isFine: true,
      peer: 'unknown',
      paths: [{ label: 'one', host: '10.81.9.1', port: 7000, idleRttMs: 20, findings: [] }],
    })
  })
})

describe('a path is ill when', () => {
  it.each([
    [
      'nobody is reached',
      { failure: { message: 'refused', stranger: undefined } },
      'unreachable',
      /no connection: refused/,
    ],
    [
      'it is known what is wrong',
      { failure: { message: 'x', stranger: undefined, fault: 'gw uses TLS (give --tls)' } },
      'unreachable',
      /WRONG: no connection: gw uses TLS \(give --tls\)/,
    ],
    [
      'somebody else answers',
      { failure: { message: 'version 83', stranger: 'sent "SSH"' } },
      'not-multipath',
      /not a multipath listener: it sent "SSH" \(version 83\)/,
    ],
    ['it is lost on the way', { lostBy: 'silent' }, 'lost', /lost after its handshake: silent/],
    [
      'it carries nothing alone',
      { delivery: alone(50, 0) },
      'delivers-nothing',
      /carried no data \(upload\)/,
    ],
  ] as const)('%s', (_, more, code, text) => {
    const diagnosis = diagnose('multipath-net', [facts(more)], undefined)
    expect(diagnosis.isFine).toBe(false)
    expect(codes(diagnosis)).toEqual([code])
    expect(diagnosisText(diagnosis)).toMatch(text)
  })
})

describe('a connection is ill when', () => {
  it.each([
    ['the peer stops reading', 'stopped-reading'],
    ['it goes', 'lost'],
    ['the peer allows no measurement', 'refused'],
  ] as const)('%s while it is measured', (_, endedBy) => {
    const diagnosis = diagnose('Go', [facts({ delivery: undefined })], load(undefined, endedBy))
    expect(diagnosis.isFine).toBe(false)
    expect(codes(diagnosis)).toEqual([endedBy])
    expect(diagnosisText(diagnosis)).toMatch(
      /\n {2}verdict {4}WRONG: the (peer stopped reading|connection was lost|peer could not be measured)/,
    )
  })
})

describe('a note, which is no fault, is made of', () => {
  it('a queue that builds up under load', () => {
    const diagnosis = diagnose('Go', [facts({ delivery: alone(1, 1, 420) })], undefined)
    expect(diagnosis.isFine).toBe(true)
    expect(codes(diagnosis)).toEqual(['bufferbloat'])
    expect(diagnosisText(diagnosis)).toMatch(/verdict {4}OK\n {13}note: the queue grows by 400 ms/)
  })

  it('a path that could not be measured alone', () => {
    const diagnosis = diagnose('Go', [facts({ delivery: undefined, unopened: 'reset' })], undefined)
    expect([diagnosis.isFine, ...codes(diagnosis)]).toEqual([true, 'not-measured'])
    expect(diagnosisText(diagnosis)).toContain('the path alone was not measured: reset')
  })

  it.each([
    ['small for so long a path', 300, 420],
    ['short', 2, 90],
  ])('no queue that is %s', (_, idleRttMs, rttMs) => {
    const delivery = alone(1, 1, rttMs)
    expect(codes(diagnose('Go', [facts({ idleRttMs, delivery })], undefined))).toEqual([])
  })

  it('paths that deliver much less together than in sum', () => {
    const both = [facts(), facts({}, 'two')]
    expect(codes(diagnose('Go', both, load(alone(69, 96))))).toEqual(['shared-bottleneck'])
    expect(codes(diagnose('Go', both, load(alone(99, 66))))).toEqual(['shared-bottleneck'])
    expect(codes(diagnose('Go', both, load(alone(71, 70))))).toEqual([])
  })
})

describe('the route is told', () => {
  it.each([
    [{ kind: 'unchecked', why: 'no ip' }, 'not checked: no ip'],
    [{ kind: 'no-route', why: 'unreachable' }, 'none'],
    [{ kind: 'no-address', source: '10.9.9.9' }, 'none'],
    [
      { kind: 'route', device: 'lo', gateway: undefined, source: '127.0.0.1', owners: [], isLocal: true },
      'this machine itself',
    ],
    [
      { kind: 'route', device: 'wg0', gateway: undefined, source: undefined, owners: [], isLocal: false },
      'leaves by wg0',
    ],
  ] as const)('%j', (check, text) => {
    const diagnosis = diagnose('Go', [facts({ route: { check, findings: [] } })], undefined)
    expect(diagnosisText(diagnosis).split('\n')[1]).toBe(`  route      ${text}`)
  })
})
