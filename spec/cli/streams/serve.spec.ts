// SPDX-License-Identifier: Apache-2.0
/** Who may come in to `multipath serve`, and by what. */
import { text } from 'node:stream/consumers'
import { describe, expect, it, vi } from 'vitest'
import { CERTIFICATE, CLIENT_CERTIFICATE, FINGERPRINT } from '../../support/certificate.js'
import { at, command, dial, echo, ending, forward, serve } from '../../support/streams.js'
import { tempFiles } from '../../support/temp-files.js'

vi.setConfig({ testTimeout: 60_000 })

const NO_TOKEN = { env: { MULTIPATH_TOKEN: '' } }

const file = tempFiles()
const CERT = file('cert.pem', CERTIFICATE.cert)
const KEY = file('key.pem', CERTIFICATE.key)
const TLS = ['--tls-cert', CERT, '--tls-key', KEY]

describe('serve is not started', () => {
  it.each([
    [
      '0',
      /port 0 of all addresses can be reached by other machines, and neither TLS nor a token is configured \(.*--insecure/,
    ],
    ['192.0.2.1:0', /192\.0\.2\.1:0 can be reached by other machines/],
    ['[::]:0', /\[::\]:0 can be reached by other machines/],
  ])('on %s without protection', async (place, message) => {
    const { code, lines } = await command(['serve', '--listen', place, '--allow', 'a:1'], NO_TOKEN).exited
    expect(code).toBe(2)
    expect(lines).toEqual([expect.stringMatching(message)])
  })

  it.each([
    [['--listen', '0'], /no target is allowed/],
    [['--allow', 'a:1'], /no address to listen on/],
    [['--listen', '0', '--allow', 'x=a:1', '--allow', 'x=b:1'], /the name x twice/],
    [['--listen', '0', '--allow', 'a:1', '--tls-cert', CERT], /must be given together/],
    [
      ['--listen', '0', '--allow', 'a:1', '--tls-cert', CERT, '--tls-key', CERT],
      /do not contain a certificate and its key/,
    ],
    [['--listen', '0', '--allow', 'a:1', '--token-file', '/no/such'], /cannot read \/no\/such/],
  ])('with %j', async (args, message) => {
    const { code, lines } = await command(['serve', ...args]).exited
    expect(code).toBe(2)
    expect(lines).toEqual([expect.stringMatching(message)])
  })

  it('and reports it in JSON if asked to', async () => {
    const { code, lines } = await command(['serve', '--json']).exited
    expect(code).toBe(2)
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
      expect.objectContaining({
        level: 'error',
        event: 'failed',
        exitCode: 2,
        message: expect.stringMatching(/no address to listen on/) as string,
      }),
    ])
  })
})

describe('serve warns', () => {
  it('of a public address with one kind of protection alone', async () => {
    const cli = command(['serve', '--listen', '0.0.0.0:0', '--allow', 'a:1'])
    await cli.line(/without TLS, others on the network/)
    const open = command(['serve', '--listen', '0.0.0.0:0', '--allow', 'a:1', '--insecure'], NO_TOKEN)
    await open.line(/without a token, anyone who can reach this port/)
  })
})

describe('a token', () => {
  it.each([
    [
      'another one',
      'another token of some length',
      /the other end has a different token, or none \(give both ends the same/,
    ],
    ['none', '', /the other end requires a token \(give both/],
  ])('is wanted of the client: with %s it ends with one line', async (_, token, message) => {
    const there = await serve(['--allow', 'a:1'])
    const here = command(['forward', '--to', at(there.port), '--local', '0=a:1'], {
      env: { MULTIPATH_TOKEN: token },
    })
    const { code, lines } = await here.exited
    expect(code).toBe(1)
    expect(lines.slice(1)).toEqual([expect.stringMatching(message)])
    await there.cli.line(/refused 127\.0\.0\.1: a client has (no|a different) token/)
  })

  it('is wanted of the server, too', async () => {
    const there = await serve(['--allow', 'a:1'], NO_TOKEN)
    const { code, lines } = await command(['forward', '--to', at(there.port), '--local', '0=a:1']).exited
    expect(code).toBe(1)
    expect(lines.at(-1)).toMatch(/the other end has a different token, or none/)
  })

  it('may come from a file', async () => {
    const port = await echo()
    const token = file('token', 'a token out of a file\n')
    const there = await serve(['--allow', at(port), '--token-file', token])
    const here = await forward(there.port, at(port), ['--token-file', token])
    const socket = await dial(here.port)
    socket.end('hello')
    expect(await text(socket)).toBe('hello')
  })
})

describe('TLS', () => {
  it.each([
    ['a certificate that vouches', ['--tls-ca', CERT, '--tls-name', 'localhost']],
    ['a fingerprint', ['--tls-fingerprint', FINGERPRINT]],
  ])('leads to the right one by %s', async (_, args) => {
    const port = await echo()
    const there = await serve(['--allow', at(port), ...TLS], NO_TOKEN)
    const here = await forward(there.port, at(port), args, NO_TOKEN)
    const socket = await dial(here.port)
    socket.end('over TLS')
    expect(await text(socket)).toBe('over TLS')
  })

  it('asks for the name of --to, whatever address --all-interfaces has found for it', async () => {
    const there = await serve(['--allow', 'a:1', ...TLS])
    const to = ['--to', `localhost:${there.port}`, '--all-interfaces', '--tls-ca', CERT]
    await command(['forward', ...to, '--local', '0=a:1']).line(/connected to serve .* up: \S+\|\S+/)
  })

  it.each([
    ['vouches for nothing', ['--tls'], /self-signed/],
    ['is of another', ['--tls-ca', file('other.pem', CLIENT_CERTIFICATE.cert)], /certificate/],
    [
      'has another fingerprint',
      ['--tls-fingerprint', Array(32).fill('00').join(':')],
      /has a different fingerprint: [0-9A-F:]+/,
    ],
  ])('leads to nobody whose certificate %s', async (_, args, message) => {
    const there = await serve(['--allow', 'a:1', ...TLS])
    const here = command(['forward', '--to', at(there.port), '--local', '0=a:1', ...args])
    const [line] = await here.line(/no session: .*/)
    expect(line).toMatch(message)
  })
})

describe('limits', () => {
  it('are for streams at a time: one more is reset, at either end, and the others go on', async () => {
    const port = await echo()
    const there = await serve(['--allow', at(port), '--max-streams', '2'])
    const [wide, narrow] = [
      await forward(there.port, at(port)),
      await forward(there.port, at(port), ['--max-streams', '1']),
    ]
    const [first, second, third] = [await dial(wide.port), await dial(wide.port), await dial(wide.port)]
    expect(await Promise.race([first, second, third].map(ending))).toBe('ECONNRESET')
    await wide.cli.line(/: unavailable/)
    const open = [first, second, third].filter((socket) => !socket.destroyed)
    expect(open).toHaveLength(2)
    for (const socket of open) expect(await text(socket.end('on'))).toBe('on')
    const kept = await dial(narrow.port)
    expect(await ending(await dial(narrow.port))).toBe('ECONNRESET')
    await narrow.cli.line(/has 1 connections: new ones are reset/)
    expect(await text(kept.end('on'))).toBe('on')
  })

  it('are for clients at a time: one more is turned away until one is gone', async () => {
    const port = await echo()
    const there = await serve(['--allow', at(port), '--max-sessions', '1'])
    const first = await forward(there.port, at(port))
    const second = command(['forward', '--to', at(there.port), '--local', `0=${at(port)}`])
    await there.cli.line(/refused 127\.0\.0\.1: too many clients/)
    first.cli.kill('SIGTERM')
    const [, local] = await second.line(/listening on \S+:(\d+)/)
    await there.cli.line(/has disconnected/)
    const socket = await dial(Number(local))
    socket.end('at last')
    expect(await text(socket)).toBe('at last')
  })
})

it('what is said in JSON is one object a line', async () => {
  const port = await echo()
  const there = await serve(['--allow', `e=${at(port)}`, '--json', '-v'])
  const here = await forward(there.port, 'e', ['--json', '-v'])
  const socket = await dial(here.port)
  socket.end('x')
  await text(socket)
  here.cli.kill('SIGTERM')
  const { lines } = await here.cli.exited
  await there.cli.line(/session-end/)
  const events = [...lines, ...there.cli.lines].map(
    (line) => JSON.parse(line) as { event: string; time: string },
  )
  for (const { time } of events) expect(new Date(time).toISOString()).toBe(time)
  expect(events.map(({ event }) => event)).toEqual(
    expect.arrayContaining(['listening', 'session', 'subflow', 'stream', 'stream-end', 'session-end']),
  )
})
