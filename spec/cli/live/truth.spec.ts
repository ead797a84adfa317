// SPDX-License-Identifier: Apache-2.0
/** What forward, socks, serve and nc tell of their paths without being asked. */
import { describe, expect, it, vi } from 'vitest'
import { PathRelay } from '../../../interop/support/path-relay.js'
import { EVENTS, FIELDS, NUMBERS } from '../../../lib/cli/live/event-schema.js'
import type { CliProcess } from '../../support/cli-process.js'
import { freePorts } from '../../support/free-ports.js'
import { at, command, dial, echo, ending, forward, serve } from '../../support/streams.js'

vi.setConfig({ testTimeout: 60_000 })

/** Something on the way all the time, so that a silence shows. */
async function keepTalking(port: number, bytes = 1): Promise<void> {
  const socket = await dial(port)
  socket.resume()
  const timer = setInterval(() => socket.write(Buffer.alloc(bytes)), 50)
  socket.once('close', () => clearInterval(timer))
}

/** The port that `forward --local 0=…` has chosen. */
async function localPort(cli: CliProcess): Promise<number> {
  return Number((await cli.line(/listening on \S+:(\d+)/))[1])
}

/** Every line of standard error, checked against the schema. */
function events(cli: CliProcess): Record<string, unknown>[] {
  return cli.lines.map((line) => {
    const fields = JSON.parse(line) as Record<string, unknown>
    const { event, time } = fields as { event: keyof typeof EVENTS; time: string }
    expect(Object.keys(EVENTS)).toContain(event)
    expect(new Date(time).toISOString()).toBe(time)
    const allowed = ['time', 'level', 'event', 'message', 'leftOut', ...EVENTS[event].fields]
    for (const [name, value] of Object.entries(fields)) {
      expect(allowed, `${event} has the field ${name}`).toContain(name)
      expect(Object.keys(FIELDS)).toContain(name)
      expect(typeof value).toBe((NUMBERS as readonly string[]).includes(name) ? 'number' : 'string')
    }
    return fields
  })
}

describe('forward', () => {
  it('names a path that is refused, with the next attempt, and does not claim to use it', async () => {
    const [nobody] = await freePorts(1)
    const there = await serve(['--allow', at(await echo())])
    const here = await forward(there.port, 'x:1', ['--to', at(nobody!)])
    await here.cli.line(new RegExp(`1 of 2 paths up: ${at(there.port)}$`))
    await here.cli.line(
      new RegExp(
        `^\\d\\d:\\d\\d:\\d\\d multipath: 1 of 2 paths up; ${at(nobody!)} down: connection refused, next attempt (?:in [\\d.]+ s|at once)$`,
      ),
    )
  })

  it('tells that a path was silent, for how long, and in JSON with all of its fields', async () => {
    const port = await echo()
    const there = await serve(['--allow', at(port), '--json'])
    await using relay = await PathRelay.open(there.port)
    await using other = await PathRelay.open(there.port)
    // Neither carries all of it: both are in use when one falls silent.
    for (const one of [relay, other]) one.limit(200_000)
    const to = ['--to', other.address, '--to', relay.address]
    const here = command(['forward', ...to, '--local', `0=${at(port)}`, '--json'])
    await here.line(/2 of 2 paths up/)
    await keepTalking(await localPort(here), 32_768)
    await relay.passed('up', 65_536)
    relay.freeze()
    await here.line(/1 of 2 paths up; \S+ down: no answer/)
    relay.thaw()
    await here.line(/2 of 2 paths up; \S+ recovered after [\d.]+ s: no answer/)
    const seen = events(here)
    const { session } = seen.find(({ event }) => event === 'session')!
    const changes = seen.filter(({ event }) => event === 'path')
    expect(changes.at(-1)).toMatchObject({
      ...{ session, label: relay.address, to: relay.address, state: 'up', change: 'recovered' },
      ...{ reason: 'no answer', upCount: 2, count: 2 },
    })
    expect(changes.at(-1)!['downMs']).toBeGreaterThan(1000)
    expect(events(there.cli).find(({ event }) => event === 'session')).toMatchObject({ session })
  })

  it('tells that it is suspended, and that it has resumed', async () => {
    const port = await echo()
    const there = await serve(['--allow', at(port)])
    await using relay = await PathRelay.open(there.port)
    const here = command(['forward', '--to', relay.address, '--local', `0=${at(port)}`])
    await here.line(/1 of 1 path up/)
    await keepTalking(await localPort(here))
    relay.freeze()
    await here.line(/multipath: suspended: no path is up/)
    relay.thaw()
    await here.line(/multipath: resumed after [\d.]+ s/)
  })
})

describe('serve', () => {
  it('identifies each client, with its paths, and at its end with duration and bytes', async () => {
    const port = await echo()
    const there = await serve(['--allow', at(port)])
    const here = await forward(there.port, at(port))
    const [, session] = await there.cli.line(
      new RegExp(
        `127\\.0\\.0\\.1 is connected \\(session ([0-9a-f]{6})\\); 1 of 1 path up: 127\\.0\\.0\\.1 → ${at(there.port)}`,
      ),
    )
    await here.cli.line(new RegExp(`\\(session ${session}\\)`))
    const socket = await dial(here.port)
    socket.end('hello')
    socket.resume()
    await ending(socket)
    here.cli.kill('SIGTERM')
    await there.cli.line(/127\.0\.0\.1 has disconnected.* \(after [\d.]+ s, \d+ B received, \d+ B sent\)/)
  })
})

describe('nc', () => {
  it('tells of a path that is refused, and of who has connected', async () => {
    const [nobody] = await freePorts(1)
    const listener = command(['nc', '-l', '-a'])
    const [, port] = await listener.line(/listening on port (\d+)/)
    const dials = command(['nc', '-a', at(Number(port)), at(nobody!)], { input: 'pipe' })
    await dials.line(/1 of 2 paths up; \S+ down: connection refused/)
    await listener.line(/127\.0\.0\.1 is connected \(session/)
    dials.stdin.end()
    expect((await dials.exited).code).toBe(0)
  })

  it('says nothing with --quiet', async () => {
    const listener = command(['nc', '-l', '-a'])
    const [, port] = await listener.line(/listening on port (\d+)/)
    const dials = command(['nc', '--quiet', '-a', at(Number(port))])
    listener.kill('SIGTERM')
    expect((await dials.exited).lines.join()).not.toMatch(/connected/)
  })

  it('fails where serve listens: nothing takes its data', async () => {
    const there = await serve(['--allow', at(9)])
    const dials = command(['nc', '-a', at(there.port)], { input: 'pipe', env: { MULTIPATH_TOKEN: '' } })
    dials.stdin.end('hi\n')
    expect((await dials.exited).code).toBe(1)
    await there.cli.line(/refused 127\.0\.0\.1: a client has a different token, or none/)
  })
})
