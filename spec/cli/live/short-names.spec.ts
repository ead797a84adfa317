// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { shortNames } from '../../../lib/cli/live/short-names.js'

describe('the short names of paths', () => {
  it.each([
    ['labels', ['eth 192.0.2.7|198.51.100.1:4000', 'lte 10.64.3.7|198.51.100.1:4000'], ['eth', 'lte']],
    ['local addresses', ['192.0.2.7|gw:4000', '10.64.3.7|gw:4000'], ['192.0.2.7', '10.64.3.7']],
    ["a client's addresses", ['192.0.2.7 → gw:4000', '10.64.3.7 → gw:4000'], ['192.0.2.7', '10.64.3.7']],
    ['names without addresses', ['my dsl', 'gw:4000'], ['my dsl', 'gw:4000']],
  ])('are %s', (_, names, short) => {
    expect(shortNames(names)).toEqual(short)
  })

  it('have addresses where two of them are the same otherwise', () => {
    const names = ['192.0.2.7|gw:4000', '192.0.2.7|gw:4001', 'lte 10.64.3.7|gw:4000']
    expect(shortNames(names)).toEqual(names)
  })
})
