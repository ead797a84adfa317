// SPDX-License-Identifier: Apache-2.0
/** docs/trace.md explains every key that a trace has, and no other. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Line } from '../support/traced.js'
import { connected, Lines } from '../support/traced.js'

const PAGE = readFileSync('docs/trace.md', 'utf8')
const MB = 1_000_000

/** What the first column of the table with this head names. */
function keysUnder(head: string): string[] {
  const start = PAGE.indexOf(`| ${head} |\n`)
  expect(start, head).toBeGreaterThan(0)
  const lines = PAGE.slice(start).split('\n\n')[0]!.split('\n').slice(2)
  return lines.map((line) => /^\| `(\w+)` \| \S/.exec(line)![1]!).toSorted()
}

const namesOf = (objects: readonly object[], ...without: readonly string[]): string[] =>
  [...new Set(objects.flatMap((one) => Object.keys(one)))].filter((key) => !without.includes(key)).toSorted()

/** Two connections, one of them cut off, with everything that a trace can tell. */
async function everything(): Promise<Line[]> {
  const lines = new Lines()
  const { clock, links, near, far } = await connected({
    links: [
      { rateMbps: 50, delayMs: 5 },
      { rateMbps: 20, delayMs: 100 },
    ],
    dialer: { trace: lines.write },
    listener: { trace: lines.write },
  })
  await clock.run(500)
  far.resume()
  for (let turn = 0; turn < 20; turn++) {
    near.write(Buffer.alloc(100_000))
    await clock.run(100)
  }
  far.pause()
  near.setScheduler('redundant')
  near.setPathPolicy('link 1', { weight: 2, maxBytes: 100 * MB, maxBytesPerSecond: 10 * MB })
  near.on('error', () => {}).write(Buffer.alloc(3 * MB))
  await clock.run(100)
  links[0]!.cut()
  await clock.run(1000)
  links[1]!.cut()
  await clock.run(1000)
  links[1]!.restore()
  await clock.run(1000)
  near.destroy(new Error('enough'))
  await clock.run(1000)
  return lines.all
}

describe('docs/trace.md', () => {
  it('explains every key of a line, of a sample, of a subflow in it, and of an event', async () => {
    const lines = await everything()
    const samples = lines.filter(({ ev }) => ev === undefined)
    const events = lines.filter(({ ev }) => ev !== undefined)
    expect(keysUnder('key | in every line')).toEqual(['c', 't'])
    for (const line of lines) expect(Object.keys(line).slice(0, 2)).toEqual(['t', 'c'])
    expect(namesOf(samples, 't', 'c')).toEqual(keysUnder('key | in a sample'))
    const subs = samples.flatMap((sample) => (sample['subs'] ?? []) as object[])
    expect(namesOf(subs)).toEqual(keysUnder('key | in each of `subs`'))
    expect(namesOf(events, 't', 'c')).toEqual(keysUnder('key | in an event'))
    expect([...new Set(events.map(({ ev }) => ev!))].toSorted()).toEqual(keysUnder('`ev` | what happened'))
  })
})
