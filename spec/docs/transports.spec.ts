// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import * as multipath from '../../lib/index.js'
import { CERTIFICATE, CLIENT_CERTIFICATE } from '../support/certificate.js'
import { freePorts } from '../support/free-ports.js'
import { PageExamples } from '../support/page-examples.js'
import { httpProxy, socks5Proxy } from '../support/proxies.js'

const examples = new PageExamples('transports')
const FILES = {
  ...{ 'server.key': CERTIFICATE.key, 'server.crt': CERTIFICATE.cert },
  ...{ 'client.key': CLIENT_CERTIFICATE.key, 'client.crt': CLIENT_CERTIFICATE.cert },
}
const run = (name: string, places: Readonly<Record<string, number>>): Promise<string> =>
  examples.run(name, places, FILES)

describe('the page on transports', () => {
  it.each([
    ['tls', '7443', 'hello over TLS\n'],
    ['pinned', '7443', 'hello from the right one\n'],
    ['inside', '7000', 'an answer behind the end of the question\n'],
    ['websocket', '7080', 'hello over a WebSocket\n'],
    ['unix', 'no port', 'hello over a Unix socket\n'],
    ['own', 'no port', 'hello from within\n'],
  ])('has an example of %s that works and ends', async (name, port, output) => {
    const [free] = await freePorts(1)
    expect(await run(name, { [port]: free! })).toBe(output)
  })

  it('has an example of several at once that works and ends', async () => {
    const [tcp, tls, web] = await freePorts(3)
    expect(await run('mixed', { 7000: tcp!, 7443: tls!, 7080: web! })).toBe('hello over cable, hotel, wifi\n')
  })

  it('has an example of proxies that works and ends', async () => {
    const login = { user: 'anna', password: 's3cret' }
    const [socks, http] = await Promise.all([socks5Proxy(login), httpProxy('Basic YW5uYTpzM2NyZXQ=')])
    const [free] = await freePorts(1)
    const places = { 7000: free!, 1080: socks.port, 3128: http.port }
    expect(await run('proxy', places)).toBe('hello over 3 paths\n')
    expect([socks.asked, http.asked]).toEqual([[`localhost:${free}`], [`localhost:${free}`]])
  })

  it('names every dialer that there is', () => {
    const dialers = Object.keys(multipath).filter((name) => /^[a-z]\w*Dialer$/.test(name))
    expect(dialers.length).toBeGreaterThan(4)
    for (const name of dialers) expect(examples.text).toContain(`| \`${name}\` |`)
    expect(examples.count).toBe(8)
  })
})
