// SPDX-License-Identifier: Apache-2.0
import type { LookupAddress } from 'node:dns'
import { describe, expect, it } from 'vitest'
import type { Resolve } from '../../../lib/cli/streams/dial-target.js'
import { TargetError } from '../../../lib/cli/streams/dial-target.js'
import { Lookups, MAX_LOOKUPS } from '../../../lib/cli/streams/lookups.js'

const ALL = { all: true } as const
const FOUND: LookupAddress[] = [{ address: '127.0.0.1', family: 4 }]

/** Names are found when the spec says so. */
function slow(): { resolve: Resolve; asked: string[]; find: (host: string) => void } {
  const asked: string[] = []
  const waiting = new Map<string, (found: LookupAddress[]) => void>()
  const resolve: Resolve = (host) => {
    asked.push(host)
    return new Promise((found) => waiting.set(host, found))
  }
  return { resolve, asked, find: (host) => waiting.get(host)?.(FOUND) }
}

const names = (count: number, of = 'example'): string[] =>
  Array.from({ length: count }, (_, n) => `${n}.${of}`)

async function refusal(work: Promise<unknown>): Promise<unknown> {
  const error: unknown = await work.catch((reason: unknown) => reason)
  return error instanceof TargetError ? error.refusal : error
}

describe('lookups of a client', () => {
  it('of the same name at the same time are one', async () => {
    const { resolve, asked, find } = slow()
    const lookup = new Lookups(1, resolve).forClient()
    const both = [lookup('a.example', ALL), lookup('a.example', ALL)]
    find('a.example')
    expect(await Promise.all(both)).toEqual([FOUND, FOUND])
    expect(asked).toEqual(['a.example'])
    void lookup('a.example', ALL)
    expect(asked).toEqual(['a.example', 'a.example'])
  })

  it('are refused beyond the limit until one of them ends, and hold up no other client', async () => {
    const { resolve, find } = slow()
    const lookups = new Lookups(2, resolve)
    const lookup = lookups.forClient()
    const first = names(MAX_LOOKUPS).map((name) => lookup(name, ALL))[0]!
    expect(await refusal(lookup('late.example', ALL))).toBe('limit')
    const other = lookups.forClient()
    const theirs = other('late.example', ALL)
    find('late.example')
    expect(await theirs).toEqual(FOUND)
    find('0.example')
    await first
    const again = lookup('late.example', ALL)
    find('late.example')
    expect(await again).toEqual(FOUND)
  })

  it('count after it has left, until they end', async () => {
    const { resolve } = slow()
    const lookups = new Lookups(2, resolve)
    for (const client of ['a', 'b']) {
      const lookup = lookups.forClient()
      for (const name of names(MAX_LOOKUPS, client)) void lookup(name, ALL)
    }
    expect(await refusal(lookups.forClient()('late.example', ALL))).toBe('limit')
  })

  it('that fail make room as well', async () => {
    const lookup = new Lookups(1, () => Promise.reject(new Error('no name server'))).forClient()
    for (const name of names(MAX_LOOKUPS + 1))
      await expect(lookup(name, ALL)).rejects.toThrow('no name server')
  })
})
