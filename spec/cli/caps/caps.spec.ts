// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventEmitter } from 'node:events'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Cap } from '../../../lib/cli/caps/cap-book.js'
import { CapCount } from '../../../lib/cli/caps/cap-book.js'
import { readCaps, writeCaps } from '../../../lib/cli/caps/cap-file.js'
import { CapKeeper } from '../../../lib/cli/caps/cap-keeper.js'
import type { MultipathConn, MultipathDialer } from '../../../lib/index.js'

const FOLDER = mkdtempSync(join(tmpdir(), 'multipath-caps-'))
afterAll(() => {
  rmSync(FOLDER, { recursive: true })
})

const NOVEMBER = new Date(2026, 10, 29)
const DECEMBER = new Date(2026, 11, 1)
const CAP = { limitBytes: 1000, period: 'month', account: 'lte' } as const

describe('a cap of a month', () => {
  it('counts on where the last run has ended', () => {
    const count = new CapCount(CAP, { period: '2026-11', bytes: 400 }, NOVEMBER)
    expect(count.maxBytesOf('lte')).toBe(600)
    count.count('lte', 150, NOVEMBER)
    expect(count.maxBytesOf('lte')).toBe(600)
    expect(count.spent).toEqual({ period: '2026-11', bytes: 550 })
  })

  it('begins again with the next month, also while the command runs', () => {
    expect(new CapCount(CAP, { period: '2026-10', bytes: 999 }, NOVEMBER).maxBytesOf('lte')).toBe(1000)
    const count = new CapCount(CAP, { period: '2026-11', bytes: 900 }, NOVEMBER)
    count.count('lte', 100, NOVEMBER)
    expect(count.maxBytesOf('lte')).toBe(100)
    count.count('lte', 100, DECEMBER)
    expect(count.maxBytesOf('lte')).toBe(1100)
    count.count('lte', 130, DECEMBER)
    expect(count.spent).toEqual({ period: '2026-12', bytes: 30 })
  })

  it('of a day begins again at midnight', () => {
    const count = new CapCount({ ...CAP, period: 'day' }, { period: '2026-11-29', bytes: 1000 }, NOVEMBER)
    expect(count.maxBytesOf('lte')).toBe(0)
    count.count('lte', 0, new Date(2026, 10, 30))
    expect(count.maxBytesOf('lte')).toBe(1000)
  })

  it('is shared by the paths of an interface, whose addresses come and go', () => {
    const count = new CapCount(CAP, undefined, NOVEMBER)
    count.count('10.0.0.1', 300, NOVEMBER)
    count.count('10.0.0.2', 100, NOVEMBER)
    expect(['10.0.0.1', '10.0.0.2'].map((label) => count.maxBytesOf(label, 2))).toEqual([600, 400])
    // The first was removed, and is back: its own count begins anew.
    count.count('10.0.0.1', 0, NOVEMBER)
    count.count('10.0.0.1', 50, NOVEMBER)
    expect(count.spent.bytes).toBe(450)
    expect(count.maxBytesOf('10.0.0.1')).toBe(600)
  })

  it('goes on where a clock was in the past at boot', () => {
    const count = new CapCount(CAP, { period: '2026-11', bytes: 900 }, new Date(2026, 4, 1))
    count.count('lte', 50, new Date(2026, 4, 1))
    count.count('lte', 80, NOVEMBER)
    expect(count.spent).toEqual({ period: '2026-11', bytes: 980 })
  })

  it('counts what other commands have spent meanwhile', () => {
    const count = new CapCount(CAP, { period: '2026-11', bytes: 100 }, NOVEMBER)
    count.count('lte', 50, NOVEMBER)
    expect(count.save({ period: '2026-11', bytes: 100 }).bytes).toBe(150)
    expect(count.save({ period: '2026-11', bytes: 450 }).bytes).toBe(450)
    expect(count.maxBytesOf('lte')).toBe(600)
    expect(count.save({ period: '2026-10', bytes: 5000 }).bytes).toBe(450)
  })
})

describe('the file of caps', () => {
  const path = join(FOLDER, 'state', 'caps.json')

  it('keeps what other commands have written', () => {
    expect(readCaps(path)).toEqual({})
    writeCaps(path, () => ({ lte: { period: '2026-11', bytes: 5 } }))
    writeCaps(path, () => ({ dsl: { period: '2026-11', bytes: 7 } }))
    expect(Object.keys(readCaps(path))).toEqual(['lte', 'dsl'])
    expect(readFileSync(path, 'utf8').endsWith('\n')).toBe(true)
  })

  it('is refused where it holds something else: nothing that was spent is forgotten', () => {
    const other = join(FOLDER, 'other.json')
    for (const text of ['{}', '{"paths":{"lte":{"bytes":-1,"period":"x"}}}', 'x']) {
      writeFileSync(other, text)
      expect(() => readCaps(other)).toThrow()
    }
  })
})

describe('the keeper of caps', () => {
  beforeEach(() => void vi.useFakeTimers({ now: NOVEMBER }))
  afterEach(() => void vi.useRealTimers())

  /** A dialer and a connection whose paths the spec changes. */
  function scene(name: string) {
    const file = join(FOLDER, name, 'caps.json')
    const paths: { label: string; spentBytes: number; maxBytes: number }[] = []
    const setPathPolicy = vi.fn((label: string, { maxBytes }: { maxBytes: number }) => {
      for (const path of paths) if (path.label === label) path.maxBytes = maxBytes
    })
    const dialer = { stats: () => paths, setPathPolicy } as unknown as MultipathDialer
    const conn = Object.assign(new EventEmitter(), { paths: () => paths }) as unknown as MultipathConn
    const capOf = (label: string): Cap | undefined => (label.startsWith('lte') ? CAP : undefined)
    const keep = (): CapKeeper => new CapKeeper({ file, dialer, capOf, warn: () => {} })
    return { paths, conn, keep, file }
  }

  it('finds paths that come later, and shares among them what is left', () => {
    const { paths, conn, keep, file } = scene('later')
    keep().follow(conn)
    paths.push({ label: 'lte 10.0.0.1', spentBytes: 0, maxBytes: 1000 })
    vi.advanceTimersByTime(1000)
    paths[0]!.spentBytes = 400
    paths.push({ label: 'lte 10.0.0.2', spentBytes: 0, maxBytes: 1000 })
    vi.advanceTimersByTime(1000)
    expect(paths.map(({ maxBytes }) => maxBytes)).toEqual([700, 300])
    conn.emit('close')
    expect(readCaps(file)).toEqual({ lte: { period: '2026-11', bytes: 400 } })
  })

  it('counts once what has two rows while an old subflow still lives, and goes on with a new path', () => {
    const { paths, conn, keep } = scene('twice')
    paths.push({ label: 'lte', spentBytes: 600, maxBytes: 1000 })
    keep().follow(conn)
    paths.push({ label: 'lte', spentBytes: 0, maxBytes: 1000 })
    vi.advanceTimersByTime(5000)
    paths.shift()
    vi.advanceTimersByTime(1000)
    expect(paths[0]!.maxBytes).toBe(400)
  })

  it('leaves a cap alone that somebody has set meanwhile', () => {
    const { paths, conn, keep } = scene('set')
    paths.push({ label: 'lte', spentBytes: 0, maxBytes: 1000 })
    keep().follow(conn)
    paths[0]!.maxBytes = 50
    paths[0]!.spentBytes = 40
    vi.advanceTimersByTime(5000)
    expect(paths[0]!.maxBytes).toBe(50)
  })
})
