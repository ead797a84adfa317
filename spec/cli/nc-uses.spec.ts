// SPDX-License-Identifier: Apache-2.0
/** `multipath nc` with something else than standard streams at its end, as its users run it. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo, Server, Socket } from 'node:net'
import { createServer } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { nc, sha256 } from '../support/cli-process.js'

const FILE = randomBytes(4 * 1_048_576)

vi.setConfig({ testTimeout: 30_000 })

const at = (port: number): string => `127.0.0.1:${port}`

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

describe.skipIf(process.platform === 'win32')('multipath nc --exec', () => {
  it('passes the connection through a program', async () => {
    await using listens = nc(['-l', '-e', 'cat'])
    await using dials = nc([at(await listens.port())], { input: 'pipe' })
    dials.stdin.end(FILE)
    const [there, here] = await Promise.all([listens.exited, dials.exited])
    expect([there.code, here.code]).toEqual([0, 0])
    expect(sha256(here.out)).toBe(sha256(FILE))
  })

  it('lets the program answer after the end of its input', async () => {
    await using listens = nc(['-l', '-e', 'sort -r'])
    await using dials = nc([at(await listens.port())], { input: 'pipe' })
    dials.stdin.end('a\nb\nc\n')
    expect((await dials.exited).out.toString()).toBe('c\nb\na\n')
  })

  it('lets the program stop reading', async () => {
    await using listens = nc(['-l', '-e', 'head -c 4'])
    await using dials = nc([at(await listens.port())], { input: 'pipe' })
    dials.stdin.end(FILE)
    const [there, here] = await Promise.all([listens.exited, dials.exited])
    expect([there.code, here.code]).toEqual([0, 0])
    expect(here.out).toEqual(FILE.subarray(0, 4))
  })

  it('fails when the program does', async () => {
    await using listens = nc(['-l', '-e', 'cat; exit 3'])
    await using dials = nc([at(await listens.port())], { input: 'pipe' })
    dials.stdin.end('whole')
    expect((await dials.exited).out.toString()).toBe('whole')
    const { code, lines } = await listens.exited
    expect(code).toBe(1)
    expect(lines.at(-1)).toBe('multipath: the program "cat; exit 3" exited with 3')
  })

  it('ends the program, and what it has started, with a connection that fails', async () => {
    const server = createServer()
    const port = await listening(server)
    const connects = `require('net').connect(${port}, '127.0.0.1')`
    await using listens = nc([
      '-l',
      '--hold',
      '0',
      '-e',
      `"${process.execPath}" -e "${connects}"; echo never`,
    ])
    await using dials = nc([at(await listens.port())], { input: 'pipe', output: 'pipe' })
    const [socket] = (await once(server, 'connection')) as [Socket]
    const closed = new Promise<void>((resolve) => socket.on('error', () => {}).once('close', () => resolve()))
    dials.kill('SIGKILL')
    expect((await listens.exited).code).toBe(1)
    socket.resume()
    await closed
    server.close()
  })
})

describe('multipath nc --relay', () => {
  it('passes the connection on to a TCP server, half-closed too', async () => {
    const server = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket))
    await using listens = nc(['-l', '--relay', at(await listening(server))])
    await using dials = nc([at(await listens.port())], { input: 'pipe' })
    dials.stdin.end(FILE)
    const [there, here] = await Promise.all([listens.exited, dials.exited])
    server.close()
    expect([there.code, here.code]).toEqual([0, 0])
    expect(sha256(here.out)).toBe(sha256(FILE))
  })

  it('fails, and so does its peer, when the server cannot be reached', async () => {
    const server = createServer()
    const closedPort = await listening(server)
    server.close()
    await using listens = nc(['-l', '--relay', at(closedPort)])
    await using dials = nc([at(await listens.port())], { input: 'pipe' })
    dials.stdin.end(FILE)
    const { code, lines } = await listens.exited
    expect(code).toBe(1)
    expect(lines.at(-1)).toMatch(
      /cannot connect to the --relay server: .*ECONNREFUSED.*\(check that .* is running\)/,
    )
    expect((await dials.exited).code).toBe(1)
  })

  it('fails, and so does its peer, when the server resets the connection', async () => {
    const server = createServer((socket) => socket.once('data', () => socket.resetAndDestroy()))
    await using listens = nc(['-l', '--relay', at(await listening(server))])
    await using dials = nc([at(await listens.port())], { input: 'pipe' })
    dials.stdin.write(FILE)
    expect((await listens.exited).code).toBe(1)
    expect((await dials.exited).code).toBe(1)
    server.close()
  })
})

describe('multipath nc --idle-timeout', () => {
  it('exits with 3 once nothing has passed for so long', async () => {
    await using listens = nc(['-l', '-i', '0.3'], { input: 'pipe' })
    await using dials = nc([at(await listens.port())], { input: 'pipe' })
    dials.stdin.write('hello')
    const { code, lines, out } = await listens.exited
    expect({ code, out: out.toString() }).toEqual({ code: 3, out: 'hello' })
    expect(lines.at(-1)).toBe('multipath: no data was transferred for 0.3 s')
  })
})

describe('multipath nc --benchmark', () => {
  it('prints rates each second until it is stopped; both ends exit with 0', async () => {
    await using listens = nc(['-l', '-b'])
    await using dials = nc(['-b', at(await listens.port())])
    await dials.line(/^received \d.*Mbit\/s\), sent \d.*Mbit\/s\)$/)
    dials.kill('SIGINT')
    const [there, here] = await Promise.all([listens.exited, dials.exited])
    expect([there.code, here.code]).toEqual([0, 0])
    for (const { lines, out } of [there, here]) {
      expect(lines.at(-1)).toMatch(/^in \d+\.\d s: received [\d.]+ [MG]B .*, sent [\d.]+ [MG]B /)
      expect(out).toHaveLength(0)
    }
  })

  it('exits with 3 when the peer stands still for --idle-timeout', async () => {
    await using listens = nc(['-l', '-b', '-i', '0.5'])
    await using _dials = nc([at(await listens.port())], { output: 'pipe', input: 'pipe' })
    expect((await listens.exited).code).toBe(3)
  })
})
