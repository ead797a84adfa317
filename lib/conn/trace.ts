// SPDX-License-Identifier: Apache-2.0
/**
 * What a connection does, as lines of JSON: each event at once, figures every 20 ms while anything happens.
 * docs/trace.md explains every key.
 */
import type { Clock, Millis } from '../clock.js'
import type { Action } from '../core/action.js'
import type { ConnectionCore } from '../core/connection.js'
import type { Subflow } from '../core/subflow.js'
import type { Metrics } from '../core/metrics.js'
import type { MultipathError } from '../errors.js'
import type { TraceInit, TraceSink } from './trace-sink.js'
import type { SubflowSample } from './trace-subflow.js'
import { SubflowWatch, withoutZeros } from './trace-subflow.js'

/** Rises when a key changes its meaning. */
const VERSION = 1
/** Time between two lines of metrics, milliseconds. */
const SAMPLE_MS = 20

/** Connections of this process that have been traced. */
let connections = 0

/**
 * Never has a timer: figures are written after the first flush that comes 20 ms after those before, and when a
 * pause ends, as of its beginning. Nothing changes in between.
 */
export class TraceWriter {
  readonly #sink: TraceSink
  readonly #side: TraceInit['side']
  readonly #clock: Clock
  readonly #core: ConnectionCore
  readonly #subflows = new Map<Subflow, SubflowWatch>()
  /** 0 until the connection has begun. */
  #number = 0
  #scheduler = ''
  #told: Standing
  #sampledAt: Millis = -Infinity
  /** When the last flush was. */
  #flushedAt: Millis
  /** Nothing has happened since. */
  #isIdle = true
  /** The time of the last line. */
  #writtenAt: Millis = -Infinity

  constructor({ sink, side }: TraceInit, core: ConnectionCore, clock: Clock) {
    this.#sink = sink
    this.#side = side
    this.#clock = clock
    this.#core = core
    this.#told = standingOf(core.metrics)
    this.#flushedAt = clock.now()
  }

  /** The connection has a name now, and is about to get its first subflow. */
  begin(name: string): void {
    if (this.#number > 0) return
    this.#number = ++connections
    this.#sink.live.add(this)
    this.#scheduler = this.#core.metrics.scheduler
    const at = new Date(this.#clock.wall()).toISOString()
    this.#event('open', { v: VERSION, at, name, side: this.#side, scheduler: this.#scheduler })
  }

  /** As `begin`, of a connection that lives already: its subflows join now, and what they have carried is not told. */
  join(name: string): void {
    this.begin(name)
    for (const subflow of this.#core.subflows) {
      const { id, label, path, state } = subflow
      const watch = new SubflowWatch(subflow)
      watch.take('eligible')
      this.#subflows.set(subflow, watch)
      const joined = { id, label, tier: path.tier, from: 'probing' }
      this.#event('subflow', { ...joined, state: 'probing' })
      if (state !== 'probing') this.#event('subflow', { ...joined, state })
    }
  }

  changed({ subflow, from, state, reason, error }: Extract<Action, { kind: 'subflow' }>): void {
    if (!this.#subflows.has(subflow)) this.#subflows.set(subflow, new SubflowWatch(subflow))
    const { id, label, path } = subflow
    this.#event('subflow', { id, label, tier: path.tier, from, state, reason, error: codeOf(error) })
    if (state === 'closed') this.#subflows.delete(subflow)
  }

  /** Something is about to happen: call before it does. */
  wake(now: Millis): void {
    if (this.#isIdle && now - this.#flushedAt >= SAMPLE_MS) this.#sample(this.#flushedAt)
    this.#isIdle = false
  }

  /** Everything that was to be done has been done. */
  flushed(now: Millis): void {
    this.#flushedAt = now
    this.#isIdle = true
    if (now - this.#sampledAt < SAMPLE_MS) return
    this.#sample(now)
    this.#tellSettings()
  }

  /** The application has changed the scheduler or a policy. A dialer's policies are looked at with the figures. */
  settingsChanged(): void {
    this.wake(this.#clock.now())
    this.#tellSettings()
  }

  #tellSettings(): void {
    const { scheduler } = this.#core.metrics
    if (scheduler !== this.#scheduler) {
      this.#scheduler = scheduler
      this.#event('scheduler', { scheduler })
    }
    // Subflows of one path have one policy.
    const told: unknown[] = []
    for (const watch of this.#subflows.values()) {
      const policy = watch.takePolicy()
      if (policy === undefined || told.includes(watch.subflow.path)) continue
      told.push(watch.subflow.path)
      this.#event('policy', policy)
    }
  }

  /** No subflow is left and the connection is held; or it goes on, after so many milliseconds. */
  suspension(resumedAfterMs: number | undefined): void {
    if (resumedAfterMs === undefined) this.#event('suspended', {})
    else this.#event('resumed', { afterMs: Math.round(resumedAfterMs) })
  }

  /** The connection is over. */
  finished(error: MultipathError | undefined): void {
    this.#event('end', { error: error?.multipathCode })
    this.#sink.live.delete(this)
    this.#sink.flush()
  }

  /** Ends the trace: the connection is over, or its trace is turned off. */
  close(): void {
    this.#sample(this.#isIdle ? this.#flushedAt : this.#clock.now())
    this.#sink.live.delete(this)
    this.#sink.flush()
  }

  /** Writes how things stand, as of `at`, unless nothing has happened. */
  #sample(at: Millis): void {
    if (!this.#isOn) return
    const subs: SubflowSample[] = []
    for (const watch of this.#subflows.values()) {
      const sample = watch.take(this.#core.eligibility(watch.subflow, at))
      if (sample !== undefined) subs.push(sample)
    }
    const told = this.#told
    const standing = standingOf(this.#core.metrics)
    if (subs.length === 0 && isSame(standing, told)) return
    this.#told = standing
    this.#sampledAt = at
    const figures = withoutZeros({ ...standing, waits: standing.waits - told.waits })
    this.#write(at, subs.length === 0 ? figures : { ...figures, subs })
  }

  /** The figures of the time before come first. */
  #event(ev: string, fields: object): void {
    if (!this.#isOn) return
    const now = this.#clock.now()
    this.#sample(now)
    this.#write(now, { ev, ...fields })
  }

  get #isOn(): boolean {
    return this.#number > 0 && !this.#sink.isBroken
  }

  #write(at: Millis, fields: object): void {
    this.#writtenAt = Math.max(this.#writtenAt, at)
    const t = this.#sink.timeOf(this.#writtenAt)
    this.#sink.write(JSON.stringify({ t, c: this.#number, ...fields }))
  }
}

/** Numbers of a connection. */
interface Standing {
  readonly queued: number
  readonly unacked: number
  readonly acked: number
  readonly unread: number
  readonly held: number
  readonly read: number
  readonly waits: number
}

function standingOf(metrics: Metrics): Standing {
  return {
    queued: metrics.queuedBytes,
    unacked: metrics.unackedBytes,
    acked: metrics.ackedBytes,
    unread: metrics.unreadBytes,
    held: metrics.outOfOrderBytes,
    read: metrics.readBytes,
    waits: metrics.waits,
  }
}

/** Waiting alone is nothing that happens. */
function isSame(one: Standing, other: Standing): boolean {
  const keys = ['queued', 'unacked', 'acked', 'unread', 'held', 'read'] as const
  return keys.every((key) => one[key] === other[key])
}

function codeOf(error: (Error & { readonly code?: string }) | undefined): string | undefined {
  return error && (error.code ?? error.name)
}
