// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { freePorts } from '../support/free-ports.js'
import { PageExamples } from '../support/page-examples.js'

const examples = new PageExamples('datagrams')

describe('the page on datagrams', () => {
  it('has an example that works and ends', async () => {
    const [port] = await freePorts(1)
    const lines = (await examples.run('datagrams', { 7003: port! })).trim().split('\n')
    expect(lines.sort()).toEqual(['good morning to you', 'hello to you'])
    expect(examples.count).toBe(1)
  })

  it('names figures that there are', () => {
    const source = readFileSync('lib/core/datagrams/datagram-options.ts', 'utf8')
    const named = [...examples.text.matchAll(/`stats\.(\w+)`/g)].map(([, name]) => name!)
    expect(named.length).toBeGreaterThan(3)
    for (const name of named) expect(source).toContain(`readonly ${name}: number`)
  })
})
