// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import type { NcFlags } from '../../lib/cli/nc-options.js'
import type { PathPlace } from '../../lib/cli/streams/path-place.js'
import { ncOptions } from '../../lib/cli/nc-options.js'

const FLAGS: NcFlags = { autoDetect: true, quitAfter: 2000, scheduler: 'lowest-rtt', ctl: true }
const TARGET = { host: '192.0.2.1', port: 80 }

describe('ncOptions', () => {
  it('dials the targets, one subflow for each path unless more are asked for', () => {
    expect(ncOptions([TARGET], FLAGS)).toEqual({
      mode: 'dial',
      targets: [TARGET],
      multiplier: 1,
      family: 0,
      isAutoBound: true,
      idleMs: 0,
      quietMs: 2000,
      isBenchmark: false,
      peer: 'any',
      isVerbose: false,
      isJson: false,
      isQuiet: false,
      ...{ tuning: {}, scheduler: 'lowest-rtt', ctl: true, metrics: undefined },
      ...{ tls: FLAGS, token: undefined, warnings: [] },
    })
    expect(ncOptions([TARGET], { ...FLAGS, multiplier: 3 })).toMatchObject({ multiplier: 3 })
  })

  it('listens on any port unless one is given', () => {
    expect(ncOptions([], { ...FLAGS, listen: true })).toMatchObject({ mode: 'listen', port: 0 })
    expect(ncOptions([], { ...FLAGS, listen: true, port: 80 })).toMatchObject({ port: 80 })
  })

  it('keeps to one family where asked', () => {
    expect(ncOptions([TARGET], { ...FLAGS, ipv4: true }).family).toBe(4)
    expect(ncOptions([TARGET], { ...FLAGS, ipv6: true }).family).toBe(6)
  })

  it.each<[string, NcFlags, PathPlace[], RegExp]>([
    ['no target', FLAGS, [], /no target to connect to/],
    [
      'a cap of a month',
      FLAGS,
      [{ ...TARGET, period: 'month' }],
      /192\.0\.2\.1:80: caps of a day or a month/,
    ],
    ['many connections to dial', { ...FLAGS, keepOpen: true }, [TARGET], /--keep-open needs --listen/],
    [
      'many for one input',
      { ...FLAGS, listen: true, keepOpen: true },
      [],
      /--keep-open needs --exec or --relay/,
    ],
    ['TLS of a client to listen', { ...FLAGS, listen: true, tls: true }, [], /for the side that dials/],
    [
      'an authority without a certificate',
      { ...FLAGS, listen: true, tlsClientCa: 'x' },
      [],
      /needs --tls-cert/,
    ],
    ['both families', { ...FLAGS, ipv4: true, ipv6: true }, [TARGET], /-4 and -6/],
    ['a target to listen on', { ...FLAGS, listen: true }, [TARGET], /--listen does not take HOST:PORT/],
    [
      'a multiplier to listen with',
      { ...FLAGS, listen: true, multiplier: 2 },
      [],
      /cannot be used with --listen/,
    ],
    ['a port to dial from', { ...FLAGS, port: 80 }, [TARGET], /--port needs --listen/],
    ['a program to dial with', { ...FLAGS, exec: 'cat' }, [TARGET], /--exec needs/],
    ['a relay to dial with', { ...FLAGS, relay: TARGET }, [TARGET], /--relay needs/],
    ['program and relay', { ...FLAGS, listen: true, exec: 'cat', relay: TARGET }, [], /--exec and --relay/],
    [
      'program and benchmark',
      { ...FLAGS, listen: true, exec: 'cat', benchmark: true },
      [],
      /--benchmark and/,
    ],
  ])('refuses %s as a wrong usage', (_name, flags, targets, message) => {
    expect(() => ncOptions(targets, flags)).toThrow(
      expect.objectContaining({ exitCode: 2, message: expect.stringMatching(message) as string }),
    )
  })
})
