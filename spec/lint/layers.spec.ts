// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, test, vi } from 'vitest'
import { circles, LICENCE, reports, untyped } from './reports.js'

// ESLint with types takes half a minute of a busy machine's time.
vi.setConfig({ testTimeout: 120_000 })

const IMPORTS = '@typescript-eslint/no-restricted-imports'

const value = (specifier: string): string => `import { x } from '${specifier}'\nexport const y: unknown = x`
const type = (specifier: string): string => `import type { X } from '${specifier}'\nexport type Y = X`

describe('layers: a module to the right, or one that does input and output, is out of reach', () => {
  test.each([
    ['lib/errors.ts', './wire/frame.js'],
    ['lib/clock.ts', 'node:timers'],
    ['lib/options.ts', './index.js'],
    ['lib/debug.ts', './conn/driver.js'],
    ['lib/wire/frame.ts', '../core/connection.js'],
    ['lib/wire/frame.ts', '../clock.js'],
    ['lib/wire/frame.ts', '../debug.js'],
    ['lib/wire/frame.ts', 'node:buffer'],
    ['lib/wire/frame.ts', 'eventemitter3'],
    ['lib/dial/multipath-dialer.ts', 'eventemitter3'],
    ['lib/core/connection.ts', 'node:stream'],
    ['lib/core/connection.ts', 'stream'],
    ['lib/core/connection.ts', '../clock.js'],
    ['lib/core/connection.ts', '../debug.js'],
    ['lib/core/connection.ts', '../conn/driver.js'],
    ['lib/core/schedulers/lowest-rtt.ts', '../../conn/driver.js'],
    ['lib/core/schedulers/lowest-rtt.ts', '../../clock.js'],
    ['lib/core/schedulers/lowest-rtt.ts', 'node:events'],
    ['lib/core/congestion/phased-window.ts', '../subflow.js'],
    ['lib/core/congestion/phased-window.ts', '../../errors.js'],
    ['lib/core/congestion/phased-window.ts', '../../clock.js'],
    ['lib/conn/multipath-conn.ts', '../dial/multipath-dialer.js'],
    ['lib/conn/multipath-conn.ts', '../listen/multipath-listener.js'],
    ['lib/conn/multipath-conn.ts', '../transport/tcp.js'],
    ['lib/conn/multipath-conn.ts', 'p-retry'],
    ['lib/transport/tcp.ts', '../core/connection.js'],
    ['lib/transport/tcp.ts', '../core/tracker.js'],
    ['lib/transport/websocket.ts', 'ws'],
    ['lib/listen/acceptor.ts', '../transport/websocket-server.js'],
    ['lib/dial/race.ts', '../listen/hello-server.js'],
    ['lib/dial/race.ts', '../transport/tcp.js'],
    ['lib/dial/race.ts', 'p-retry'],
    ['lib/listen/hello-server.ts', '../dial/race.js'],
    ['lib/listen/hello-server.ts', '../transport/tcp.js'],
    ['lib/listen/hello-server.ts', 'p-retry'],
    ['lib/mux/mux-session.ts', '../conn/multipath-conn.js'],
    ['lib/mux/mux-session.ts', '../core/connection.js'],
    ['lib/mux/mux-session.ts', '../wire/frame.js'],
    ['lib/stream/socket-surface.ts', '../conn/multipath-conn.js'],
    ['lib/messages/messages.ts', '../conn/multipath-conn.js'],
    ['lib/conn/multipath-conn.ts', '../mux/index.js'],
    ['lib/cli/nc.ts', '../mux/mux-session.js'],
    ['lib/paths/interface-paths.ts', '../conn/multipath-conn.js'],
    ['lib/dial/race.ts', '../paths/interface-paths.js'],
    ['lib/net.ts', './testing/index.js'],
    ['lib/index.ts', './cli/nc.js'],
    ['lib/testing/link.ts', '../cli/nc.js'],
    ['lib/cli/nc.ts', '../conn/multipath-conn.js'],
    ['lib/cli/nc.ts', '../errors.js'],
    ['lib/cli/nc.ts', 'p-retry'],
  ])('%s must not import %s', async (path, specifier) => {
    expect(await reports(path, value(specifier))).toContain(IMPORTS)
    expect(await reports(path, `export { x } from '${specifier}'`)).toContain(IMPORTS)
    expect(await reports(path, `export * from '${specifier}'`)).toContain(IMPORTS)
  })

  test.each([
    ['lib/wire/frame.ts', '../core/action.js'],
    ['lib/core/connection.ts', 'node:stream'],
    ['lib/cli/nc.ts', '../conn/multipath-conn.js'],
  ])('%s must not import even types from %s', async (path, specifier) => {
    expect(await reports(path, type(specifier))).toContain(IMPORTS)
  })

  test.each([
    ['lib/wire/frame.ts', './../core/connection.js'],
    ['lib/core/schedulers/lowest-rtt.ts', '.././../conn/driver.js'],
    ['lib/core/connection.ts', '../wire/../conn/driver.js'],
  ])('%s cannot reach a foreign layer by the detour %s', async (path, specifier) => {
    expect(await reports(path, value(specifier))).toContain(IMPORTS)
  })

  test('a dynamic import, which no import rule sees, is refused in lib', async () => {
    const code = "export const load = (): Promise<unknown> => import('../conn/driver.js')"
    expect(await reports('lib/core/connection.ts', code)).toContain('no-restricted-syntax')
  })

  test('a type that is imported in place, which no import rule sees, is refused', async () => {
    const code = "export type Driver = import('../conn/driver.js').Driver"
    expect(await reports('lib/core/connection.ts', code)).toContain(
      '@typescript-eslint/consistent-type-imports',
    )
  })
})

describe('layers: a module to the left is there to be used', () => {
  test.each([
    ['lib/options.ts', './errors.js'],
    ['lib/debug.ts', 'node:util'],
    ['lib/wire/frame.ts', './varint.js'],
    ['lib/wire/frame.ts', '../errors.js'],
    ['lib/core/connection.ts', './sender.js'],
    ['lib/core/subflow.ts', './congestion/rtt.js'],
    ['lib/core/congestion/phased-window.ts', './rtt.js'],
    ['lib/core/connection.ts', './schedulers/lowest-rtt.js'],
    ['lib/core/connection.ts', '../wire/frame.js'],
    ['lib/core/schedulers/lowest-rtt.ts', '../scheduler.js'],
    ['lib/core/schedulers/lowest-rtt.ts', './round-robin.js'],
    ['lib/core/schedulers/lowest-rtt.ts', '../../errors.js'],
    ['lib/conn/multipath-conn.ts', '../core/connection.js'],
    ['lib/conn/multipath-conn.ts', '../clock.js'],
    ['lib/conn/multipath-conn.ts', 'node:stream'],
    ['lib/transport/tcp.ts', 'node:net'],
    ['lib/dial/race.ts', '../conn/multipath-conn.js'],
    ['lib/dial/race.ts', '../transport/transport.js'],
    ['lib/stream/emitter.ts', 'eventemitter3'],
    ['lib/dial/redial.ts', 'p-retry'],
    ['lib/listen/multipath-listener.ts', '../conn/multipath-conn.js'],
    ['lib/conn/multipath-conn.ts', '../stream/socket-surface.js'],
    ['lib/conn/multipath-conn.ts', '../messages/messages.js'],
    ['lib/mux/mux-frame.ts', '../wire/varint.js'],
    ['lib/mux/mux-stream.ts', '../stream/socket-surface.js'],
    ['lib/cli/nc.ts', '../mux/index.js'],
    ['lib/paths/interface-paths.ts', '../transport/tcp.js'],
    ['lib/net.ts', './listen/multipath-listener.js'],
    ['lib/index.ts', './net.js'],
    ['lib/index.ts', './transport/tcp.js'],
    ['lib/testing/link.ts', '../core/connection.js'],
    ['lib/cli/nc.ts', '../index.js'],
    ['lib/cli/nc.ts', './args.js'],
    ['lib/cli/args.ts', 'commander'],
  ])('%s may import %s', async (path, specifier) => {
    expect(await reports(path, value(specifier))).toEqual([])
  })

  test.each([
    ['lib/wire/frame.ts', '../clock.js'],
    ['lib/core/connection.ts', '../clock.js'],
    ['lib/core/schedulers/lowest-rtt.ts', '../../clock.js'],
    ['lib/core/congestion/phased-window.ts', '../../clock.js'],
    ['lib/transport/transport.ts', '../core/tracker.js'],
  ])('%s may import types from %s', async (path, specifier) => {
    expect(await reports(path, type(specifier))).toEqual([])
  })
})

describe('circles: no file imports what imports it', () => {
  const CIRCLE = 'local/import-circle'

  test.each([
    ['lib/core/congestion/rtt.ts', '../subflow.js', 'one step away'],
    ['lib/core/congestion/rtt.ts', '../connection.js', 'several steps away'],
    ['lib/core/scheduler.ts', './schedulers/by-name.js', 'in another folder'],
    ['lib/core/congestion/rtt.ts', './rtt.js', 'the file itself'],
  ])('%s must not import %s: %s', async (path, specifier) => {
    expect(await reports(path, value(specifier))).toContain(CIRCLE)
    expect(await reports(path, type(specifier))).toContain(CIRCLE)
    expect(await reports(path, `export { x } from '${specifier}'`)).toContain(CIRCLE)
    expect(await reports(path, `export * from '${specifier}'`)).toContain(CIRCLE)
  })

  it('names the files of the circle', async () => {
    const [result] = await untyped.lintText(`${LICENCE}\n${type('./phased-window.js')}\n`, {
      filePath: 'lib/core/congestion/rtt.ts',
    })
    expect(result?.messages.map(({ message }) => message)).toEqual([
      'This import closes a circle: lib/core/congestion/phased-window.ts → lib/core/congestion/rtt.ts',
    ])
  })

  it('holds for all files of lib as they are', async () => {
    const results = await circles.lintFiles(['lib'])
    expect(results.length).toBeGreaterThan(150)
    expect(results.flatMap(({ messages }) => messages.map(({ message }) => message))).toEqual([])
  })
})

describe('the table of layers', () => {
  it('has a row for each file of lib', async () => {
    const files = readdirSync('lib', { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.ts'),
    )
    for (const name of files) {
      const config = (await untyped.calculateConfigForFile(join('lib', name))) as { rules: object }
      expect(Object.keys(config.rules), name).toContain(IMPORTS)
    }
  })
})
