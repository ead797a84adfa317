// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { CONN_OPTIONS } from '../../lib/core/options.js'
import { freePorts } from '../support/free-ports.js'
import { PageExamples } from '../support/page-examples.js'

const examples = new PageExamples('fleet')

const BYTES_OF_AN_ENTRY = 150

describe('the page on fleets', () => {
  it('names the expiry and the size of the configuration, which keeps a CID for longer than a connection is held', () => {
    const page = readFileSync('docs/fleet.md', 'utf8')
    const configuration = readFileSync('deploy/haproxy/haproxy.cfg', 'utf8')
    const [, millions, hours] = /stick-table type binary len 16 size (\d+)m expire (\d+)h/.exec(
      configuration,
    )!
    const [entries, seconds] = [Number(millions) * 1e6, Number(hours) * 3600]
    expect(seconds * 1000).toBeGreaterThan(CONN_OPTIONS.holdMs.default)
    expect(page).toContain(`An entry lives for ${hours} h`)
    expect(page).toContain(
      `${millions} million entries in ${hours} h allow ${Math.floor(entries / seconds)} new connections a second`,
    )
    expect(page).toContain(`at most ${(entries * BYTES_OF_AN_ENTRY) / 1e9} GB`)
    expect(page).toContain(`memory = size * ${BYTES_OF_AN_ENTRY} bytes`)
    expect(page).toContain(`(\`holdMs\`, ${CONN_OPTIONS.holdMs.default / 1000} s by default)`)
  })

  it('has an example of a trusted proxy that works and ends', async () => {
    const [free] = await freePorts(1)
    const output = await examples.run('proxied', { 7000: free! })
    expect(output).toBe(`192.0.2.1:${free}|203.0.113.9:51000\n`)
  })

  it('has an example of a cluster that works and ends', async () => {
    const [free] = await freePorts(1)
    expect(await examples.run('cluster', { 7000: free! })).toBe('hello from one of four\n')
  })
})
