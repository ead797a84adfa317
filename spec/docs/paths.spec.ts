// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { CERTIFICATE } from '../support/certificate.js'
import { freePorts } from '../support/free-ports.js'
import { PageExamples } from '../support/page-examples.js'

const examples = new PageExamples('paths')

describe('the page on paths', () => {
  it('has an example of paths that find themselves, which works and ends', async () => {
    const [port] = await freePorts(1)
    const output = await examples.run('follow', { 7000: port! })
    expect(output).toBe(`hello over what there is\n[ '127.0.0.1|127.0.0.1:${port!}' ]\n`)
  })

  it('has an example of another transport, which works and ends', async () => {
    const [port] = await freePorts(1)
    const files = { 'server.key': CERTIFICATE.key, 'server.crt': CERTIFICATE.cert }
    expect(await examples.run('tls', { 7443: port! }, files)).toBe('hello over TLS, twice\n')
    expect(examples.count).toBe(2)
  })

  it('names virtual interfaces that are left out', () => {
    const source = readFileSync('lib/paths/local-addresses.ts', 'utf8')
    const names = /left out by their names([\s\S]*?)`ppp/.exec(examples.text)![1]!.match(/`[a-z*]+\*`/g)!
    expect(names.length).toBeGreaterThan(10)
    for (const name of names) expect(source).toContain(name.replaceAll('`', "'"))
  })
})
