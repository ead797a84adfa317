// SPDX-License-Identifier: Apache-2.0
/** Clients that `multipath serve` knows by their certificates. */
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { TLSSocket } from 'node:tls'
import { connect } from 'node:tls'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { ServeFlags } from '../../../lib/cli/streams/serve-options.js'
import { serveOptions } from '../../../lib/cli/streams/serve-options.js'
import { CERTIFICATE, CLIENT_CERTIFICATE, FINGERPRINT } from '../../support/certificate.js'
import { at, command, dial, echo, forward, serve } from '../../support/streams.js'
import { heardUntilClose } from '../../support/tcp.js'
import { tempFiles } from '../../support/temp-files.js'

vi.setConfig({ testTimeout: 60_000 })

const NO_TOKEN = { env: { MULTIPATH_TOKEN: '' } }

const file = tempFiles()
const CERT = file('cert.pem', CERTIFICATE.cert)
const KEY = file('key.pem', CERTIFICATE.key)
const CLIENT_CERT = file('client.pem', CLIENT_CERTIFICATE.cert)
const CLIENT_KEY = file('client-key.pem', CLIENT_CERTIFICATE.key)
const BOTH = file('both.pem', CLIENT_CERTIFICATE.cert + CERTIFICATE.cert)
const SERVER = ['--tls-cert', CERT, '--tls-key', KEY]
const CLIENT = ['--tls-cert', CLIENT_CERT, '--tls-key', CLIENT_KEY]
const PINNED = ['--tls-fingerprint', FINGERPRINT]

describe('a client', () => {
  it('whose certificate is vouched for comes in without a token, with every path', async () => {
    const port = await echo()
    const there = await serve(
      ['--allow', at(port), '-v', ...SERVER, '--tls-client-ca', CLIENT_CERT],
      NO_TOKEN,
    )
    const second = ['--to', `localhost:${there.port}`]
    const here = await forward(there.port, at(port), [...second, ...PINNED, ...CLIENT, '-v'], NO_TOKEN)
    for (const host of ['127.0.0.1', 'localhost'])
      await here.cli.line(new RegExp(`${host}:${there.port}: open`))
    expect(await text((await dial(here.port)).end('known'))).toBe('known')
  })

  it.each([
    ['without a certificate', []],
    ['with one that nobody vouches for', SERVER],
  ])('%s does not come in, whatever its token', async (_, args) => {
    const there = await serve(['--allow', 'a:1', ...SERVER, '--tls-client-ca', CLIENT_CERT])
    const here = command(['forward', '--to', at(there.port), '--local', '0=a:1', ...PINNED, ...args])
    expect((await here.line(/no session: (.*)/))[1]).toMatch(/no path to the peer works: .*handshake/)
  })

  it('does not join the session of another one, though both are vouched for', async () => {
    const there = await serve(['--allow', 'a:1', ...SERVER, '--tls-client-ca', BOTH])
    const secure = async (certificate: object, hello: Uint8Array): Promise<TLSSocket> => {
      const socket = connect({
        port: there.port,
        host: '127.0.0.1',
        rejectUnauthorized: false,
        ...certificate,
      })
      onTestFinished(() => void socket.on('error', () => {}).destroy())
      await once(socket, 'secureConnect')
      socket.write(hello)
      return socket
    }
    const first = await secure(CLIENT_CERTIFICATE, Buffer.alloc(17))
    const [answer] = (await once(first, 'data')) as [Buffer]
    const hello = answer.subarray(0, 17)
    expect(await heardUntilClose(await secure(CERTIFICATE, hello))).toHaveLength(0)
    const [again] = (await once(await secure(CLIENT_CERTIFICATE, hello), 'data')) as [Buffer]
    expect(again.subarray(0, 17)).toEqual(hello)
  })
})

describe('flags', () => {
  it.each([
    [['serve', '--listen', '0', '--allow', 'a:1', '--tls-client-ca', CERT], /needs --tls-cert and --tls-key/],
    [
      ['serve', '--listen', '0', '--allow', 'a:1', ...SERVER, '--tls-client-ca', KEY],
      /does not contain a certificate/,
    ],
    [['forward', '--to', 'a:1', '--local', '0=a:1', '--tls-cert', CERT], /must be given together/],
    [
      ['socks', '--to', 'a:1', '--tls-cert', KEY, '--tls-key', KEY],
      /do not contain a certificate and its key/,
    ],
  ])('%j are refused', async (args, message) => {
    const { code, lines } = await command(args).exited
    expect(code).toBe(2)
    expect(lines).toEqual([expect.stringMatching(message)])
  })

  it('of a certificate for clients stand in for a token, and no warning misses one', () => {
    const flags = {
      listen: [{ host: undefined, port: 0 }],
      allow: [{ host: 'a', port: 1 }],
      tlsCert: CERT,
      tlsKey: KEY,
    }
    const warnings = (more: object): readonly string[] =>
      serveOptions({ ...flags, ...more } as unknown as ServeFlags, {}).warnings
    expect(warnings({})).toEqual([expect.stringMatching(/without a token/)])
    expect(warnings({ tlsClientCa: CLIENT_CERT })).toEqual([])
  })
})
