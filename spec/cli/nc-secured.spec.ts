// SPDX-License-Identifier: Apache-2.0
/** `multipath nc` with the path syntax, TLS, a token, and many connections. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { CERTIFICATE } from '../support/certificate.js'
import { nc } from '../support/cli-process.js'
import { tempFiles } from '../support/temp-files.js'

vi.setConfig({ testTimeout: 30_000 })

const file = tempFiles()

describe('multipath nc', () => {
  it('takes paths as --to does, over TLS and with a token, and sums up', async () => {
    const [cert, key] = [file('cert.pem', CERTIFICATE.cert), file('key.pem', CERTIFICATE.key)]
    const token = file('token', 'a secret of enough bytes')
    await using listens = nc(['-l', '-a', '--tls-cert', cert, '--tls-key', key, '--token-file', token])
    const place = `127.0.0.1:${await listens.port()}`
    const tls = ['--tls-ca', cert, '--tls-name', 'localhost']
    // One without the token does not keep the other out.
    await using other = nc([...tls, place], { input: 'pipe' })
    other.stdin.end('no token')
    await listens.line(/refused 127\.0\.0\.1: /)
    expect((await other.exited).code).toBe(1)
    const paths = [`${place}@127.0.0.1,label=here,weight=2`, `${place},parallel=2,label=there`]
    await using dials = nc([...tls, '--token-file', token, ...paths], { input: 'pipe' })
    dials.stdin.end('through it')
    const [there, here] = await Promise.all([listens.exited, dials.exited])
    expect([there.out.toString(), there.code, here.code]).toEqual(['through it', 0, 0])
    expect(here.lines.join('\n')).toMatch(
      /connected to here, there \(session \w+\); \d of \d paths? up: (here|there)/,
    )
    expect(here.lines.at(-1)).toMatch(/multipath: sent 10 B \([\d.]+ Mbit\/s\) in [\d.]+ s/)
    expect(there.lines.at(-1)).toMatch(/multipath: received 10 B \([\d.]+ Mbit\/s\) in [\d.]+ s/)
  })

  it('says nothing with -q', async () => {
    await using listens = nc(['-l', '-a'])
    await using dials = nc(['-q', `127.0.0.1:${await listens.port()}`], { input: 'pipe' })
    dials.stdin.end('quiet')
    expect(await dials.exited).toMatchObject({ code: 0, lines: [] })
  })

  it('fails where the other end knows no token', async () => {
    const token = file('token', 'a secret of enough bytes')
    await using listens = nc(['-l', '-a'], { input: 'pipe' })
    await using dials = nc(['--token-file', token, `127.0.0.1:${await listens.port()}`])
    listens.stdin.end('no greeting, but what was to be sent: forty-two bytes and more')
    const { code, lines } = await dials.exited
    expect([code, lines.at(-1)]).toEqual([1, expect.stringMatching(/has a different token, or none/)])
  })

  it('serves many connections with --keep-open, one beside the other, until a signal', async () => {
    await using listens = nc(['-l', '-k', '-a', '-e', 'cat'])
    const place = `127.0.0.1:${await listens.port()}`
    await using first = nc([place], { input: 'pipe' })
    first.stdin.write('first')
    await listens.line(/is connected/)
    await using second = nc([place], { input: 'pipe' })
    second.stdin.end('second')
    expect(await second.exited).toMatchObject({ code: 0, out: Buffer.from('second') })
    first.stdin.end()
    expect(await first.exited).toMatchObject({ code: 0, out: Buffer.from('first') })
    await vi.waitUntil(
      () => listens.lines.filter((line) => / received /.test(line) || / sent /.test(line)).length === 2,
    )
    listens.kill('SIGTERM')
    expect((await listens.exited).code).toBe(0)
  })

  it('ends with a clear error where only ours are accepted, and the peer says pong and ping at once', async () => {
    await using listens = nc(['-l', '-a', '--peer', 'ours'])
    const socket = connect(await listens.port(), '127.0.0.1')
    socket.on('error', () => {})
    socket.write(Buffer.alloc(17))
    await once(socket, 'data')
    socket.write(Buffer.from([0, 1, 0, 0]))
    const { code, lines } = await listens.exited
    socket.destroy()
    expect([code, lines.at(-1)]).toEqual([1, expect.stringMatching(/did not announce itself/)])
  })
})
