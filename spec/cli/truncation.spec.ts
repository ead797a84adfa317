// SPDX-License-Identifier: Apache-2.0
/** Ends that are none, at processes of the built command: what was cut short never passes for whole. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { acks, PING, PONG } from '../support/scripted-core.js'
import { nc } from '../support/cli-process.js'
import { manInTheMiddle } from '../support/man-in-the-middle.js'
import { at, command, dial, ending, serve, target } from '../support/streams.js'

const MIB = 1_048_576
const FILE = Buffer.alloc(20 * MIB, 'multipath')
const HELLO = Buffer.alloc(17)

vi.setConfig({ testTimeout: 30_000 })

/** Says hello and `words`, and ends in order. */
async function endSoon(port: number, ...words: readonly Uint8Array[]): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {}).resume()
  socket.end(Buffer.concat([HELLO, ...words]))
  await new Promise((resolve) => socket.once('close', resolve))
}

describe('multipath nc, reading', () => {
  it('fails where the peer goes before it has said what it is', async () => {
    await using listens = nc(['-l', '-a'])
    await endSoon(await listens.port(), acks(PONG))
    const { code, out, lines } = await listens.exited
    expect([code, out.length]).toEqual([1, 0])
    expect(lines.at(-1)).toMatch(
      /^multipath: the connection ended too early: the received data may be incomplete/,
    )
  })

  it('takes a hello alone for no connection: the next one is served', async () => {
    await using listens = nc(['-l', '-a'])
    const port = await listens.port()
    await endSoon(port)
    await using dials = nc(['-a', at(port)], { input: 'pipe' })
    dials.stdin.end('whole')
    const [there, here] = await Promise.all([listens.exited, dials.exited])
    expect([there.code, here.code, String(there.out)]).toEqual([0, 0, 'whole'])
  })

  it('fails where a peer of ours is cut off behind a whole frame', async () => {
    await using listens = nc(['-l', '-a', '--hold', '0'])
    const middle = await manInTheMiddle(await listens.port(), { isFlipping: false, cutAfterBytes: 5 * MIB })
    await using dials = nc(['-a', at(middle)], { input: 'pipe' })
    dials.stdin.end(FILE)
    const { code, out, lines } = await listens.exited
    expect(out.length).toBeGreaterThanOrEqual(5 * MIB)
    expect([code, lines.at(-1)]).toEqual([1, expect.stringMatching(/the connection ended too early/)])
  })

  it('with --peer ours fails where somebody has one of ours pass for a Go peer, and hands on nothing', async () => {
    await using listens = nc(['-l', '-a', '--peer', 'ours'])
    const port = await listens.port()
    const firstWordHeard = listens.line(/is connected/)
    const middle = await manInTheMiddle(port, { isFlipping: true, cutAfterBytes: 5 * MIB, firstWordHeard })
    await using dials = nc(['-a', at(middle)], { input: 'pipe' })
    dials.stdin.end(FILE)
    const { code, out, lines } = await listens.exited
    expect([code, out.length]).toEqual([1, 0])
    expect(lines.at(-1)).toMatch(/did not announce itself/)
    expect((await dials.exited).code).toBe(1)
  })

  it('with --peer ours takes one of ours, whichever side dials', async () => {
    await using listens = nc(['-l', '-a', '--peer', 'ours'], { input: 'pipe' })
    await using dials = nc(['-a', '--peer', 'ours', at(await listens.port())], { input: 'pipe' })
    dials.stdin.end('there')
    listens.stdin.end('back')
    const [there, here] = await Promise.all([listens.exited, dials.exited])
    expect([there.code, here.code, String(there.out), String(here.out)]).toEqual([0, 0, 'there', 'back'])
  })

  it('and dialling with --peer ours, refuses a listener that is a Go peer', async () => {
    const port = await target((socket) => {
      // As Go: it echoes the hello with a CID, and pings.
      socket.once('data', () => socket.write(Buffer.concat([Buffer.alloc(17, 1).fill(0, 0, 1), acks(PING)])))
    })
    const { code, lines } = await nc(['-a', '--peer', 'ours', at(port)]).exited
    expect([code, lines.at(-1)]).toEqual([1, expect.stringMatching(/did not announce itself/)])
  })
})

describe('multipath serve and its clients', () => {
  it('have no session where somebody in between makes one pass for a Go peer', async () => {
    const far = await target((socket) => socket.pipe(socket))
    const there = await serve(['--allow', `t=${at(far)}`])
    const middle = await manInTheMiddle(there.port, { isFlipping: true })
    const here = command(['forward', '--to', at(middle), '--local', '0=t', '--wait', '0.5'])
    const { code, lines } = await here.exited
    expect([code, lines.at(-1)]).toEqual([1, expect.stringMatching(/has a different token, or none/)])
    expect(
      here.lines.concat(there.cli.lines).filter((line) => /connected \(session|connected to/.test(line)),
    ).toEqual([])
  })

  it.each(['forward', 'socks'])('%s resets a stream that is cut off behind a whole frame', async (kind) => {
    const far = await target((socket) => socket.resume())
    const there = await serve(
      kind === 'socks'
        ? ['--allow-socks', '*:*', '--allow-private', '127.0.0.0/8']
        : ['--allow', `t=${at(far)}`],
    )
    const middle = await manInTheMiddle(there.port, { isFlipping: false, cutAfterBytes: MIB })
    const here =
      kind === 'socks'
        ? command(['socks', '--to', at(middle), '--listen', '0', '--wait', '0.5', '--hold', '0'])
        : command(['forward', '--to', at(middle), '--local', '0=t', '--wait', '0.5', '--hold', '0'])
    const [, port] = await here.line(/listening on \S+:(\d+)/)
    await here.line(/connected to/)
    const socket = await dial(Number(port))
    if (kind === 'socks') {
      socket.write(Buffer.from([5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, far >> 8, far & 255]))
      await once(socket, 'data')
    }
    socket.resume().write(FILE)
    expect(await ending(socket)).toBe('ECONNRESET')
  })
})
