// SPDX-License-Identifier: Apache-2.0
/** The two drawings in docs/engine.md: the functions are there, and a byte passes them in their order. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { connectedPair, readBytes } from '../support/pair.js'
import { quiet } from '../support/turns.js'

const ROOT = join(import.meta.dirname, '../..')

interface Hop {
  readonly owner: string
  readonly method: string
  readonly file: string
}

const HOP = /^ +(\d+) {2}(\w+)\.(#?\w+) +([\w/-]+\.ts)/gm

/** The drawing between two words. */
function drawing(from: string, to: string): Hop[] {
  const text = readFileSync('docs/engine.md', 'utf8')
  const begin = text.indexOf(`\`\`\`text\n${from}\n`)
  const part = text.slice(begin, text.indexOf(`\n${to}\n\`\`\``, begin))
  return [...part.matchAll(HOP)].map(([, number, owner, method, file], index) => {
    expect(Number(number)).toBe(index + 1)
    return { owner: owner!, method: method!, file: `lib/${file!}` }
  })
}

const nameOf = ({ owner, method }: Hop): string => `${owner}.${method}`
const WAYS: readonly (readonly [string, Hop[]])[] = [
  ['from write() to the socket', drawing('write()', 'the socket')],
  ['from the socket to the reader', drawing('the socket', 'the reader')],
]

/** Records the calls of each hop that can be watched: those that are public, of classes that are exported. */
async function watched(hops: readonly Hop[], calls: string[]): Promise<string[]> {
  const names: string[] = []
  for (const hop of hops) {
    const module = (await import(join(ROOT, hop.file))) as Record<
      string,
      { prototype: Record<string, unknown> }
    >
    const prototype = module[hop.owner]?.prototype
    if (prototype === undefined || hop.method.startsWith('#')) continue
    const original = prototype[hop.method] as (...args: unknown[]) => unknown
    names.push(nameOf(hop))
    vi.spyOn(prototype as Record<string, () => unknown>, hop.method).mockImplementation(function (
      this: unknown,
      ...args: unknown[]
    ) {
      calls.push(nameOf(hop))
      return original.apply(this, args)
    })
  }
  return names
}

describe.each(WAYS)('the way of a byte %s', (_name, hops) => {
  it('has at most twelve hops, none of them twice', () => {
    expect(hops.length).toBeGreaterThan(8)
    expect(hops.length).toBeLessThanOrEqual(12)
    expect(new Set(hops.map(nameOf)).size).toBe(hops.length)
  })

  it.each(hops.map((hop) => [nameOf(hop), hop] as const))(
    'leads through %s, where it is said to be',
    (_hop, hop) => {
      const source = readFileSync(hop.file, 'utf8')
      const body = source.slice(source.search(new RegExp(`^(export )?class ${hop.owner}\\b`, 'm')))
      expect(body).toMatch(new RegExp(`^  (/\\*\\* @internal \\*/ )?(override )?${hop.method}\\(`, 'm'))
    },
  )

  it('is the one that it takes', async () => {
    const { near, far } = await connectedPair()
    await quiet()
    const calls: string[] = []
    const names = await watched(hops, calls)
    near.write('x')
    expect(String(await readBytes(far, 1))).toBe('x')
    vi.restoreAllMocks()
    // A reader asks before anything has come, and acks take a part of the way.
    let at = 0
    const passed = names.filter((name) => {
      const next = calls.indexOf(name, at)
      if (next >= 0) at = next + 1
      return next >= 0
    })
    expect(passed).toEqual(names)
  })
})
