// SPDX-License-Identifier: Apache-2.0
/** What watches a command keeps nothing that grows: a day of states, and 10,000 streams that come and go, in virtual time. */
import { describe, expect, it } from 'vitest'
import { CtlConnection } from '../../../lib/cli/ctl/ctl-connection.js'
import { OpenStreams } from '../../../lib/cli/live/open-streams.js'
import { PathJournal } from '../../../lib/cli/live/path-journal.js'
import { PathTotals } from '../../../lib/cli/live/path-totals.js'
import { Registry } from '../../../lib/cli/live/registry.js'
import type { Status } from '../../../lib/cli/live/status.js'
import { statusOf } from '../../../lib/cli/live/status.js'
import { prometheusText } from '../../../lib/cli/metrics/prometheus.js'
import { History } from '../../../lib/cli/monitor/history.js'
import { rowsOf, screen } from '../../../lib/cli/monitor/screen.js'
import { Log } from '../../../lib/cli/streams/log.js'
import type { SubflowStats } from '../../../lib/index.js'
import { FakeCliIo } from '../../support/fake-cli-io.js'
import { FakeSocket, statusWith } from '../../support/watched.js'

const HOUR_MS = 3_600_000
const UPDATE_MS = 250
const STREAMS = 10_000

function usedBytes(): number {
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc')
  globalThis.gc()
  return process.memoryUsage().heapUsed
}

/** What the heap has grown by from the first hour to the last of a day of updates. */
function growth(update: (now: number) => void): number {
  let before = 0
  for (let now = 0; now < 24 * HOUR_MS; now += UPDATE_MS) {
    if (now === HOUR_MS) before = usedBytes()
    update(now)
  }
  return usedBytes() - before
}

describe('a day of watching', () => {
  it('leaves the monitor as it was: rates, sparklines and the screen', () => {
    const history = new History()
    const style = { hasColor: true, hasUnicode: true }
    const view = { history, style, columns: 120, rows: 40, selected: 0, isHelp: false, note: '' } as const
    let lines: readonly string[] = []
    const grown = growth((now) => {
      // Every hour the session is another one, with other paths.
      const status = statusWith(`s${Math.floor(now / HOUR_MS)}`, now * 1000)
      history.take(status, now)
      if (now % 10_000 === 0) lines = screen({ ...view, status, sortBy: 'rate' })
    })
    expect(grown).toBeLessThan(500_000)
    expect(lines).toHaveLength(40)
    expect(rowsOf({ status: statusWith('s23', 0), history, sortBy: 'rate' })).toHaveLength(3)
    expect(history.secondsOf('s23', 'path 0')).toHaveLength(60)
  })

  it('leaves the totals of a session as they were, although every dial has another label', () => {
    const totals = new PathTotals()
    const grown = growth((now) => {
      const id = now / UPDATE_MS
      const carried = { sentBytes: 10, receivedBytes: 5, retransmittedBytes: 1 }
      totals.sample([{ id, label: `attempt ${id}`, ...carried } as SubflowStats])
    })
    expect(grown).toBeLessThan(500_000)
  })

  it('leaves the journal of a connection as it was, although paths come and go', () => {
    const journal = new PathJournal()
    const grown = growth((now) => {
      if (now % 1000 !== 0) return
      const label = `path ${now}`
      journal.look([{ label, state: 'up', isPaused: false, rttMs: 10 }], now)
      journal.tick(now)
    })
    expect(grown).toBeLessThan(500_000)
  })

  it('leaves those who follow events as they were, and cuts off one who does not read', () => {
    const followers = new Set<(line: string) => void>()
    const subscribe = (tell: (line: string) => void): (() => void) => {
      followers.add(tell)
      return () => void followers.delete(tell)
    }
    const [reader, sleeper] = [new FakeSocket(), new FakeSocket()]
    for (const socket of [reader, sleeper]) {
      new CtlConnection(socket as never, { log: { subscribe } } as never)
      socket.emit('data', '{"cmd":"events"}\n')
    }
    sleeper.isRead = false
    const line = 'x'.repeat(200)
    const grown = growth(() => {
      for (const tell of followers) tell(line)
    })
    expect(grown).toBeLessThan(500_000)
    expect([reader.destroyed, sleeper.destroyed, followers.size]).toEqual([false, true, 1])
    expect(sleeper.writableLength).toBeLessThan(1_048_576 + 1000)
  })
})

describe('10,000 streams', () => {
  it('are counted, 200 of them are listed, and none is kept once it has ended', () => {
    const streams = new OpenStreams()
    const registry = new Registry()
    const log = new Log(new FakeCliIo(), { isJson: false, isVerbose: false })
    const controlled = {
      command: 'forward',
      name: 'forward-1',
      startedAt: 0,
      stop: () => {},
      log,
      parts: [{ registry, streams }],
    }
    const round = (): Status => {
      const ends = Array.from({ length: STREAMS }, (_, n) =>
        streams.add(`target-${n}:80`, { bytesRead: n, bytesWritten: 2 * n }),
      )
      const status = statusOf(controlled)
      for (const end of ends) end()
      return status
    }
    const status = round()
    expect([status.streamCount, status.streams.length]).toEqual([STREAMS, 200])
    expect(JSON.stringify(status).length).toBeLessThan(50_000)
    expect(prometheusText(status)).toContain(`multipath_streams ${STREAMS}\n`)
    const before = usedBytes()
    for (let n = 0; n < 20; n++) round()
    expect(usedBytes() - before).toBeLessThan(1_000_000)
    expect(statusOf(controlled).streamCount).toBe(0)
  })
})
