// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import {
  connect,
  OptionError,
  proxyDialer,
  tcpDialer,
  tlsDialer,
  unixDialer,
  webSocketDialer,
} from '../../lib/index.js'

const misspelt = { maxByte: 5 } as object

describe('an unknown option of a path is refused by name, with the one that was meant', () => {
  it.each([
    ['TCP', () => tcpDialer({ port: 1, ...misspelt })],
    ['TLS', () => tlsDialer({ port: 1, ...misspelt })],
    ['a Unix socket', () => unixDialer({ path: 'a', ...misspelt })],
    ['a WebSocket', () => webSocketDialer({ url: 'ws://a', ...misspelt })],
    ['a proxy', () => proxyDialer({ proxy: 'socks5://a', host: 'b', port: 1, ...misspelt })],
    ['a path of connect()', () => connect({ paths: [{ port: 1, ...misspelt }] })],
  ])('over %s', (_, make) => {
    expect(make).toThrow(OptionError)
    expect(make).toThrow('unknown option maxByte; did you mean maxBytes?')
  })

  it('but not what a library adds to the options of net.connect', () => {
    const conn = connect({ port: 1, method: 'GET', agent: undefined } as { port: number })
    conn.on('error', () => {})
    conn.destroy()
  })

  it('and options of later versions of Node are known', () => {
    expect(tcpDialer({ port: 1, blockList: undefined } as { port: number }).label).toBe('localhost:1')
    expect(tlsDialer({ port: 1, allowPartialTrustChain: true }).label).toBe('localhost:1')
  })
})
