// SPDX-License-Identifier: Apache-2.0
/** `multipath serve` and `multipath forward` as their users run them, on loopback. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { buffer, text } from 'node:stream/consumers'
import { describe, expect, it, vi } from 'vitest'
import { PathRelay } from '../../../interop/support/path-relay.js'
import { sha256 } from '../../support/cli-process.js'
import { freePorts } from '../../support/free-ports.js'
import { at, command, dial, echo, ending, forward, serve, target } from '../../support/streams.js'
import { until } from '../../support/turns.js'

const MIB = 1_048_576
const FILE = randomBytes(4 * MIB)

vi.setConfig({ testTimeout: 60_000 })

describe('a forwarded port', () => {
  it('leads to a place that serve has given a name, by all paths, byte for byte both ways', async () => {
    const [second] = await freePorts(1)
    const there = await serve(['--listen', at(second!), '--allow', `echo=${at(await echo())}`])
    const here = await forward(there.port, 'echo', ['--to', at(second!), '-v'])
    for (const port of [there.port, second!]) await here.cli.line(new RegExp(`${at(port)}: open`))
    const socket = await dial(here.port)
    socket.end(FILE)
    expect(sha256(await buffer(socket))).toBe(sha256(FILE))
  })

  it('is led by paths from the addresses of this machine with --all-interfaces', async () => {
    const [second] = await freePorts(1)
    const there = await serve(['--listen', at(second!), '--allow', `echo=${at(await echo())}`])
    const here = await forward(there.port, 'echo', ['--to', at(second!), '--all-interfaces', '-v'])
    for (const port of [there.port, second!])
      await here.cli.line(new RegExp(`127\\.0\\.0\\.1\\|${at(port)}: open`))
    const socket = await dial(here.port)
    socket.end('by all')
    expect(await text(socket)).toBe('by all')
  })

  it('goes on by the other path when one is cut', async () => {
    const there = await serve(['--allow', `echo=${at(await echo())}`])
    await using relay = await PathRelay.open(there.port)
    const here = await forward(there.port, 'echo', ['--to', relay.address, '-v'])
    await here.cli.line(new RegExp(`${relay.address}: open`))
    relay.resetAfter(MIB + 1, 'up')
    const socket = await dial(here.port)
    socket.end(FILE)
    expect(sha256(await buffer(socket))).toBe(sha256(FILE))
    expect(here.cli.lines.filter((line) => line.includes('connected to'))).toHaveLength(1)
  })

  it('leads to a place that serve allows by its address', async () => {
    const port = await echo()
    const there = await serve(['--allow', at(port)])
    const here = await forward(there.port, at(port))
    const socket = await dial(here.port)
    socket.end('hello')
    expect(await text(socket)).toBe('hello')
  })

  it('is reset where serve does not allow its target, and serve says so', async () => {
    const there = await serve(['--allow', 'other=127.0.0.1:9'])
    const here = await forward(there.port, at(await echo()))
    const socket = await dial(here.port)
    socket.write('anybody?')
    expect(await ending(socket)).toBe('ECONNRESET')
    await there.cli.line(/refused 127\.0\.0\.1:\d+: no rule allows it/)
    await here.cli.line(/: not-allowed/)
  })

  it('is reset where nobody listens at its target', async () => {
    const [nobody] = await freePorts(1)
    const there = await serve(['--allow', `nobody=${at(nobody!)}`])
    const here = await forward(there.port, 'nobody')
    expect(await ending(await dial(here.port))).toBe('ECONNRESET')
    await here.cli.line(/nobody: refused/)
  })

  it('outlives a client that resets while there is no session yet', async () => {
    const [later] = await freePorts(1)
    const here = command(['forward', '--to', at(later!), '--local', '0=echo', '--wait', '60'])
    const [, port] = await here.line(/listening on \S+:(\d+)/)
    const impatient = await dial(Number(port))
    impatient.resetAndDestroy()
    const patient = await dial(Number(port))
    patient.end('still there')
    const said = text(patient)
    command(['serve', '--listen', at(later!), '--allow', `echo=${at(await echo())}`])
    expect(await said).toBe('still there')
  })

  it('is one of many through one session', async () => {
    const ports = [await echo(), await echo()]
    const there = await serve(ports.flatMap((port) => ['--allow', at(port)]))
    const [free] = await freePorts(1)
    const here = await forward(there.port, at(ports[0]!), ['--local', `${free!}=${at(ports[1]!)}`])
    const sockets = await Promise.all([here.port, free!, here.port, free!].map(dial))
    for (const [n, socket] of sockets.entries()) socket.end(`number ${n}`)
    expect(await Promise.all(sockets.map((socket) => text(socket)))).toEqual(
      [0, 1, 2, 3].map((n) => `number ${n}`),
    )
    expect(there.cli.lines.filter((line) => line.includes('is connected'))).toHaveLength(1)
  })

  it('passes on the end of one direction, and the other goes on', async () => {
    const heard = target((socket) => {
      let question = ''
      socket.on('data', (chunk) => {
        question += String(chunk)
      })
      socket.on('end', () => socket.end(`${question} - answer`))
    })
    const there = await serve(['--allow', `late=${at(await heard)}`])
    const here = await forward(there.port, 'late')
    const socket = await dial(here.port)
    socket.end('question')
    expect(await text(socket)).toBe('question - answer')
    expect(await ending(socket)).toBe('closed')
  })

  it('passes on resets, both ways', async () => {
    const sockets: Socket[] = []
    const port = await target((socket) => sockets.push(socket))
    const there = await serve(['--allow', `t=${at(port)}`])
    const here = await forward(there.port, 't')
    const [first, second] = [await dial(here.port), await dial(here.port)]
    first.write('1')
    await until(() => sockets.length > 0)
    second.write('2')
    await until(() => sockets.length === 2)
    for (const socket of sockets) await once(socket, 'readable')
    const one = sockets.find((socket) => String(socket.read()) === '1')!
    const two = sockets.find((socket) => socket !== one)!
    one.resetAndDestroy()
    expect(await ending(first)).toBe('ECONNRESET')
    second.resetAndDestroy()
    two.resume()
    expect(await ending(two)).toBe('ECONNRESET')
  })

  it('that nobody reads does not hold up another', async () => {
    const port = await target((socket) => socket.write(Buffer.alloc(32 * MIB)))
    const there = await serve(['--allow', `flood=${at(port)}`, '--allow', `echo=${at(await echo())}`])
    const [free] = await freePorts(1)
    const here = await forward(there.port, 'flood', ['--local', `${free!}=echo`])
    const stalled = await dial(here.port)
    await once(stalled, 'readable')
    const socket = await dial(free!)
    socket.end(FILE)
    expect(sha256(await buffer(socket))).toBe(sha256(FILE))
    stalled.destroy()
  })

  it('holds back its writer for a reader that is slow', async () => {
    let taken = 0
    const port = await target((socket) => {
      const take = (): void => {
        taken += (socket.read() as Buffer | null)?.length ?? 0
        if (!socket.readableEnded) setImmediate(take)
      }
      take()
    })
    const there = await serve(['--allow', `slow=${at(port)}`])
    const here = await forward(there.port, 'slow')
    const socket = await dial(here.port)
    let mostAhead = 0
    let sent = 0
    while (sent < 96 * MIB) {
      if (!socket.write(Buffer.alloc(MIB))) await once(socket, 'drain')
      sent += MIB
      mostAhead = Math.max(mostAhead, sent - taken)
    }
    await until(() => taken === sent)
    // Buffers of the system and windows of the session.
    expect(mostAhead).toBeLessThan(64 * MIB)
  })
})

describe('a port that serve listens on', () => {
  it('leads to a place on our side', async () => {
    const [free] = await freePorts(1)
    const there = await serve(['--allow-remote', `${free!}`])
    const here = command(['forward', '--to', at(there.port), '--remote', `${free!}=${at(await echo())}`])
    await here.line(/serve listens on/)
    const socket = await dial(free!)
    socket.end('from there')
    expect(await text(socket)).toBe('from there')
  })

  it('is closed when the client is gone', async () => {
    const [free] = await freePorts(1)
    const there = await serve(['--allow-remote', `${free!}`, '--hold', '0'])
    const here = command(['forward', '--to', at(there.port), '--remote', `${free!}=${at(await echo())}`])
    await here.line(/serve listens on/)
    here.kill('SIGKILL')
    await there.cli.line(/no longer listening/)
    await expect(dial(free!)).rejects.toThrow(/ECONNREFUSED/)
  })

  it('has to be allowed: otherwise the command fails with one line', async () => {
    const [free, other] = await freePorts(2)
    const there = await serve(['--allow-remote', `${other!}`])
    const here = command(['forward', '--to', at(there.port), '--remote', `${free!}=${at(9)}`])
    const { code, lines } = await here.exited
    expect(code).toBe(1)
    expect(lines.at(-1)).toBe(
      `multipath: serve is not allowed to listen on ${at(free!)} (start it with --allow-remote ${at(free!)})`,
    )
  })

  it('resets who comes when nothing listens on our side', async () => {
    const [free, nobody] = await freePorts(2)
    const there = await serve(['--allow-remote', `${free!}`])
    const here = command(['forward', '--to', at(there.port), '--remote', `${free!}=${at(nobody!)}`])
    await here.line(/serve listens on/)
    expect(await ending(await dial(free!))).toBe('ECONNRESET')
  })
})
