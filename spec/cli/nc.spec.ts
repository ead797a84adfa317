// SPDX-License-Identifier: Apache-2.0
/** `multipath nc` as its users run it: two processes of the built command on loopback. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { buffer, text } from 'node:stream/consumers'
import { describe, expect, it, vi } from 'vitest'
import { PathRelay } from '../../interop/support/path-relay.js'
import { nc, sha256 } from '../support/cli-process.js'

const MIB = 1_048_576
const FILE = randomBytes(8 * MIB)
const OTHER = randomBytes(5 * MIB)

vi.setConfig({ testTimeout: 30_000 })

const at = (port: number): string => `127.0.0.1:${port}`

describe('a file through multipath nc', () => {
  it('comes out whole both ways at once, and both ends exit with 0', async () => {
    await using listens = nc(['-l'], { input: 'pipe' })
    await using dials = nc(['-x', '3', at(await listens.port())], { input: 'pipe' })
    dials.stdin.end(FILE)
    listens.stdin.end(OTHER)
    const [there, here] = await Promise.all([listens.exited, dials.exited])
    expect([there.code, here.code]).toEqual([0, 0])
    expect(sha256(there.out)).toBe(sha256(FILE))
    expect(sha256(here.out)).toBe(sha256(OTHER))
    expect(here.lines.filter((line) => line.includes('down'))).toEqual([])
  })

  it('comes out whole although a path is cut on the way', async () => {
    await using listens = nc(['-l', '-a'])
    const port = await listens.port()
    await using relay = await PathRelay.open(port)
    relay.resetAfter(MIB + 1, 'up')
    await using dials = nc(['-a', '-v', at(port), relay.address], { input: 'pipe' })
    await relay.joined()
    dials.stdin.end(Buffer.concat([FILE, FILE, FILE, FILE]))
    const [there, here] = await Promise.all([listens.exited, dials.exited])
    expect([there.code, here.code]).toEqual([0, 0])
    expect(there.out.length).toBe(4 * FILE.length)
    expect(sha256(there.out)).toBe(sha256(Buffer.concat([FILE, FILE, FILE, FILE])))
  })

  it('ends one direction alone: the reader sees the end, and may still answer', async () => {
    await using listens = nc(['-l'], { input: 'pipe', output: 'pipe' })
    await using dials = nc([at(await listens.port())], { input: 'pipe' })
    dials.stdin.end('question')
    expect(await text(listens.stdout)).toBe('question')
    listens.stdin.end('answer')
    expect((await dials.exited).out.toString()).toBe('answer')
    expect([(await listens.exited).code, (await dials.exited).code]).toEqual([0, 0])
  })

  it('may be empty', async () => {
    await using listens = nc(['-l'])
    await using dials = nc([at(await listens.port())], { input: 'pipe' })
    dials.stdin.end()
    const [there, here] = await Promise.all([listens.exited, dials.exited])
    expect([there.code, here.code, there.out.length]).toEqual([0, 0, 0])
  })

  it('waits for a slow reader', async () => {
    await using listens = nc(['-l'], { output: 'pipe' })
    await using dials = nc([at(await listens.port())], { input: 'pipe' })
    dials.stdin.end(FILE)
    await once(listens.stdout, 'readable')
    expect(sha256(await buffer(listens.stdout))).toBe(sha256(FILE))
    expect((await dials.exited).code).toBe(0)
  })
})

describe('paths of multipath nc', () => {
  it('are as many as the targets and the multiplier ask for', async () => {
    await using listens = nc(['-l', '-4'])
    const port = await listens.port()
    await using dials = nc(['-v', '-x', '2', at(port), `127.0.0.2:${port}`, '-a'], { input: 'pipe' })
    await dials.line(/1 of 4 paths up/)
    // 127.0.0.2 is no address of an interface, so nothing listens there.
    for (const name of [`${at(port)}#1: open`, `${at(port)}#2: open`, `127.0.0.2:${port}#1: .*REFUSED`])
      await dials.line(new RegExp(name))
    dials.stdin.end()
    expect((await dials.exited).code).toBe(0)
    expect(dials.lines.filter((line) => /RTT: .*SENT: /.test(line))).toHaveLength(4)
  })

  it('leave out what has no address, and say so', async () => {
    await using listens = nc(['-l', '-4'])
    const port = await listens.port()
    await using dials = nc(['-4', `[::1]:${port}`, at(port)], { input: 'pipe' })
    dials.stdin.end('left')
    expect((await listens.exited).out.toString()).toBe('left')
    const { code, lines } = await dials.exited
    expect(code).toBe(0)
    expect(lines[0]).toMatch(new RegExp(`multipath: \\[::1\\]:${port}: no IPv4 address found$`))
  })

  it('are told to be none in one line', async () => {
    const { code, lines } = await nc(['-4', '[::1]:9']).exited
    expect(code).toBe(1)
    expect(lines).toEqual([
      expect.stringMatching(
        /no path to the peer works: \[::1\]:9: no IPv4 address found \(check the name.*\)$/,
      ),
    ])
  })

  it('take every address of a name', async () => {
    await using listens = nc(['-l', '-4', '-p', '0'])
    await using dials = nc(['-4', `localhost:${await listens.port()}`], { input: 'pipe' })
    dials.stdin.end('by name')
    expect((await listens.exited).out.toString()).toBe('by name')
  })

  it('start at the port that was asked for', async () => {
    await using first = nc(['-l', '-a'])
    const port = await first.port()
    first.kill('SIGTERM')
    await first.exited
    await using listens = nc(['-l', '-v', '-p', `${port}`])
    await listens.line(new RegExp(`listening on .*127\\.0\\.0\\.1.*, port ${port}`))
    await using dials = nc([at(port)])
    expect([(await dials.exited).code, (await listens.exited).code]).toEqual([0, 0])
  })

  it('serve the first that dials; a second one is turned away and the first not disturbed', async () => {
    await using listens = nc(['-l'], { input: 'pipe' })
    const port = await listens.port()
    await using first = nc([at(port)], { input: 'pipe', output: 'pipe' })
    first.stdin.write('first, ')
    listens.stdin.write('hello')
    await once(first.stdout, 'data')
    await using second = nc([at(port)], { input: 'pipe' })
    second.stdin.end('second')
    expect((await second.exited).code).toBe(1)
    first.stdin.end('and last')
    listens.stdin.end()
    expect((await listens.exited).out.toString()).toBe('first, and last')
    expect((await first.exited).code).toBe(0)
  })

  it('are not taken by a stranger that says nothing', async () => {
    await using listens = nc(['-l'])
    const port = await listens.port()
    const stranger = connect(port, '127.0.0.1')
    await once(stranger, 'connect')
    await using dials = nc([at(port)], { input: 'pipe' })
    dials.stdin.end('heard')
    expect((await listens.exited).out.toString()).toBe('heard')
    stranger.destroy()
  })
})

describe('multipath nc fails with one line when', () => {
  it('nothing listens there', async () => {
    await using listens = nc(['-l'])
    const port = await listens.port()
    listens.kill('SIGKILL')
    await listens.exited
    await using dials = nc([at(port)])
    const { code, lines } = await dials.exited
    expect(code).toBe(1)
    expect(lines).toEqual([
      expect.stringMatching(/no path to the peer works: .*ECONNREFUSED.*\(check that .* is running/),
    ])
  })

  it('the port is taken', async () => {
    await using first = nc(['-l', '-a'])
    await using second = nc(['-l', '-a', '-p', `${await first.port()}`])
    const { code, lines } = await second.exited
    expect(code).toBe(1)
    expect(lines).toEqual([expect.stringMatching(/cannot listen: .*EADDRINUSE.*\(.*-p/)])
  })

  it.each(['dials', 'listens'] as const)('the one that %s is killed on the way', async (victim) => {
    await using listens = nc(['-l', '--hold', '0'], { input: 'pipe', output: 'pipe' })
    await using dials = nc([at(await listens.port())], { input: 'pipe', output: 'pipe' })
    const [killed, survivor] = victim === 'dials' ? [dials, listens] : [listens, dials]
    killed.stdin.write(FILE)
    await once(survivor.stdout, 'readable')
    survivor.stdout.resume()
    killed.kill('SIGKILL')
    const { code, lines } = await survivor.exited
    expect(code).toBe(1)
    expect(lines.filter((line) => !/listening|connected|paths? up;/.test(line))).toEqual([
      expect.stringMatching(/^multipath: the connection (ended too early|was lost)/),
    ])
  })

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('it is stopped by %s, and its peer fails, too', async (signal, exitCode) => {
    await using listens = nc(['-l'], { input: 'pipe' })
    await using dials = nc([at(await listens.port())], { input: 'pipe', output: 'pipe' })
    listens.stdin.write('connected')
    await once(dials.stdout, 'data')
    dials.kill(signal)
    const { code, lines } = await dials.exited
    expect([code, lines.at(-1)]).toEqual([exitCode, `multipath: stopped by ${signal}`])
    expect((await listens.exited).code).toBe(1)
  })

  it('it is stopped while nobody takes what has come', async () => {
    await using listens = nc(['-l'], { output: 'pipe' })
    await using dials = nc([at(await listens.port())], { input: 'pipe' })
    dials.stdin.end(FILE)
    await dials.exited
    listens.kill('SIGTERM')
    expect(await listens.left).toBe(143)
  })

  it('it is stopped before anybody has dialled', async () => {
    await using listens = nc(['-l'])
    await listens.port()
    listens.kill('SIGINT')
    expect((await listens.exited).code).toBe(130)
  })

  it('nobody takes its output any more', async () => {
    await using listens = nc(['-l'], { output: 'pipe' })
    await using dials = nc([at(await listens.port())], { input: 'pipe' })
    dials.stdin.write(FILE)
    await once(listens.stdout, 'readable')
    listens.stdout.destroy()
    dials.stdin.write(FILE)
    const { code, lines } = await listens.exited
    expect(code).toBe(1)
    expect(lines.at(-1)).toMatch(/standard output was closed/)
    expect((await dials.exited).code).toBe(1)
  })

  it('its input cannot be read, before anybody is bothered', async () => {
    const directory = openSync(tmpdir(), 'r')
    await using listens = nc(['-l'], { input: directory })
    closeSync(directory)
    const { code, lines } = await listens.exited
    expect(code).toBe(1)
    expect(lines).toEqual(['multipath: cannot read standard input: it is a directory'])
  })
})
