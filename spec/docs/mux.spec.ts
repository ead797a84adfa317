// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { freePorts } from '../support/free-ports.js'
import { PageExamples } from '../support/page-examples.js'

const examples = new PageExamples('mux')

describe('the page on streams and messages', () => {
  it('has an example of streams that works and ends', async () => {
    const [one, two] = await freePorts(2)
    expect(await examples.run('streams', { 7001: one!, 7002: two! })).toBe('one\ntwo\nthree\n')
  })

  it('has an example of messages without an order', async () => {
    const [port] = await freePorts(1)
    const lines = (await examples.run('unordered', { 7002: port! })).trim().split('\n')
    expect(lines.toSorted()).toEqual(['first', 'second', 'third'])
  })

  it('has an example of messages that works and ends', async () => {
    const [port] = await freePorts(1)
    const lines = (await examples.run('messages', { 7001: port! })).trim().split('\n')
    expect(lines.sort()).toEqual(['0 bytes: ', '5 bytes: first', '5 bytes: third', 'ERR_MULTIPATH_LIMIT'])
  })

  it('names options that there are', () => {
    const options = readFileSync('docs/options.md', 'utf8')
    const named = [...examples.text.matchAll(/`(max\w+)`/g)].map(([, name]) => name!)
    expect(named.length).toBeGreaterThan(5)
    for (const name of named) expect(options).toContain(`| \`${name}\` |`)
    expect(examples.count).toBe(3)
  })
})
