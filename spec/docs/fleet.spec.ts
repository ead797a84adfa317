// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { freePorts } from '../support/free-ports.js'
import { PageExamples } from '../support/page-examples.js'

const examples = new PageExamples('fleet')

describe('the page on fleets', () => {
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
