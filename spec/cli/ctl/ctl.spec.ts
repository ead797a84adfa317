// SPDX-License-Identifier: Apache-2.0
/** `multipath ctl` and `multipath status` with the processes that they steer. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { ip, whyNoNamespaces } from '../../../interop/support/namespaces.js'
import type { Status } from '../../../lib/cli/live/status.js'
import type { CliProcess } from '../../support/cli-process.js'
import { freePorts } from '../../support/free-ports.js'
import { at, command, dial, echo } from '../../support/streams.js'

vi.setConfig({ testTimeout: 60_000 })

const FOLDER = mkdtempSync(join(tmpdir(), 'multipath-ctl-'))
const env = { MULTIPATH_TOKEN: 'a token that only specs know', XDG_RUNTIME_DIR: FOLDER }
afterAll(() => {
  rmSync(FOLDER, { recursive: true })
})

/** serve and forward with two paths, both up. */
async function tunnel(): Promise<{ here: CliProcess; there: CliProcess; ports: number[]; local: number }> {
  const target = await echo()
  const ports = await freePorts(3)
  const listens = ports.slice(0, 2).flatMap((port) => ['--listen', at(port)])
  const there = command(['serve', ...listens, '--allow', at(target)], { env })
  await there.line(/listening on/)
  const to = ports.slice(0, 2).flatMap((port) => ['--to', at(port)])
  const here = command(['forward', ...to, '--local', `0=${at(target)}`], { env })
  const [, local] = await here.line(/listening on \S+:(\d+)/)
  await here.line(/2 of 2 paths up/)
  return { here, there, ports, local: Number(local) }
}

async function ctl(
  words: readonly string[],
): Promise<{ code: number | null; out: string; lines: readonly string[] }> {
  const { code, out, lines } = await command(words, { env }).exited
  return { code, out: out.toString(), lines }
}

async function status(target: CliProcess): Promise<Status> {
  return JSON.parse((await ctl(['status', '-t', String(target.pid), '--json'])).out) as Status
}

describe('multipath ctl', () => {
  it('opens its socket for its user alone, and leaves none behind, however the command ends', async () => {
    const { here, there } = await tunnel()
    const folder = join(FOLDER, 'multipath')
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    for (const { pid } of [here, there]) {
      const name = readdirSync(folder).find((file) => file.includes(`-${pid}.`))
      expect(statSync(join(folder, name!)).mode & 0o777).toBe(0o600)
    }
    here.kill('SIGTERM')
    there.kill('SIGKILL')
    await Promise.all([here.exited, there.exited])
    // The first took its own away; the other's goes with the next look.
    expect((await ctl(['ctl', 'list'])).out).not.toMatch(new RegExp(`-(${here.pid}|${there.pid})`))
    expect(readdirSync(folder).filter((file) => file.includes(`-${there.pid}.`))).toEqual([])
  })

  it('shows the state as a table, and as JSON with bytes of each path and the streams', async () => {
    const { here, there, local } = await tunnel()
    const socket = await dial(local)
    socket.write('hello')
    await once(socket, 'data')
    const [session] = (await status(here)).sessions
    expect(session!.paths.map(({ state, tier }) => [state, tier])).toEqual([
      ['up', 'primary'],
      ['up', 'primary'],
    ])
    expect(session!.paths.reduce((sum, { sentBytes }) => sum + sentBytes, 0)).toBeGreaterThan(0)
    expect((await status(here)).streams).toMatchObject([{ sentBytes: 5, receivedBytes: 5 }])
    const { out } = await ctl(['status', '-t', String(here.pid)])
    expect(out).toMatch(
      /^forward-\d+ {2}up .* 1 session {2}1 stream\n\nsession [0-9a-f]{6} .*\nPATH +STATE +TIER/,
    )
    const all = (await ctl(['status'])).out
    for (const { pid } of [here, there]) expect(all).toMatch(new RegExp(`^\\w+-${pid} {2}up `, 'm'))
    const { code, lines } = await ctl(['status', '--json'])
    expect([code, lines.at(-1)]).toEqual([2, expect.stringMatching(/several commands are running/)])
  })

  it('pauses, resumes and changes a path, on either side, and the log tells', async () => {
    const { here, there, ports } = await tunnel()
    const label = at(ports[1]!)
    const target = ['-t', String(here.pid)]
    expect(await ctl(['ctl', ...target, 'paths', 'pause', label])).toMatchObject({ code: 0, out: '' })
    await here.line(/1 of 2 paths up; \S+ paused/)
    await ctl(['ctl', ...target, 'paths', 'resume', label])
    await here.line(/2 of 2 paths up; \S+ resumed/)
    await ctl(['ctl', ...target, 'paths', 'set', label, 'tier=backup,max-rate=8Mbit'])
    const path = (await status(here)).sessions[0]!.paths.find((one) => one.label === label)
    expect(path).toMatchObject({ tier: 'backup', maxBytesPerSecond: 1_000_000 })
    const [name] = (await status(there)).sessions[0]!.paths.map((one) => one.label)
    await ctl(['ctl', '-t', String(there.pid), 'paths', 'pause', name!])
    await there.line(/paused/)
  })

  it('adds and removes a path, and changes the scheduler', async () => {
    const { here, ports } = await tunnel()
    const target = ['-t', String(here.pid)]
    await ctl(['ctl', ...target, 'paths', 'remove', at(ports[1]!)])
    await here.line(/1 of 1 path up; \S+ removed/)
    await ctl(['ctl', ...target, 'paths', 'add', `${at(ports[1]!)},label=again,tier=secondary`])
    await here.line(/2 of 2 paths up; again \(.*\) up/)
    // An interface stands for the addresses that it has; the other systems call loopback otherwise.
    if (process.platform === 'linux') {
      await ctl(['ctl', ...target, 'paths', 'add', `${at(ports[1]!)}@lo`])
      await here.line(/3 of 3 paths up; 127\.0\.0\.1\|\S+ up/)
      expect((await ctl(['ctl', ...target, 'paths', 'add', `${at(ports[1]!)}@none0`])).lines.at(-1)).toMatch(
        /none0 has no address that can reach 127\.0\.0\.1/,
      )
    }
    await ctl(['ctl', ...target, 'scheduler', 'redundant'])
    expect((await status(here)).sessions[0]!.scheduler).toBe('redundant')
  })

  it('says what is wrong, and fails', async () => {
    const { here } = await tunnel()
    const target = ['-t', String(here.pid)]
    for (const [words, why] of [
      [['paths', 'pause', 'nobody'], /no path is called "nobody"/],
      [['scheduler', 'best'], /must be one of lowest-rtt/],
      [['paths', 'add', 'gw'], /HOST:PORT/],
    ] as const) {
      const { code, lines } = await ctl(['ctl', ...target, ...words])
      expect([code, lines.at(-1)]).toEqual([1, expect.stringMatching(why)])
    }
    expect((await ctl(['ctl', ...target, 'paths', 'burn'])).code).toBe(2)
    expect((await ctl(['status', '-t', 'nobody'])).lines.at(-1)).toMatch(
      /no running command is called nobody/,
    )
  })

  it('follows events for as long as somebody reads them', async () => {
    const { here, ports } = await tunnel()
    const follower = command(['ctl', '-t', String(here.pid), 'events'], { env, output: 'pipe' })
    const first = once(follower.stdout, 'data')
    const changes = setInterval(() => {
      void ctl(['ctl', '-t', String(here.pid), 'paths', 'pause', at(ports[0]!)])
      void ctl(['ctl', '-t', String(here.pid), 'paths', 'resume', at(ports[0]!)])
    }, 1000)
    onTestFinished(() => clearInterval(changes))
    await first
    follower.stdout.destroy()
    expect(await follower.left).toBe(0)
  })

  it('ends the command, and tells those who follow its events', async () => {
    const { here, ports } = await tunnel()
    const follower = command(['ctl', '-t', String(here.pid), 'events'], { env, output: 'pipe' })
    const lines = createInterface({ input: follower.stdout })
    const first = once(lines, 'line')
    await new Promise((resolve) => setTimeout(resolve, 1000))
    await ctl(['ctl', '-t', String(here.pid), 'paths', 'pause', at(ports[0]!)])
    expect(JSON.parse(String((await first)[0]))).toMatchObject({ event: 'path', change: 'paused' })
    await ctl(['ctl', '-t', String(here.pid), 'drain'])
    expect((await here.exited).code).toBe(0)
    follower.stdout.resume()
    expect((await follower.exited).code).toBe(0)
  })
})

describe.skipIf(whyNoNamespaces() !== undefined)('ctl paths add …@INTERFACE', () => {
  it('follows the addresses of the interface', async () => {
    const name = `multipath-ctl-${process.pid}`
    ip('netns', 'add', name)
    onTestFinished(() => {
      ip('netns', 'delete', name)
    })
    ip('-n', name, 'link', 'set', 'lo', 'up')
    const start = { env, within: ['ip', 'netns', 'exec', name] }
    await command(['serve', '--listen', at(7000), '--allow', 'a:1'], start).line(/listening on/)
    const here = command(['forward', '--to', at(7000), '--local', '0=a:1'], start)
    await here.line(/1 of 1 path up/)
    await ctl(['ctl', '-t', String(here.pid), 'paths', 'add', `${at(7000)}@lo,label=lo,tier=backup`])
    await here.line(/2 of 2 paths up; lo 127\.0\.0\.1\|\S+ up/)
    ip('-n', name, 'addr', 'add', '127.0.0.77/8', 'dev', 'lo')
    await here.line(/3 of 3 paths up; lo 127\.0\.0\.77\|\S+ up/)
    ip('-n', name, 'addr', 'del', '127.0.0.77/8', 'dev', 'lo')
    await here.line(/2 of 2 paths up; lo 127\.0\.0\.77\|\S+ removed/)
    const tiers = (await status(here)).sessions[0]!.paths.map(({ tier }) => tier)
    expect(tiers).toEqual(['primary', 'backup'])
  })
})

describe('ctl trace', () => {
  it('writes a trace of all connections to a file, until it is off, which multipath trace draws', async () => {
    const { here, local } = await tunnel()
    const file = join(FOLDER, 'forward.trace')
    const target = ['-t', String(here.pid)]
    expect(await ctl(['ctl', ...target, 'trace', 'on', file])).toMatchObject({ code: 0, out: '' })
    expect((await ctl(['ctl', ...target, 'trace', 'on', file])).lines.at(-1)).toMatch(
      /there is a trace already, in .*forward\.trace/,
    )
    const socket = await dial(local)
    socket.write(Buffer.alloc(100_000))
    await once(socket, 'data')
    await ctl(['ctl', ...target, 'trace', 'off'])
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
    expect(JSON.parse(lines[0]!)).toMatchObject({ ev: 'open', v: 1, side: 'dialer' })
    const sent = lines.flatMap((line) => (JSON.parse(line) as { subs?: { sent?: number }[] }).subs ?? [])
    expect(sent.reduce((sum, one) => sum + (one.sent ?? 0), 0)).toBeGreaterThanOrEqual(100_000)
    expect((await ctl(['trace', file])).out).toMatch(/^<svg /)
    expect((await ctl(['ctl', ...target, 'trace', 'off'])).lines.at(-1)).toMatch(/no trace is on/)
    const nowhere = ['ctl', ...target, 'trace', 'on', join(FOLDER, 'no', 'such.trace')]
    expect((await ctl(nowhere)).lines.at(-1)).toMatch(/ENOENT.*such\.trace/)
  })

  it('prints a trace, which ends with its client', async () => {
    const { here, local } = await tunnel()
    const target = ['-t', String(here.pid)]
    const printer = command(['ctl', ...target, 'trace', 'on'], { env, output: 'pipe' })
    const lines = createInterface({ input: printer.stdout })
    expect(JSON.parse(String((await once(lines, 'line'))[0]))).toMatchObject({ ev: 'open', side: 'dialer' })
    expect((await ctl(['ctl', ...target, 'trace', 'on'])).lines.at(-1)).toMatch(/already, of another client/)
    const socket = await dial(local)
    const drawn = once(lines, 'line')
    socket.write('x')
    await drawn
    printer.kill('SIGKILL')
    await printer.left
    await vi.waitFor(
      async () => expect((await ctl(['ctl', ...target, 'trace', 'on', join(FOLDER, 'b')])).code).toBe(0),
      10_000,
    )
  })
})

describe('the socket of a command', () => {
  it('answers what is no request with an error, and cuts off what never ends', async () => {
    const { here } = await tunnel()
    const path = join(FOLDER, 'multipath', `forward-${here.pid}.sock`)
    const socket = connect(path)
    const lines = createInterface({ input: socket })[Symbol.asyncIterator]()
    for (const text of [
      'nonsense',
      '[]',
      '{"cmd":1}',
      '{"cmd":"constructor","id":7}',
      '{"cmd":"paths-pause"}',
    ]) {
      socket.write(`${text}\n`)
      expect(JSON.parse((await lines.next()).value as string)).toMatchObject({ ok: false })
    }
    const flood = connect(path)
    flood.on('error', () => {})
    flood.write('x'.repeat(100_000))
    await once(flood, 'close')
    socket.write('{"cmd":"status","id":"still"}\n')
    expect(JSON.parse((await lines.next()).value as string)).toMatchObject({ ok: true, id: 'still' })
    socket.destroy()
  })
})
