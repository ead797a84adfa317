// SPDX-License-Identifier: Apache-2.0
/** The mistakes of the first ten minutes: each error names the argument, and says how to give it. */
import { describe, expect, it } from 'vitest'
import { OptionError } from '../lib/errors.js'
import {
  connect,
  createServer,
  interfacePaths,
  MultipathDialer,
  MultipathListener,
  proxyDialer,
  tcpDialer,
  tlsDialer,
} from '../lib/index.js'

/** As from JavaScript, where no types hold anybody back. */
const untyped = (call: unknown, ...args: unknown[]): unknown =>
  Reflect.apply(call as () => unknown, undefined, args)
const dialer = (...args: unknown[]): unknown => Reflect.construct(MultipathDialer, args) as unknown
const path = { port: 7000 }

describe('a first mistake is told by the name of the argument:', () => {
  it.each<[string, () => unknown, string]>([
    [
      'the options of a path, given to a dialer',
      () => dialer('server', [path]),
      "paths[0] has no dial(): it must be a SubflowDialer, such as tcpDialer({ label: 'wifi', host, port })",
    ],
    [
      'a path without a label',
      () => dialer('server', [tcpDialer(path), { dial: () => {} }]),
      "paths[1] has no label: a SubflowDialer needs one, as in { label: 'wifi', dial }",
    ],
    [
      'a dialer with nothing but paths',
      () => dialer([tcpDialer(path)]),
      'destination, the first argument, must be a string',
    ],
    [
      'a dialer without paths',
      () => dialer('server', []),
      'paths must be an array of at least one SubflowDialer',
    ],
    ['connect() without paths', () => untyped(connect), 'pass connect({ paths: [{ host, port }, …] })'],
    [
      'connect() with an empty list',
      () => untyped(connect, { paths: [] }),
      'paths must be an array of at least one',
    ],
    ['connect() with a bare array', () => untyped(connect, [path]), 'pass { paths: […] }'],
    ['path for paths', () => untyped(connect, { path: [path] }), 'did you mean paths?'],
    [
      'a path that is one string',
      () => untyped(connect, { paths: ['host:7000'] }),
      'paths[0] must be options such as { host, port }',
    ],
    [
      'a path without a port',
      () => untyped(connect, { paths: [path, { host: 'b' }] }),
      'paths[1]: port must be an integer from 0 to 65535, got undefined',
    ],
    [
      'the name of an interface as an address',
      () => untyped(connect, { paths: [{ ...path, localAddress: 'wlan0' }] }),
      'paths[0]: localAddress must be an IP address, got wlan0',
    ],
    [
      'a misspelt option',
      () => untyped(connect, { paths: [path], schedular: 'hybrid' }),
      'unknown option schedular; did you mean scheduler?',
    ],
    [
      'a misspelt option of a path',
      () => untyped(connect, { paths: [{ prot: 7000 }] }),
      'paths[0]: unknown option prot; did you mean port?',
    ],
    [
      'a misspelt option of a server',
      () => untyped(createServer, { maxConnection: 5 }),
      'did you mean maxConnections?',
    ],
    [
      'listen() without a place',
      () => createServer().listen([]),
      'listen() needs at least one place, such as { port: 7000 }',
    ],
    [
      'the options of a place, given to a listener',
      () => Reflect.construct(MultipathListener, [[path]]) as unknown,
      'servers[0] must be a net.Server',
    ],
    ...[tcpDialer, tlsDialer, proxyDialer, interfacePaths].map((make): [string, () => unknown, string] => [
      `${make.name}() without options`,
      () => untyped(make),
      'options must be an object, got undefined',
    ]),
  ])('%s', (_what, make, message) => {
    expect(make).toThrow(OptionError)
    expect(make).toThrow(message)
  })

  it('a signal that is a number', async () => {
    const dialling = new MultipathDialer('server', [tcpDialer(path)]).dial({ signal: 5 as never })
    await expect(dialling).rejects.toThrow('signal must be an AbortSignal, got number')
  })
})
