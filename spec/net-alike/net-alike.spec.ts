// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { CONNECTS, STATES } from './connects.js'
import { DESTROYED, ORDERLY } from './ends.js'
import { IDIOMS } from './idioms.js'
import { facade, netApi, seen } from './world.js'

const SEQUENCES = [...ORDERLY, ...DESTROYED, ...CONNECTS, ...STATES]

describe('the same sequence of events over net and over the facade', () => {
  it.each(SEQUENCES)('%s', async (_name, run) => {
    const expected = await seen(netApi, run)
    expect(await seen(facade, run)).toEqual(expected)
  })

  it('is tried for as many as were promised', () => {
    expect(SEQUENCES.length).toBeGreaterThanOrEqual(47)
    expect(IDIOMS.length).toBeGreaterThanOrEqual(20)
  })
})

describe('the same idiom of streams over net and over the facade', () => {
  it.each(IDIOMS)('%s', async (_name, run) => {
    const expected = await seen(netApi, run)
    expect(await seen(facade, run)).toEqual(expected)
  })
})
