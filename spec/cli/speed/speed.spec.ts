// SPDX-License-Identifier: Apache-2.0
/** `multipath speed` as its users run it. */
import { describe, expect, it, vi } from 'vitest'
import type { SpeedReport } from '../../../lib/cli/speed/speed-report.js'
import { CERTIFICATE } from '../../support/certificate.js'
import { CliProcess, nc } from '../../support/cli-process.js'
import { tempFiles } from '../../support/temp-files.js'

vi.setConfig({ testTimeout: 60_000 })

const file = tempFiles()
const LIGHT = ['-s', '0.3', '--max-mib', '1']

/** Where `speed serve` listens. */
async function placesOf(server: CliProcess, count: number): Promise<string[]> {
  const found = (): string[] =>
    server.lines.flatMap((line) => /listening on (127\.0\.0\.1:\d+)/.exec(line)?.[1] ?? [])
  await vi.waitUntil(() => found().length >= count, 20_000)
  return found()
}

describe('multipath speed', () => {
  it('measures each path, and all together, each way, with TLS and a token', async () => {
    const [cert, key] = [file('cert.pem', CERTIFICATE.cert), file('key.pem', CERTIFICATE.key)]
    const token = file('token', 'a secret of enough bytes')
    const listen = ['--listen', '127.0.0.1:0', '--listen', '127.0.0.1:0']
    const tls = ['--tls-cert', cert, '--tls-key', key]
    await using serve = new CliProcess(['speed', 'serve', ...listen, ...tls, '--token-file', token])
    const places = await placesOf(serve, 2)
    const secrets = ['--tls-ca', cert, '--tls-name', 'localhost', '--token-file', token]
    await using speed = new CliProcess(['speed', ...LIGHT, ...secrets, ...places.map((one) => one)])
    const { code, out, lines } = await speed.exited
    expect(lines).toHaveLength(9)
    expect(lines[0]).toMatch(/^multipath: 1 of 9, .* alone, download: [\d.]+ Mbit\/s down$/)
    expect(lines[8]).toMatch(
      /^multipath: 9 of 9, all together, both ways: [\d.]+ Mbit\/s down, [\d.]+ Mbit\/s up$/,
    )
    const table = out.toString().split('\n')
    expect(table).toHaveLength(7)
    expect(table[3]).toMatch(
      /^all together +[\d.]+ Mbit\/s +[\d.]+ Mbit\/s +[\d.]+ \+ [\d.]+ Mbit\/s +[\d.]+ ms/,
    )
    expect(table[5]).toMatch(
      /^Together, 2 paths deliver [\d.]+ Mbit\/s down and [\d.]+ Mbit\/s up: \d+ % and \d+ %/,
    )
    expect(code).toBe(0)
    serve.kill('SIGTERM')
    expect((await serve.exited).code).toBe(0)
  })

  it('prints JSON, and measures nc -l -b, which ends well', async () => {
    await using listens = nc(['-l', '-b', '-a'])
    const place = `127.0.0.1:${await listens.port()}`
    await using speed = new CliProcess(['speed', '--json', ...LIGHT, place])
    const report = JSON.parse((await speed.exited).out.toString()) as SpeedReport
    expect(report).toMatchObject({
      peer: 'multipath-net',
      role: 'measures',
      isComplete: true,
      together: null,
    })
    expect(report.paths[0]!.downBytesPerSecond).toBeGreaterThan(0)
    const { code, lines } = await listens.exited
    expect([code, lines.some((line) => line.includes('the peer measures'))]).toEqual([0, true])
  })

  it('says that a token is missing', async () => {
    const token = file('token', 'a secret of enough bytes')
    const listen = ['--listen', '127.0.0.1:0', '--token-file', token]
    await using serve = new CliProcess(['speed', 'serve', ...listen])
    const [place] = await placesOf(serve, 1)
    await using speed = new CliProcess(['speed', ...LIGHT, place!])
    const { code, lines } = await speed.exited
    expect([code, lines.at(-1)]).toEqual([
      1,
      'multipath: the other end requires a token (give both ends the same token, with --token-file or MULTIPATH_TOKEN)',
    ])
  })

  it('is stopped by a signal, as is its server', async () => {
    await using serve = new CliProcess(['speed', 'serve', '--listen', '127.0.0.1:0'])
    const [place] = await placesOf(serve, 1)
    await using speed = new CliProcess(['speed', '-s', '600', place!])
    await serve.line(/is connected/)
    speed.kill('SIGINT')
    const { code, lines } = await speed.exited
    expect([code, lines.at(-1)]).toEqual([130, 'multipath: stopped by SIGINT'])
    serve.kill('SIGTERM')
    expect((await serve.exited).code).toBeOneOf([0, 143])
  })

  it.each([
    [[], 'no peer to measure'],
    [['-s', '0', '127.0.0.1:1'], '--seconds must be more than 0'],
    [['serve'], 'no address to listen on'],
  ])('refuses %j', async (args, message) => {
    await using speed = new CliProcess(['speed', ...args])
    const { code, lines } = await speed.exited
    expect([code, lines[0]]).toEqual([2, expect.stringContaining(message)])
  })
})
