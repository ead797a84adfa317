// SPDX-License-Identifier: Apache-2.0
/** Measurements of a real connection, in this process. */
import { describe, expect, it } from 'vitest'
import { askPeer } from '../../../lib/cli/measure/ask-peer.js'
import type { Direction } from '../../../lib/cli/measure/figures.js'
import type { Measured, MeasureOptions, Subject } from '../../../lib/cli/measure/measure.js'
import { closeSubject, measure, partsOf } from '../../../lib/cli/measure/measure.js'
import { isTimeOver, onlyPath } from '../../../lib/cli/measure/sampling.js'
import { MAX_MEASUREMENTS, MeasureServer } from '../../../lib/cli/measure/serve-measure.js'
import { serveMeasured, wantsMeasuring } from '../../../lib/cli/measure/serve-measured.js'
import type { MultipathConn, SubflowView } from '../../../lib/index.js'
import { connectedPair } from '../../support/pair.js'

const MIB = 1_048_576
const ALL: readonly Direction[] = ['download', 'upload', 'both']

type Serve = (conn: MultipathConn) => unknown

/** Each part ends by its bytes. */
const OPTIONS: Omit<MeasureOptions, 'openAlone'> = {
  forMs: 60_000,
  maxBytes: MIB,
  stallMs: 20_000,
  alone: ALL,
  together: ALL,
}

/** A connection over `paths`, whose peer was asked what it can do. */
async function opened(
  paths: number,
  serve: Serve,
): Promise<Subject & { far: MultipathConn; labels: string[] }> {
  const { near, far } = await connectedPair({
    paths,
    dialer: { allowHalfOpen: true },
    listener: { allowHalfOpen: true, maxUnreadBytes: 128 * 1024 },
  })
  far.on('error', () => {})
  near.on('error', () => {})
  serve(far)
  const labels = near.subflows().map(({ label }) => label)
  return { conn: near, far, labels, ...(await askPeer(near, undefined)) }
}

async function measured(
  paths: number,
  serve: Serve,
  options: Partial<MeasureOptions> = {},
): Promise<Measured & { role: string; parts: string[]; bytesRead: number }> {
  const subject = await opened(paths, serve)
  const parts: string[] = []
  const figures = await measure(subject, subject.labels, {
    ...OPTIONS,
    openAlone: () => opened(1, serve),
    onPart: (label, direction) => parts.push(`${label === undefined ? 'all' : 'one'} ${direction}`),
    ...options,
  })
  return { ...figures, role: subject.role, parts, bytesRead: subject.far.bytesRead }
}

const measures: Serve = (conn) => serveMeasured(conn, new MeasureServer(), undefined)
const sends: Serve = (conn) => {
  const timer = setInterval(
    () => conn.destroyed || conn.writableNeedDrain || conn.write(Buffer.alloc(65_536)),
    1,
  )
  conn.resume().once('close', () => clearInterval(timer))
}

describe('measure', () => {
  it('takes each direction by itself, and both, of a peer that knows how', async () => {
    const { role, parts, alone, together, endedBy } = await measured(2, measures)
    expect(role).toBe('measures')
    expect(parts).toEqual([
      ...['one download', 'one upload', 'one both', 'one download', 'one upload', 'one both'],
      ...['all download', 'all upload', 'all both'],
    ])
    expect(parts).toHaveLength(partsOf('measures', 2, OPTIONS))
    expect(endedBy).toBeUndefined()
    const deliveries = [...alone.values(), together!]
    expect(deliveries).toHaveLength(3)
    for (const { oneWay, bothWays } of deliveries) {
      expect(oneWay.downBytesPerSecond).toBeGreaterThan(0)
      expect(oneWay.upBytesPerSecond).toBeGreaterThan(0)
      expect(bothWays?.downBytesPerSecond).toBeGreaterThan(0)
      expect(bothWays?.upBytesPerSecond).toBeGreaterThan(0)
    }
  })

  it('takes what a peer sends that sends all the time, and then sends as well', async () => {
    const { role, parts, together } = await measured(2, sends)
    expect([role, ...parts]).toEqual([
      ...['sends', 'one download', 'one both', 'one download', 'one both', 'all download', 'all both'],
    ])
    expect(together?.oneWay).toEqual({
      downBytesPerSecond: expect.any(Number) as unknown,
      upBytesPerSecond: undefined,
    })
  })

  it('uploads to a peer that only reads: each path alone on the connection that there is', async () => {
    const { role, parts, alone, bytesRead } = await measured(2, (conn) => conn.resume())
    expect([role, ...parts]).toEqual(['reads', 'one upload', 'one upload', 'all upload'])
    expect([...alone.values()].map(({ oneWay }) => oneWay.upBytesPerSecond! > 0)).toEqual([true, true])
    expect(bytesRead).toBe(3 * MIB + 42)
  })

  it('takes both ways of an echo', async () => {
    const { role, parts, alone, endedBy } = await measured(1, (conn) => conn.pipe(conn), {
      maxBytes: 12 * MIB,
    })
    expect([role, ...parts, endedBy]).toEqual(['echoes', 'one both', undefined])
    expect([...alone.values()][0]!.bothWays?.downBytesPerSecond).toBeGreaterThan(0)
  })

  it('measures a single path once, on the connection that there is', async () => {
    const { parts, alone, together } = await measured(1, measures, {
      openAlone: () => Promise.reject(Error()),
    })
    expect(parts).toEqual(['one download', 'one upload', 'one both'])
    expect([alone.size, together]).toEqual([1, undefined])
  })

  it('ends a part when its time is over', async () => {
    const { endedBy, together } = await measured(2, measures, {
      ...{ forMs: 100, maxBytes: 1e12, alone: [] },
    })
    expect(endedBy).toBeUndefined()
    expect(together?.oneWay.downBytesPerSecond).toBeGreaterThan(0)
  })

  it('goes on where a path alone cannot be opened, and tells why', async () => {
    const { unopened, together, endedBy } = await measured(2, measures, {
      openAlone: () => Promise.reject(new Error('serves only one')),
    })
    expect([...unopened.values()]).toEqual(['serves only one', 'serves only one'])
    expect([together === undefined, endedBy]).toEqual([false, undefined])
  })

  it('says of a peer that takes nothing in that it stopped reading', async () => {
    const { alone, together, endedBy } = await measured(2, () => {}, {
      ...{ forMs: 300, maxBytes: 64 * MIB, stallMs: 300 },
    })
    expect([alone.size, together, endedBy]).toEqual([0, undefined, 'stopped-reading'])
  })

  it('says of a peer that goes that the connection was lost', async () => {
    const { endedBy, error } = await measured(
      2,
      (conn) => {
        conn.once('data', () => conn.once('data', () => conn.resetAndDestroy()))
      },
      { maxBytes: 1e12 },
    )
    expect([endedBy, error]).toEqual(['lost', expect.stringMatching(/./)])
  })

  it('says of a peer that allows no measurements that it refused', async () => {
    const { endedBy, error } = await measured(1, (conn) =>
      serveMeasured(conn, new MeasureServer(false), undefined),
    )
    expect([endedBy, error]).toEqual(['refused', 'the other end does not allow measurements'])
  })

  it('is refused where as many measurements are under way as there may be', async () => {
    const server = new MeasureServer()
    const serve: Serve = (conn) => serveMeasured(conn, server, undefined)
    const options = {
      ...OPTIONS,
      ...{ alone: ['download'] as const, forMs: 1000, maxBytes: 1e12 },
      openAlone: () => Promise.reject(new Error()),
    }
    const subjects = await Promise.all(Array.from({ length: MAX_MEASUREMENTS + 1 }, () => opened(1, serve)))
    const all = await Promise.all(subjects.map((subject) => measure(subject, subject.labels, options)))
    const refused = all.filter(({ endedBy }) => endedBy === 'refused')
    expect(refused.map(({ error }) => error)).toEqual(['the other end is busy with other measurements'])
    // What was taken for them is free again.
    const again = await opened(1, serve)
    expect((await measure(again, again.labels, options)).endedBy).toBeUndefined()
  })

  it('ends the connection in order', async () => {
    const subject = await opened(1, measures)
    await closeSubject(subject)
    expect([subject.conn.errored, subject.far.errored]).toEqual([null, null])
  })
})

describe('isTimeOver', () => {
  const over = (direction: Direction, atMs: number, downBytes: number, upBytes: number): boolean =>
    isTimeOver({ atMs, downBytes, upBytes, rttMs: {} }, { direction, forMs: 500, stallMs: 5000 })

  it('waits for the time, whatever has come', () => {
    expect([over('both', 499, 9, 9), over('both', 500, 9, 9)]).toEqual([false, true])
  })

  it('waits longer for the first bytes of each direction that is measured', () => {
    expect([over('download', 500, 0, 9), over('download', 501, 1, 0)]).toEqual([false, true])
    expect([over('upload', 500, 9, 0), over('upload', 501, 0, 1)]).toEqual([false, true])
    expect([over('both', 500, 9, 0), over('both', 501, 0, 9), over('both', 502, 1, 1)]).toEqual([
      ...[false, false, true],
    ])
  })

  it('waits no longer than for a peer that has stalled', () => {
    expect([over('both', 4999, 0, 0), over('both', 5000, 0, 0)]).toEqual([false, true])
  })
})

describe('wantsMeasuring', () => {
  it('tells who greets from who sends, and leaves what came', async () => {
    const { near, far } = await connectedPair()
    near.write('zeros, say, more than a greeting has, so that it is told at once')
    expect(await wantsMeasuring(far, 10_000)).toBe(false)
    expect(String(far.read())).toMatch(/^zeros/)
  })

  it('waits no longer than it is told for one that sends nothing', async () => {
    const { far } = await connectedPair()
    expect(await wantsMeasuring(far, 20)).toBe(false)
  })
})

describe('onlyPath', () => {
  const view = (label: string): SubflowView => ({
    id: 1,
    label,
    smoothedRttMs: 1,
    rttVarianceMs: 0,
    bytesPerMs: 1,
    isStartup: false,
    inFlightBytes: 0,
    weight: 1,
    served: 0,
  })
  const chosen = (labels: string[], hasRoom: boolean): string | undefined =>
    onlyPath('b').choose({
      subflows: labels.map(view),
      lastId: undefined,
      queuedBytes: 1,
      unackedBytes: 0,
      hasRoom: () => hasRoom,
      arrivalMs: () => 10,
    })?.label

  it('sends on that path, and waits while it has no room or is gone', () => {
    expect(chosen(['a', 'b', 'c'], true)).toBe('b')
    expect(chosen(['a', 'b', 'c'], false)).toBeUndefined()
    expect(chosen(['a', 'c'], true)).toBeUndefined()
  })
})
