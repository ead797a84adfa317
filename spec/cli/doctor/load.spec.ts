// SPDX-License-Identifier: Apache-2.0
/** Uploads to a real listener, in this process. */
import { describe, expect, it } from 'vitest'
import type { LoadFigures, LoadOptions } from '../../../lib/cli/doctor/load.js'
import { measureLoad, partsOf } from '../../../lib/cli/doctor/load.js'
import { onlyPath } from '../../../lib/cli/doctor/upload.js'
import type { MultipathConn, SubflowView } from '../../../lib/index.js'
import { connectedPair } from '../../support/pair.js'

const MIB = 1_048_576
/** Each part ends by its bytes. */
const OPTIONS: LoadOptions = { forMs: 60_000, maxBytes: MIB, stallMs: 20_000, onPart: () => {} }

async function loadOver(
  paths: number,
  serve: (conn: MultipathConn) => unknown,
  options: Partial<LoadOptions> = {},
): Promise<LoadFigures & { bytesRead: number }> {
  const { near, far } = await connectedPair({ paths, listener: { maxUnreadBytes: 128 * 1024 } })
  far.on('error', () => {})
  near.on('error', () => {})
  serve(far)
  const labels = near.subflows().map(({ label }) => label)
  const figures = await measureLoad(near, labels, { ...OPTIONS, ...options })
  return { ...figures, bytesRead: far.bytesRead }
}

describe('measureLoad', () => {
  it('measures each path alone, and then all together', async () => {
    const parts: string[] = []
    const figures = await loadOver(2, (conn) => conn.resume(), { onPart: (what) => parts.push(what) })
    expect(figures.endedBy).toBeUndefined()
    expect([...figures.alone.values()].map(({ bytesPerSecond }) => bytesPerSecond > 0)).toEqual([true, true])
    expect(figures.togetherBytesPerSecond).toBeGreaterThan(0)
    expect(parts).toEqual([...[...figures.alone.keys()].map((label) => `${label} alone`), 'all together'])
    expect(parts).toHaveLength(partsOf(2))
    expect(figures.bytesRead).toBe(3 * MIB)
  })

  it('measures a single path once', async () => {
    const { alone, togetherBytesPerSecond, bytesRead } = await loadOver(1, (conn) => conn.resume())
    expect([alone.size, togetherBytesPerSecond, bytesRead, partsOf(1)]).toEqual([1, undefined, MIB, 1])
  })

  it('takes in what an echo sends back', async () => {
    const { endedBy } = await loadOver(1, (conn) => conn.pipe(conn), { maxBytes: 12 * MIB })
    expect(endedBy).toBeUndefined()
  })

  it('ends a part when its time is over', async () => {
    const { endedBy, bytesRead } = await loadOver(1, (conn) => conn.resume(), { forMs: 100, maxBytes: 1e12 })
    expect(endedBy).toBeUndefined()
    expect(bytesRead).toBeGreaterThan(0)
  })

  it('says of a peer that takes nothing in that it stopped reading', async () => {
    const figures = await loadOver(2, () => {}, { forMs: 300, maxBytes: 64 * MIB, stallMs: 300 })
    expect(figures).toMatchObject({ endedBy: 'stopped-reading', togetherBytesPerSecond: undefined })
    expect(figures.alone.size).toBe(0)
  })

  it('says of a peer that goes that the connection was lost', async () => {
    const { endedBy, error } = await loadOver(2, (conn) => conn.once('data', () => conn.resetAndDestroy()), {
      maxBytes: 1e12,
    })
    expect([endedBy, error]).toEqual(['lost', expect.stringMatching(/./)])
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
    })?.label

  it('sends on that path, and waits while it has no room or is gone', () => {
    expect(chosen(['a', 'b', 'c'], true)).toBe('b')
    expect(chosen(['a', 'b', 'c'], false)).toBeUndefined()
    expect(chosen(['a', 'c'], true)).toBeUndefined()
  })
})
