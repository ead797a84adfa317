// SPDX-License-Identifier: Apache-2.0
/** What is measured on loopback. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { median, percentile, sum } from '../shared/figures.js'
import { rateIn, receivedOf } from '../shared/timeline.js'
import type { WorkerEvent } from '../shared/worker.js'
import type { Pairing, PairingId } from './pairings.js'
import { type DialSetting, Session } from './session.js'

/** Figures of one run by name, see Case.figures. */
export type Figures = Readonly<Record<string, number>>

export interface Case {
  readonly id: string
  readonly title: string
  /** Names of the figures with their units. */
  readonly figures: Readonly<Record<string, string>>
  /** Pairings that it makes no sense for. */
  readonly without?: readonly PairingId[]
  /** At most so many runs, where one takes long. */
  readonly maxRuns?: number
  run(pairing: Pairing, seconds: number): Promise<Figures>
}

/** As many as let V8's young generation grow to its full size: a quarter of them, and 15 KiB of that would count for each. */
const IDLE_WARM = 1000
const IDLE = 1000
const STREAMS = 2000
const MUX_STREAMS = 1000

/** Gbit/s that the reader got. */
async function bulkRate(pairing: Pairing, paths: number, setting: DialSetting): Promise<number> {
  const { over, mux = false } = setting
  await using session = await Session.start(pairing, {
    paths: pairing.kind === 'plain' ? 1 : paths,
    ...(over !== undefined && { over }),
    mux,
  })
  const dialer = session.dial('bulk', setting)
  const { at: from } = await dialer.event('start')
  const { at: to } = await dialer.event('done')
  // The first quarter warms up compilers and windows.
  const span = { from: from + (to - from) / 4, to }
  const received = receivedOf(await session.listener.ask('report'))
  return sum(received.map((one) => rateIn(one, span))) / 1000
}

function bulk(id: string, title: string, paths: number, size: number, without: readonly PairingId[]): Case {
  const run = async (pairing: Pairing, seconds: number): Promise<Figures> => ({
    rate: await bulkRate(pairing, paths, { size, seconds }),
  })
  return { id, title, figures: { rate: 'Gbit/s' }, without, run }
}

/** Pairings of others know none of what is ours alone. */
const OURS_ALONE: readonly PairingId[] = ['node-go', 'go-node', 'go-go', 'plain']

/** Bulk on 1 path with `setting` ÷ without. */
async function shareOf(pairing: Pairing, seconds: number, setting: DialSetting): Promise<number> {
  const rate = (more: DialSetting): Promise<number> =>
    bulkRate(pairing, 1, { size: 32_768, seconds, ...more })
  // There and back, so that a machine that gets slower or faster treats both alike.
  const before = await rate({})
  const changed = [await rate(setting), await rate(setting)]
  const after = await rate({})
  return sum(changed) / (before + after)
}

const traced: Case = {
  id: 'traced',
  title: 'bulk, 1 path, 32 KiB writes, with a trace ÷ without',
  figures: { share: 'share' },
  without: OURS_ALONE,
  async run(pairing, seconds) {
    const folder = mkdtempSync(join(tmpdir(), 'multipath-bench-'))
    const trace = join(folder, 'trace.jsonl')
    try {
      const share = await shareOf(pairing, seconds, { trace })
      if (!existsSync(trace)) throw new Error('nothing was traced')
      return { share }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

function carried(over: 'tls' | 'ws' | 'wss', name: string): Case {
  return {
    id: over,
    title: `bulk, 1 path, 32 KiB writes, over ${name} ÷ over TCP`,
    figures: { share: 'share' },
    without: OURS_ALONE,
    run: async (pairing, seconds) => ({ share: await shareOf(pairing, seconds, { over }) }),
  }
}

function echoTimes(done: WorkerEvent): number[] {
  return (done.echoes as [number, number][]).map(([, ms]) => ms)
}

const echo: Case = {
  id: 'echo',
  title: 'echo of 100 bytes, 1 path',
  figures: { p50: 'ms', p99: 'ms' },
  async run(pairing, seconds) {
    await using session = await Session.start(pairing, { paths: 1, mode: 'echo' })
    const dialer = session.dial('echo', { size: 100, seconds })
    await dialer.event('start')
    const times = echoTimes(await dialer.event('done'))
    // The first quarter warms up the compilers.
    const warm = times.slice(times.length / 4)
    return { p50: percentile(warm, 50), p99: percentile(warm, 99) }
  },
}

const dials: Case = {
  id: 'dials',
  title: 'connections of 2 subflows, one after another',
  figures: { rate: 'a second' },
  async run(pairing, seconds) {
    await using session = await Session.start(pairing, {
      paths: pairing.kind === 'plain' ? 1 : 2,
      mode: 'dials',
    })
    const done = await session.dial('dials', { seconds }).event('done')
    return { rate: (done.dials as number) / (done.seconds as number) }
  },
}

const idle: Case = {
  id: 'idle',
  title: '1,000 idle connections of 2 subflows, listener',
  figures: { each: 'KiB' },
  maxRuns: 3,
  async run(pairing) {
    await using session = await Session.start(pairing, {
      paths: pairing.kind === 'plain' ? 1 : 2,
      count: IDLE,
    })
    // What the process grows by once, whatever the number of connections, comes before the first reading.
    const before = await session.memoryWith('hold', IDLE_WARM)
    const after = await session.memoryWith('hold', IDLE)
    return { each: (after - before) / IDLE }
  },
}

const many: Case = {
  id: 'many',
  title: `${STREAMS.toLocaleString('en')} connections of 2 subflows streaming at once`,
  figures: { fair: 'slowest ÷ median', rate: 'Gbit/s', dialer: 'MiB, peak', listener: 'MiB, peak' },
  maxRuns: 3,
  async run(pairing, seconds) {
    const paths = pairing.kind === 'plain' ? 1 : 2
    await using session = await Session.start(pairing, { paths, count: STREAMS })
    const dialer = session.dial('many', { count: STREAMS, seconds: Math.max(5, seconds), settle: 1000 })
    const { at: from } = await dialer.event('start', 60_000)
    const { at: to } = await dialer.event('done', 60_000)
    const bytes = receivedOf(await session.listener.ask('report')).map((one) => one.bytes)
    const peaks = await Promise.all([dialer.ask('memory'), session.listener.ask('memory')])
    const [dialerMiB = 0, listenerMiB = 0] = peaks.map((memory) => (memory.peakKb as number) / 1024)
    return {
      fair: bytes.length < STREAMS ? 0 : Math.min(...bytes) / Math.max(1, median(bytes)),
      rate: (sum(bytes) * 8) / 1e6 / (to - from),
      dialer: dialerMiB,
      listener: listenerMiB,
    }
  },
}

const mux: Case = {
  id: 'mux',
  title: 'bulk, 1 path, 32 KiB writes, on a mux stream ÷ on the connection',
  figures: { share: 'share' },
  without: OURS_ALONE,
  run: async (pairing, seconds) => ({ share: await shareOf(pairing, seconds, { mux: true }) }),
}

const muxMany: Case = {
  id: 'mux-many',
  title: `${MUX_STREAMS.toLocaleString('en')} mux streams at once over one connection of 2 subflows`,
  figures: { fair: 'slowest ÷ median', rate: 'Gbit/s' },
  without: OURS_ALONE,
  maxRuns: 3,
  async run(pairing, seconds) {
    await using session = await Session.start(pairing, { paths: 2, count: MUX_STREAMS, mux: true })
    const setting = { count: MUX_STREAMS, seconds: Math.max(5, seconds), settle: 500, mux: true }
    const dialer = session.dial('many', setting)
    const { at: from } = await dialer.event('start', 60_000)
    const { at: to } = await dialer.event('done', 60_000)
    const bytes = receivedOf(await session.listener.ask('report')).map((one) => one.bytes)
    return {
      fair: bytes.length < MUX_STREAMS ? 0 : Math.min(...bytes) / Math.max(1, median(bytes)),
      rate: (sum(bytes) * 8) / 1e6 / (to - from),
    }
  },
}

export const CASES: readonly Case[] = [
  bulk('bulk-1', 'bulk, 1 path, 32 KiB writes', 1, 32_768, []),
  bulk('bulk-3', 'bulk, 3 paths, 32 KiB writes', 3, 32_768, []),
  bulk('bulk-64k', 'bulk, 1 path, 64 KiB writes', 1, 65_536, ['node-go', 'go-node']),
  bulk('bulk-1000', 'bulk, 1 path, 1,000-byte writes', 1, 1000, []),
  traced,
  carried('tls', 'TLS'),
  carried('ws', 'a WebSocket'),
  carried('wss', 'a WebSocket over TLS'),
  mux,
  echo,
  dials,
  idle,
  many,
  muxMany,
]
