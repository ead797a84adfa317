// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { freePorts } from '../support/free-ports.js'
import { connectedPair } from '../support/pair.js'
import { PageExamples } from '../support/page-examples.js'

const examples = new PageExamples('control')

describe('the page on control', () => {
  it('has an example that works and ends', async () => {
    const [port] = await freePorts(1)
    expect(await examples.run('control', { 7000: port! })).toBe(
      "wifi removed\n[ { label: 'lte', state: 'up', isPaused: true } ]\nover LTE\nwaits\n",
    )
    expect(examples.count).toBe(1)
  })

  it('names every field of a path', async () => {
    const { near } = await connectedPair()
    const table = examples.text.slice(examples.text.indexOf('## `conn.paths()`'))
    for (const field of Object.keys(near.paths()[0]!)) expect(table).toContain(`\`${field}\``)
  })
})
