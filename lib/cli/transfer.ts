// SPDX-License-Identifier: Apache-2.0
/** What `nc` tells of a connection: how far it is, on a terminal, and in the end what was transferred. */
import type { CliIo } from './cli-io.js'
import { duration } from './live/change-text.js'
import type { LiveSession } from './live/live-session.js'
import { shortNames } from './live/short-names.js'
import { bytes } from './live/units.js'
import { megabits } from './measure/units.js'
import type { Log } from './streams/log.js'

export interface TransferInit {
  readonly live: LiveSession
  readonly log: Log
  readonly io: CliIo
  /** Of what is sent; `undefined`: not known. */
  readonly sizeBytes: number | undefined
  /** Whether progress is shown, where there is a terminal. */
  readonly isShown: boolean
}

const TICK_MS = 200
/** Rates are those of this time, ticks. */
const WINDOW_TICKS = 10
/** Paths of which less is known are not told: what a subflow carried last is not counted. */
const KNOWN_SHARE = 0.5
const MOST_NAMED = 4

interface Moment {
  readonly at: number
  readonly sent: number
  readonly received: number
}

export class Transfer {
  readonly #init: TransferInit
  readonly #timer: NodeJS.Timeout
  readonly #startedAt = performance.now()
  #moments: Moment[] = []
  #isHidden = false
  /** Bytes acknowledged: a connection forgets it when it closes. */
  #sent = 0
  /** Of a greeting. */
  readonly #sentBefore: number
  readonly #receivedBefore: number

  constructor(init: TransferInit) {
    this.#init = init
    const { conn } = init.live
    this.#sentBefore = conn.bytesWritten
    this.#receivedBefore = conn.bytesRead
    this.#timer = setInterval(this.#tick, TICK_MS)
    for (const event of ['finish', 'end', 'subflow-close'] as const) conn.prependListener(event, this.#sample)
    this.#tick()
  }

  /** What comes in is read on the same terminal. Call once it is piped there: it begins to flow with this. */
  hideOnceReceived(): void {
    this.#init.live.conn.prependOnceListener('data', () => {
      this.#isHidden = true
      this.#init.io.progress?.('')
    })
  }

  /** Says in one line what came of it. @param error - why it is no success: that is told elsewhere, so that only JSON has both */
  end(error?: Error): void {
    clearInterval(this.#timer)
    const { live, log, io } = this.#init
    io.progress?.('')
    this.#sample()
    if (error !== undefined && !log.isJson) return
    const received = this.#received
    const durationMs = performance.now() - this.#startedAt
    const ways = [
      ...(this.#sent > 0 || received === 0 ? [amount('sent', this.#sent, durationMs)] : []),
      ...(received > 0 ? [amount('received', received, durationMs)] : []),
    ]
    const shares = this.#shares()
    log.info('session-end', `${ways.join(', ')} in ${shortTime(durationMs)}${shares && `; ${shares}`}`, {
      ...{ session: live.id, client: live.client, reason: error?.message },
      ...{ durationMs: Math.round(durationMs), receivedBytes: received, sentBytes: this.#sent },
    })
  }

  get #received(): number {
    return this.#init.live.conn.bytesRead - this.#receivedBefore
  }

  readonly #sample = (): void => {
    const { conn, totals } = this.#init.live
    if (conn.destroyed) return
    this.#sent = Math.max(this.#sent, conn.bytesWritten - conn.unflushedBytes - this.#sentBefore)
    totals.sample(conn.subflows())
  }

  readonly #tick = (): void => {
    this.#sample()
    const { io, isShown } = this.#init
    if (!isShown || this.#isHidden || io.progress === undefined) return
    this.#moments.push({ at: performance.now(), sent: this.#sent, received: this.#received })
    this.#moments = this.#moments.slice(-WINDOW_TICKS)
    io.progress(this.#progress())
  }

  /** `sent 12.3 MB of 100 MB (12 %), 48.1 Mbit/s, 15 s left; dsl 60 %, lte 40 %` */
  #progress(): string {
    const { sizeBytes } = this.#init
    const [first, last] = [this.#moments[0]!, this.#moments.at(-1)!]
    const rateOf = (way: 'sent' | 'received'): number =>
      ((last[way] - first[way]) / Math.max(1, last.at - first.at)) * 1000
    const received = this.#received
    const ways: string[] = []
    if (this.#sent > 0 || received === 0) {
      const isKnown = sizeBytes !== undefined && sizeBytes >= this.#sent && sizeBytes > 0
      const of = isKnown ? ` of ${bytes(sizeBytes)} (${Math.floor((100 * this.#sent) / sizeBytes)} %)` : ''
      ways.push(`sent ${bytes(this.#sent)}${of}, ${megabits(rateOf('sent'))}`)
      if (isKnown && rateOf('sent') > 0)
        ways.push(`${duration(((sizeBytes - this.#sent) / rateOf('sent')) * 1000)} left`)
    }
    if (received > 0) ways.push(`received ${bytes(received)}, ${megabits(rateOf('received'))}`)
    const shares = this.#shares()
    return `${ways.join(', ')}${shares && `; ${shares}`}`
  }

  /** What each of several paths has carried, both ways; empty where too little is known. */
  #shares(): string {
    const { totals, watch } = this.#init.live
    const byName = new Map<string, number>()
    for (const { label, carriedBytes } of totals.all()) {
      const name = watch.nameOf(label)
      byName.set(name, (byName.get(name) ?? 0) + carriedBytes)
    }
    const carried = [...byName].filter(([, count]) => count > 0).sort(([, a], [, b]) => b - a)
    const sum = carried.reduce((total, [, count]) => total + count, 0)
    if (carried.length < 2 || sum < KNOWN_SHARE * (this.#sent + this.#received)) return ''
    const names = shortNames(carried.map(([name]) => name))
    const shown = carried
      .slice(0, MOST_NAMED)
      .map(([, count], n) => `${names[n]} ${Math.round((100 * count) / sum)} %`)
    const more = carried.length > MOST_NAMED ? `, and ${carried.length - MOST_NAMED} more` : ''
    return shown.join(', ') + more
  }
}

/** With hundredths where it is short. */
function shortTime(ms: number): string {
  return ms < 1000 ? `${(ms / 1000).toFixed(2)} s` : duration(ms)
}

function amount(verb: string, count: number, ms: number): string {
  return `${verb} ${bytes(count)}${count === 0 ? '' : ` (${megabits((count / Math.max(1, ms)) * 1000)})`}`
}
