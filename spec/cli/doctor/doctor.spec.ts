// SPDX-License-Identifier: Apache-2.0
/** `multipath doctor` as its users run it: the built command against real listeners on loopback. */
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { createServer as createNetServer } from 'node:net'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Diagnosis } from '../../../lib/cli/doctor/diagnosis.js'
import type { MultipathConn } from '../../../lib/index.js'
import { GREETING_BYTES } from '../../../lib/cli/streams/greeting.js'
import { createServer } from '../../../lib/index.js'
import { CERTIFICATE } from '../../support/certificate.js'
import { CliProcess, nc } from '../../support/cli-process.js'
import { freePorts } from '../../support/free-ports.js'
import { serve } from '../../support/streams.js'
import { tempFiles } from '../../support/temp-files.js'

vi.setConfig({ testTimeout: 60_000 })

const file = tempFiles()
const doctor = (...args: string[]): CliProcess => new CliProcess(['doctor', ...args])
/** Little enough for any machine. */
const LIGHT = ['-s', '1', '--max-mib', '2']
const at = (port: number): string => `127.0.0.1:${port}`

/** A multipath listener on `count` ports. */
async function listener(count: number, serve: (conn: MultipathConn) => unknown): Promise<number[]> {
  const server = createServer((conn) => {
    conn.on('error', () => {})
    serve(conn)
  })
  server.listen(Array.from({ length: count }, () => ({ port: 0, host: '127.0.0.1' })))
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  return server.addresses().map(({ port }) => port)
}

/** Another TCP server. */
async function stranger(serve: (socket: Socket) => unknown): Promise<number> {
  const server = createNetServer(serve).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

describe('multipath doctor', () => {
  it('finds nothing wrong with two paths to an echo, and measures them', async () => {
    const ports = await listener(2, (conn) => conn.pipe(conn))
    await using looks = doctor(...LIGHT, ...ports.map(at))
    const { code, out, lines } = await looks.exited
    expect(lines[0]).toBe('multipath: measures for 1 s, 3 times: 6 MiB each way at most (--no-load: none)')
    expect(lines).toHaveLength(4)
    const text = out.toString()
    expect(text).toMatch(/^path 1 of 2: 127\.0\.0\.1\|127\.0\.0\.1:\d+\n/)
    expect(text.match(/handshake {2}done/g)).toHaveLength(2)
    expect(text.match(/RTT {8}[\d.]+ ms idle, [\d.]+ ms under load/g)).toHaveLength(2)
    expect(text.match(/delivers {3}[\d.]+ Mbit\/s down and [\d.]+ Mbit\/s up at once alone/g)).toHaveLength(2)
    expect(text).toMatch(
      /peer {7}multipath-net\n {2}deliver {4}[\d.]+ Mbit\/s down and .* at once together\n/,
    )
    expect(text).toMatch(/verdict {4}OK: 2 of 2 paths are fine\n/)
    expect(code).toBe(0)
  })

  it('works against multipath nc -l -b, which is fine afterwards', async () => {
    await using listens = nc(['-l', '-b', '-a'])
    await using looks = doctor(...LIGHT, at(await listens.port()))
    const { code, out } = await looks.exited
    expect(out.toString()).toMatch(/delivers {3}[\d.]+ Mbit\/s down, [\d.]+ Mbit\/s up alone/)
    expect(out.toString()).toMatch(/verdict {4}OK: 1 of 1 path is fine/)
    expect([code, (await listens.exited).code]).toEqual([0, 0])
  })

  it('finds nothing wrong with a serve that has TLS and a token, and measures it each way', async () => {
    const token = file('token', 'a secret of enough bytes')
    const [cert, key] = [file('cert.pem', CERTIFICATE.cert), file('key.pem', CERTIFICATE.key)]
    const there = await serve(['--allow', 'x:1', '--tls-cert', cert, '--tls-key', key, '--token-file', token])
    const secrets = ['--tls-ca', cert, '--tls-name', 'localhost', '--token-file', token]
    await using looks = doctor(...LIGHT, ...secrets, at(there.port))
    const { code, out } = await looks.exited
    expect(out.toString()).toMatch(/delivers {3}[\d.]+ Mbit\/s down, [\d.]+ Mbit\/s up alone/)
    expect(out.toString()).toMatch(/verdict {4}OK: 1 of 1 path is fine/)
    expect(code).toBe(0)
    await using plain = doctor('--no-load', at(there.port))
    expect((await plain.exited).out.toString()).toMatch(/WRONG: no connection: .* uses TLS \(give --tls, /)
    await using other = doctor(...LIGHT, ...secrets.slice(0, 4), at(there.port))
    const refused = await other.exited
    expect(refused.out.toString()).toMatch(/WRONG: the peer could not be measured: .* requires a token/)
    expect([refused.code]).toEqual([4])
  })

  it('measures a peer that reads and has said that it will say nothing', async () => {
    await using listens = nc(['-l', '-a'], { input: 'null' })
    await using looks = doctor(...LIGHT, at(await listens.port()))
    const { code, out } = await looks.exited
    expect(out.toString()).toMatch(/delivers .* alone\n {2}verdict {4}OK/)
    const { code: theirs, out: taken } = await listens.exited
    expect([code, theirs, taken.length]).toEqual([0, 0, 2 * 1_048_576 + GREETING_BYTES])
  })

  it('sends nothing with --no-load', async () => {
    let received = 0
    const [port] = await listener(1, (conn) => conn.on('data', (chunk: Buffer) => (received += chunk.length)))
    await using looks = doctor('--no-load', at(port!))
    const { code, out, lines } = await looks.exited
    expect([code, received, lines]).toEqual([0, 0, []])
    expect(out.toString()).toMatch(/RTT {8}[\d.]+ ms idle\n {2}verdict {4}OK\n/)
  })

  it('prints one JSON object with --json', async () => {
    const ports = await listener(2, (conn) => conn.resume())
    await using looks = doctor('--json', ...LIGHT, ...ports.map(at))
    const diagnosis = JSON.parse((await looks.exited).out.toString()) as Diagnosis
    expect(diagnosis).toMatchObject({
      isFine: true,
      peer: 'multipath-net',
      findings: expect.any(Array) as unknown,
    })
    expect(diagnosis.paths.map(({ port }) => port)).toEqual(ports)
    for (const path of diagnosis.paths) expect(path.oneWay?.upBytesPerSecond).toBeGreaterThan(0)
    expect(diagnosis.together?.oneWay.upBytesPerSecond).toBeGreaterThan(0)
    expect(diagnosis.together?.sum.upBytesPerSecond).toBeGreaterThan(0)
  })

  it('says what a server sent that is no multipath listener', async () => {
    const port = await stranger((socket) => socket.on('error', () => {}).end('SSH-2.0-Test\r\n'))
    await using looks = doctor('--no-load', at(port))
    const { code, out, lines } = await looks.exited
    expect(code).toBe(4)
    expect(out.toString()).toMatch(/WRONG: the peer is not a multipath listener: it sent "SSH-2\.0-Test.*SSH/)
    expect(lines).toEqual([
      expect.stringMatching(/^multipath: doctor found a fault \(the report names it\)$/),
    ])
  })

  it('names the path whose port nobody listens on, and measures the other', async () => {
    const [port] = await listener(1, (conn) => conn.resume())
    const [closed] = await freePorts(1)
    await using looks = doctor(...LIGHT, at(closed!), at(port!))
    const { code, out } = await looks.exited
    expect(code).toBe(4)
    const [first, second, all] = out.toString().split('\n\n')
    expect(first).toMatch(/handshake {2}failed\n {2}verdict {4}WRONG: no connection: .*ECONNREFUSED/)
    expect(second).toMatch(/delivers .*\n {2}verdict {4}OK/)
    expect(all).toMatch(/verdict {4}WRONG: 1 of 2 paths are fine/)
  })

  it('says that a peer which serves another one closes', async () => {
    await using listens = nc(['-l', '-b', '-a'])
    const port = await listens.port()
    await using first = nc(['-b', at(port)], { output: 'pipe' })
    await first.line(/received/)
    await using looks = doctor('--no-load', at(port))
    const { code, out } = await looks.exited
    expect(code).toBe(4)
    expect(out.toString()).toMatch(
      /all paths\n.*\n {2}verdict {4}WRONG: the connection was lost: .*serves only one/,
    )
  })

  it('is stopped by a signal, while it measures', async () => {
    const [port] = await listener(1, (conn) => conn.resume())
    await using looks = doctor('-s', '600', '--max-mib', '1000000', at(port!))
    await looks.line(/ alone, upload$/)
    looks.kill('SIGINT')
    const { code, out, lines } = await looks.exited
    expect([code, out.length, lines.at(-1)]).toEqual([130, 0, 'multipath: stopped by SIGINT'])
  })
})

describe('multipath doctor starts from', () => {
  // The other systems have 127.0.0.1 alone.
  it.skipIf(process.platform !== 'linux')('each --address that is given', async () => {
    const [port] = await listener(1, (conn) => conn.resume())
    await using looks = doctor('--no-load', '--address', '127.0.0.2', '--address', '127.0.0.3', at(port!))
    const { code, out } = await looks.exited
    expect(code).toBe(0)
    expect(out.toString()).toMatch(/path 1 of 2: 127\.0\.0\.2\|.*path 2 of 2: 127\.0\.0\.3\|/s)
  })

  it('an address however it is written', async () => {
    await using looks = doctor('--no-load', '--address', '0:0::0001', '[::1]:9')
    expect((await looks.exited).out.toString()).toMatch(/^path 1 of 1: ::1\|\[::1\]:9\n/)
  })

  it('no address of another family', async () => {
    await using looks = doctor('--address', '::1', at(9))
    const { code, lines } = await looks.exited
    expect(code).toBe(1)
    expect(lines).toEqual([expect.stringMatching(/no local address can reach any target .*family/)])
  })
})
