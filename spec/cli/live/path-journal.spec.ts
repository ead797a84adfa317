// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { changeLine } from '../../../lib/cli/live/change-text.js'
import type { Change, SeenPath } from '../../../lib/cli/live/path-journal.js'
import { CAUSE_MS, PathJournal, REMIND_MS, SILENCE_MS } from '../../../lib/cli/live/path-journal.js'

function path(label: string, state: SeenPath['state'], isPaused = false): SeenPath {
  return { label, state, isPaused, rttMs: 20 }
}

function texts(changes: readonly Change[]): string[] {
  return changes.map((change) => changeLine(change, { from: '10.64.3.7', to: 'gw:7001' }).message)
}

/** A journal of two paths, both up, at time 0. */
function journal(): PathJournal {
  const made = new PathJournal()
  made.look([path('wifi', 'up'), path('lte', 'up')], 0)
  return made
}

describe('the journal of paths', () => {
  it('tells of each path once it is up', () => {
    const made = new PathJournal()
    expect(texts(made.look([path('wifi', 'up'), path('lte', 'down')], 0))).toEqual([
      '1 of 2 paths up; wifi (10.64.3.7 → gw:7001) up',
    ])
    expect(texts(made.look([path('wifi', 'up'), path('lte', 'up')], 50))).toEqual([
      '2 of 2 paths up; lte (10.64.3.7 → gw:7001) up',
    ])
  })

  it('tells at once of a path that never came up, and of the next attempt', () => {
    const made = new PathJournal()
    made.look([path('wifi', 'up'), path('lte', 'down')], 0)
    expect(texts(made.because('lte', 'connection refused', 4000, 10))).toEqual([
      '1 of 2 paths up; lte (10.64.3.7 → gw:7001) down: connection refused, next attempt in 4 s',
    ])
  })

  it('tells of a silence that lasts, and of its end', () => {
    const made = journal()
    expect(made.look([path('wifi', 'up'), path('lte', 'suspect')], 100)).toEqual([])
    expect(made.dueAt).toBe(100 + SILENCE_MS)
    expect(texts(made.tick(1100))).toEqual(['1 of 2 paths up; lte (10.64.3.7 → gw:7001) down: no answer'])
    expect(texts(made.look([path('wifi', 'up'), path('lte', 'up')], 11_300))).toEqual([
      '2 of 2 paths up; lte (10.64.3.7 → gw:7001) recovered after 11.2 s: no answer',
    ])
  })

  it('says nothing of a silence that ends by itself', () => {
    const made = journal()
    made.look([path('wifi', 'up'), path('lte', 'suspect')], 100)
    expect(made.look([path('wifi', 'up'), path('lte', 'up')], 100 + SILENCE_MS - 1)).toEqual([])
    expect(made.dueAt).toBe(Infinity)
  })

  it('waits for the cause of a loss, which the next attempt names', () => {
    const made = journal()
    expect(made.look([path('wifi', 'up'), path('lte', 'down')], 100)).toEqual([])
    expect(made.because('lte', 'connection reset', undefined, 100)).toEqual([])
    expect(made.dueAt).toBe(100 + CAUSE_MS)
    expect(texts(made.because('lte', 'connection refused', 200, 150))).toEqual([
      '1 of 2 paths up; lte (10.64.3.7 → gw:7001) down: connection refused, next attempt in 0.2 s',
    ])
    expect(made.dueAt).toBe(Infinity)
  })

  it('tells of a loss that was over before it was told', () => {
    const made = journal()
    made.look([path('wifi', 'up'), path('lte', 'down')], 100)
    made.because('lte', 'connection reset', undefined, 100)
    expect(texts(made.look([path('wifi', 'up'), path('lte', 'up')], 200))).toEqual([
      '2 of 2 paths up; lte (10.64.3.7 → gw:7001) recovered after 0.1 s: connection reset',
    ])
  })

  it('tells of a failure that goes on for the same reason rarely, and of a new reason at once', () => {
    const made = journal()
    made.look([path('wifi', 'up'), path('lte', 'down')], 0)
    made.because('lte', 'connection refused', 200, 0)
    for (let at = 5000; at < REMIND_MS; at += 5000)
      expect(made.because('lte', 'connection refused', 5000, at)).toEqual([])
    expect(made.because('lte', 'host unreachable', 5000, REMIND_MS - 1)).toHaveLength(1)
    expect(made.because('lte', 'host unreachable', 5000, 2 * REMIND_MS)).toHaveLength(1)
  })

  it('tells when the last path goes down, and for how long the session was suspended', () => {
    const made = journal()
    made.look([path('wifi', 'up'), path('lte', 'suspect')], 0)
    made.tick(1000)
    expect(made.suspendedAt).toBeUndefined()
    made.look([path('wifi', 'suspect'), path('lte', 'suspect')], 2000)
    expect(texts(made.tick(3000)).at(-1)).toBe('suspended: no path is up')
    expect(made.suspendedAt).toBe(2000)
    expect(texts(made.look([path('wifi', 'suspect'), path('lte', 'up')], 4500))).toEqual([
      '1 of 2 paths up; lte (10.64.3.7 → gw:7001) recovered after 4.5 s: no answer',
      'resumed after 2.5 s',
    ])
  })

  it('is not suspended before the first path has come up', () => {
    const made = new PathJournal()
    made.look([path('wifi', 'probing'), path('lte', 'down')], 0)
    expect(texts(made.because('lte', 'connection refused', 4000, 10))).toEqual([
      '0 of 2 paths up; lte (10.64.3.7 → gw:7001) down: connection refused, next attempt in 4 s',
    ])
    expect(made.suspendedAt).toBeUndefined()
    expect(texts(made.look([path('wifi', 'up'), path('lte', 'down')], 20))).toEqual([
      '1 of 2 paths up; wifi (10.64.3.7 → gw:7001) up',
    ])
  })

  it('tells of a pause and its end', () => {
    const made = journal()
    const wifi = path('wifi', 'up')
    expect(texts(made.look([wifi, path('lte', 'up', true)], 10))).toEqual([
      '1 of 2 paths up; lte (10.64.3.7 → gw:7001) paused',
    ])
    expect(texts(made.look([wifi, path('lte', 'up')], 20))).toEqual([
      '2 of 2 paths up; lte (10.64.3.7 → gw:7001) resumed',
    ])
  })

  it('forgets paths that are gone for good, however many there were', () => {
    const made = new PathJournal()
    for (let n = 0; n < 10_000; n++) {
      made.look([path(`client ${n}`, 'up')], n)
      made.look([], n)
    }
    expect(made.look([path('last', 'up')], 10_000)[0]).toMatchObject({ upCount: 1, count: 65 })
  })

  it('does not count a path that was removed', () => {
    const made = journal()
    expect(texts(made.remove('lte'))).toEqual(['1 of 1 path up; lte (10.64.3.7 → gw:7001) removed'])
  })
})
