// SPDX-License-Identifier: Apache-2.0
/** Failures that will not go away by themselves: each is told once, soon, with the option that corrects it. */
import { createServer } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { CERTIFICATE } from '../../support/certificate.js'
import { listening, portOf } from '../../support/tcp.js'
import { at, command, serve } from '../../support/streams.js'
import { tempFiles } from '../../support/temp-files.js'

vi.setConfig({ testTimeout: 60_000 })

const PINS = Array.from({ length: 32 }, () => 'AB').join(':')

async function httpPort(): Promise<number> {
  const server = createServer()
  await listening(server)
  onTestFinished(() => {
    server.closeAllConnections()
  })
  return portOf(server)
}

/** Time until the process has ended, milliseconds, and what it said last. */
async function once(args: readonly string[]): Promise<{ code: number | null; last: string; tookMs: number }> {
  const startedAt = performance.now()
  const { code, lines } = await command(['forward', '--once', '--local', '0=x:1', ...args]).exited
  return { code, last: lines.at(-1)!, tookMs: performance.now() - startedAt }
}

describe('forward --once exits with 1 within ten seconds and names the option', () => {
  const file = tempFiles()
  const files = { cert: file('cert.pem', CERTIFICATE.cert), key: file('key.pem', CERTIFICATE.key) }

  const tls = (): ReturnType<typeof serve> =>
    serve(['--allow', at(9), '--tls-cert', files.cert, '--tls-key', files.key, '-v'])

  it('where it uses TLS and serve does not', async () => {
    const there = await serve(['--allow', at(9), '-v'])
    const { code, last, tookMs } = await once(['--to', at(there.port), '--tls'])
    expect([code, last]).toEqual([
      1,
      expect.stringContaining(`${at(there.port)} does not use TLS (omit --tls`),
    ])
    expect(tookMs).toBeLessThan(10_000)
    await there.cli.line(/refused a path from 127\.0\.0\.1: unexpected version 22/)
  })

  it('where serve uses TLS and it does not', async () => {
    const there = await tls()
    const { code, last } = await once(['--to', at(there.port)])
    expect([code, last]).toEqual([1, expect.stringContaining(`${at(there.port)} uses TLS (give --tls, `)])
    await there.cli.line(/refused a path from 127\.0\.0\.1: no TLS handshake/)
  })

  it('where the authority is unknown', async () => {
    const there = await tls()
    const { code, last } = await once(['--to', at(there.port), '--tls'])
    expect([code, last]).toEqual([1, expect.stringMatching(/is not trusted: .*--tls-ca/)])
  })

  it('where the name is wrong', async () => {
    const there = await tls()
    const { code, last } = await once(['--to', at(there.port), '--tls-ca', files.cert])
    expect([code, last]).toEqual([1, expect.stringMatching(/is for a different name.*--tls-name/)])
  })

  it('where the fingerprint is wrong', async () => {
    const there = await tls()
    const { code, last } = await once(['--to', at(there.port), '--tls-fingerprint', PINS])
    expect([code, last]).toEqual([
      1,
      expect.stringMatching(/has a different fingerprint: [0-9A-F:]{95} .*--tls-fingerprint/),
    ])
  })

  it('where the token is wrong', async () => {
    const there = await serve(['--allow', at(9)], { env: { MULTIPATH_TOKEN: 'a different one, as long' } })
    const { code, last } = await once(['--to', at(there.port)])
    expect([code, last]).toEqual([1, expect.stringMatching(/different token.*--token-file/)])
    await there.cli.line(/a client has a different token/)
  })

  it('where this machine does not have the source address', async () => {
    const { code, last } = await once(['--to', `${at(9)}@192.0.2.77`])
    expect([code, last]).toEqual([1, expect.stringMatching(/no interface of this machine has .*@/)])
  })

  it('where an HTTP server answers', async () => {
    const port = await httpPort()
    const { code, last, tookMs } = await once(['--to', at(port)])
    expect([code, last]).toEqual([
      1,
      expect.stringContaining(`an HTTP server answers at ${at(port)} (correct the port`),
    ])
    expect(tookMs).toBeLessThan(10_000)
  })

  it('where an HTTP server waits for the rest of a request', async () => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => {})
      socket.on('data', (chunk) => {
        if (chunk.toString().startsWith('GET ')) socket.end('HTTP/1.0 200 OK\r\n\r\n')
      })
    })
    await listening(server)
    const { code, last, tookMs } = await once(['--to', at(portOf(server))])
    expect([code, last]).toEqual([1, expect.stringContaining('an HTTP server answers')])
    expect(tookMs).toBeLessThan(10_000)
  })
})

describe('forward without --once', () => {
  it('tells of such a failure once, and of a path beside one that is up as well', async () => {
    const there = await serve(['--allow', at(9)])
    const wrong = await httpPort()
    const alone = command(['forward', '--to', at(wrong), '--local', '0=x:1'])
    const beside = command(['forward', '--to', at(there.port), '--to', at(wrong), '--local', '0=x:1'])
    await beside.line(/an HTTP server answers at \S+ \(correct the port/)
    await alone.line(/no session: .*an HTTP server answers/)
    await new Promise((resolve) => setTimeout(resolve, 3000))
    expect(alone.lines.filter((line) => line.includes('an HTTP server'))).toHaveLength(1)
    expect(beside.lines.filter((line) => line.includes('an HTTP server'))).toHaveLength(1)
  })
})
