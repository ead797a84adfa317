// SPDX-License-Identifier: Apache-2.0
/** Both sides count the same frames and bytes, path by path, and print them in the same columns. */
import { describe, expect, it, vi } from 'vitest'
import type { PathCounters } from './support/peer-protocol.js'
import { receive, send } from './support/node-side.js'
import { openPair, portsFor, type Pair } from './support/pair.js'
import { mixedSizes } from './support/seeded-data.js'
import { CASES, describeWithGo } from './support/with-go.js'

const BYTES = 4 * 1_048_576
const SEED = 17
const SIZES = mixedSizes(SEED, 64, 1, 200_000)

/** The columns of the module's FormatStats: dialer.go. */
const LINE =
  /^(?<label>\S+) {2}S: (?<successes>[ \d]{4,})\((?<inARow>[ \d]{3,})\) {2}F: (?<failures>[ \d]{4,}) {2}RTT: (?<rtt>[ \d]{6,})ms {2}SENT: (?<sent>[ \d]{7,})\/(?<sentBytes>.{7,}?) {2}RECV: (?<recv>[ \d]{7,})\/(?<recvBytes>.{7,}?) {2}RT: (?<again>[ \d]{7,})\/(?<againBytes>.{7,})$/

const UNITS: Readonly<Record<string, number>> = { B: 1, kB: 1e3, MB: 1e6 }

/** A number of bytes as FormatStats prints it: two digits at least, in powers of 1,000. */
function expectPrinted(text: string | undefined, bytes: number): void {
  const [, number, unit] = /^ *([\d.]+) (\w+)$/.exec(text ?? '') ?? []
  const printed = Number(number) * (UNITS[unit ?? ''] ?? NaN)
  expect(Math.abs(printed - bytes)).toBeLessThanOrEqual(bytes * 0.05)
}

type Counted = Pick<PathCounters, 'framesSent' | 'bytesSent' | 'framesRecv' | 'bytesRecv'>

/** Sums of the counters of each port: several paths may lead to one. What was sent includes what was sent again. */
function byPort(counters: ReadonlyArray<Omit<PathCounters, 'label'>>, ports: number): Counted[] {
  return Array.from({ length: ports }, (_, port) => {
    const here = counters.filter((_path, i) => i % ports === port)
    const sum = (...names: ReadonlyArray<keyof Omit<PathCounters, 'label'>>): number =>
      here.reduce((total, path) => names.reduce((more, name) => more + path[name], total), 0)
    return {
      framesSent: sum('framesSent', 'framesRetransmit'),
      bytesSent: sum('bytesSent', 'bytesRetransmit'),
      framesRecv: sum('framesRecv'),
      bytesRecv: sum('bytesRecv'),
    }
  })
}

const mirrored = ({ framesSent, bytesSent, framesRecv, bytesRecv }: Counted): Counted => ({
  framesSent: framesRecv,
  bytesSent: bytesRecv,
  framesRecv: framesSent,
  bytesRecv: bytesSent,
})

async function exchange(pair: Pair): Promise<void> {
  const some = { bytes: BYTES, seed: SEED }
  await Promise.all([
    send(pair.node, { ...some, sizes: SIZES }),
    pair.go.receive(some),
    pair.go.send({ ...some, sizes: SIZES }),
    receive(pair.node, some),
  ])
  await pair.node.flushed()
}

const goCounters = async (pair: Pair): Promise<PathCounters[]> =>
  pair.goListener ? pair.goListener.stats() : (await pair.goDialer!.stats()).paths

describeWithGo('Counters', (go) => {
  describe.each(CASES)('over $paths path(s), $dials dialling $listens', ({ dials, paths }) => {
    it('are the same on both sides of each path', async () => {
      // Acks that a busy machine delays would have frames sent twice.
      const connOptions = { hedgePercent: 0 }
      await using pair = await openPair(go(), { dials, paths, connOptions })
      await exchange(pair)
      const ports = portsFor(paths)
      // Go counts after the fact: a frame that Node has acked may not be in its numbers yet.
      await vi.waitFor(async () => {
        const atNode = byPort(pair.trackers, ports)
        expect(byPort(await goCounters(pair), ports).map(mirrored)).toEqual(atNode)
      })
      const total = byPort(pair.trackers, 1)[0]!
      expect(total.bytesSent).toBe(BYTES)
      expect(total.bytesRecv).toBeGreaterThanOrEqual(BYTES)
    })
  })

  describe.each([{ paths: 1 }, { paths: 3 }])('over $paths path(s), Node dialling Go', ({ paths }) => {
    it('are printed by Node in the columns of Go, with the numbers that Go counts', async () => {
      await using pair = await openPair(go(), { dials: 'Node', paths })
      await exchange(pair)
      await vi.waitFor(async () => {
        const atGo = await pair.goListener!.stats()
        const lines = pair.nodeDialer!.formatStats().map((line) => LINE.exec(line)?.groups)
        expect(lines.map((line) => line?.['label']).sort()).toEqual(atGo.map((_, i) => `path-${i}`))
        for (const line of lines) {
          const port = atGo[Number(line?.['label']?.replace('path-', ''))]!
          expect(Number(line?.['sent']) + Number(line?.['again'])).toBe(port.framesRecv)
          expect(Number(line?.['recv'])).toBe(port.framesSent + port.framesRetransmit)
          expect(line).toMatchObject({ successes: '   1', inARow: '  1', failures: '   0' })
          expectPrinted(line?.['sentBytes'], port.bytesRecv)
          expectPrinted(line?.['recvBytes'], port.bytesSent + port.bytesRetransmit)
        }
      })
    })
  })

  it('are printed by Go in the columns that the specs of Node expect', async () => {
    await using pair = await openPair(go(), { dials: 'Go', paths: 3 })
    await exchange(pair)
    const { formatStats, paths } = await pair.goDialer!.stats()
    expect(formatStats).toHaveLength(3)
    for (const line of formatStats) {
      const groups = LINE.exec(line)?.groups
      const path = paths.find(({ label }) => label === groups?.['label'])!
      expect(Number(groups?.['sent'])).toBe(path.framesSent)
      expectPrinted(groups?.['sentBytes'], path.bytesSent)
      expectPrinted(groups?.['recvBytes'], path.bytesRecv)
    }
  })
})
