// SPDX-License-Identifier: Apache-2.0
/**
 * What happened to the paths of one connection, as its user wants to read it: each change that lasts, once. It is given
 * snapshots and causes, and time as a number; what it has to tell comes out as data.
 */
import type { PathState } from '../../index.js'

/** A path as it is now. */
export interface SeenPath {
  readonly label: string
  readonly state: PathState
  readonly isPaused: boolean
  /** Milliseconds. */
  readonly rttMs: number | undefined
}

/** What a path has become. */
export type PathTurn = 'up' | 'recovered' | 'down' | 'paused' | 'resumed' | 'removed'

/** One path changed, as far as its user is concerned. */
export interface PathChange {
  readonly kind: PathTurn
  readonly label: string
  /** Why it is down. */
  readonly reason: string | undefined
  /** How long it was down, milliseconds; of `recovered`. */
  readonly downMs: number | undefined
  /** Until the next attempt, milliseconds; of `down`. */
  readonly nextAttemptMs: number | undefined
  readonly rttMs: number | undefined
  /** Paths that are up, of those that there are. */
  readonly upCount: number
  readonly count: number
}

/** No path is up any more, or one is again. */
export interface SessionChange {
  readonly kind: 'suspended' | 'resumed'
  /** Milliseconds; of `resumed`. */
  readonly downMs: number | undefined
}

export type Change = PathChange | SessionChange

interface Entry {
  seen: SeenPath
  /** What was told last. */
  told: 'nothing' | 'up' | 'down'
  /** Since when it is not up; `undefined`: it is. */
  downAt: number | undefined
  /** When that is told, unless it is up again by then. */
  dueAt: number
  reason: string | undefined
  nextAttemptAt: number | undefined
  toldReason: string | undefined
  toldAt: number
}

/** A path that is silent for less is not worth a line, milliseconds: most silences end by themselves. */
export const SILENCE_MS = 1000
/** After a loss, the next attempt is waited for, milliseconds: it often names the cause. */
export const CAUSE_MS = 300
/** A failure that goes on for the same reason is told again after this time, milliseconds. */
export const REMIND_MS = 600_000
/** Paths that are down and no longer listed. Beyond this number, the path that went down first is forgotten. */
const MOST_GONE = 64

export class PathJournal {
  readonly #entries = new Map<string, Entry>()
  #suspendedAt: number | undefined
  /** Before that, the session is not there yet. */
  #hasBeenUp = false

  /** When `tick` is due, in the time of the caller; Infinity: never. */
  get dueAt(): number {
    return Math.min(Infinity, ...[...this.#entries.values()].map(({ dueAt }) => dueAt))
  }

  /** Since when no path is up; `undefined`: one is. */
  get suspendedAt(): number | undefined {
    return this.#suspendedAt
  }

  /** When `label` went down; `undefined`: it is up, or unknown. */
  downAt(label: string): number | undefined {
    return this.#entries.get(label)?.downAt
  }

  /** Why `label` is down. */
  reasonOf(label: string): string | undefined {
    return this.#entries.get(label)?.reason
  }

  /** The paths as they are now; those that are missing have no subflow any more. */
  look(paths: readonly SeenPath[], now: number): Change[] {
    const changes: Change[] = []
    const labels = new Set(paths.map(({ label }) => label))
    // All are counted before the first is told.
    for (const seen of paths) if (!this.#entries.has(seen.label)) this.#begin(seen)
    const gone = [...this.#entries.values()].filter(({ seen }) => !labels.has(seen.label))
    const all = [...paths, ...gone.map(({ seen }): SeenPath => ({ ...seen, state: 'down' }))]
    const before = all.map(({ label }) => this.#entries.get(label)!.seen)
    for (const seen of all) this.#entries.get(seen.label)!.seen = seen
    for (const [index, seen] of all.entries()) this.#see(seen, before[index]!, now, changes)
    this.#forget(labels)
    return [...changes, ...this.#session(now)]
  }

  /** Why `label` is down, or will be seen to be. */
  because(label: string, reason: string, nextAttemptMs: number | undefined, now: number): Change[] {
    const entry = this.#entries.get(label)
    if (entry === undefined || entry.seen.state === 'up') return []
    entry.reason = reason
    entry.nextAttemptAt = nextAttemptMs === undefined ? undefined : now + nextAttemptMs
    if (nextAttemptMs === undefined) return []
    entry.downAt ??= now
    const isNews = entry.told !== 'down' || entry.toldReason !== reason || now - entry.toldAt >= REMIND_MS
    return isNews ? [this.#tellDown(entry, now), ...this.#session(now)] : []
  }

  /** Tells what has lasted long enough. */
  tick(now: number): Change[] {
    const due = [...this.#entries.values()].filter(({ dueAt }) => dueAt <= now)
    const changes: Change[] = due.map((entry) => this.#tellDown(entry, now))
    return [...changes, ...this.#session(now)]
  }

  /** `label` was removed on purpose. */
  remove(label: string): Change[] {
    const entry = this.#entries.get(label)
    if (entry === undefined) return []
    this.#entries.delete(label)
    return [this.#change('removed', entry)]
  }

  #see(seen: SeenPath, before: SeenPath, now: number, changes: Change[]): void {
    const entry = this.#entries.get(seen.label)!
    if (seen.isPaused !== before.isPaused)
      changes.push(this.#change(seen.isPaused ? 'paused' : 'resumed', entry))
    if (seen.state === 'up') this.#up(entry, now, changes)
    else if (seen.state === 'suspect' || seen.state === 'down') this.#notUp(entry, now)
  }

  #begin(seen: SeenPath): void {
    this.#entries.set(seen.label, {
      seen: { ...seen, isPaused: false },
      told: 'nothing',
      downAt: undefined,
      dueAt: Infinity,
      reason: undefined,
      nextAttemptAt: undefined,
      toldReason: undefined,
      toldAt: -Infinity,
    })
  }

  #up(entry: Entry, now: number, changes: Change[]): void {
    const { told, downAt, reason } = entry
    entry.dueAt = Infinity
    entry.downAt = undefined
    entry.nextAttemptAt = undefined
    // A loss that was over before it was told is told now; a short silence is not.
    const isWorthIt = told === 'down' || (told === 'up' && reason !== undefined)
    entry.reason = undefined
    entry.toldReason = undefined
    entry.told = 'up'
    if (told === 'nothing') changes.push(this.#change('up', entry))
    else if (isWorthIt && downAt !== undefined)
      changes.push({ ...this.#change('recovered', entry), downMs: now - downAt, reason })
  }

  #notUp(entry: Entry, now: number): void {
    const isGone = entry.seen.state === 'down'
    // One that was never up is not lost: its failures tell.
    if (entry.told !== 'up') return
    entry.downAt ??= now
    const dueAt = isGone ? now + CAUSE_MS : entry.downAt + SILENCE_MS
    entry.dueAt = Math.min(entry.dueAt, dueAt)
  }

  #tellDown(entry: Entry, now: number): PathChange {
    const { nextAttemptAt } = entry
    entry.dueAt = Infinity
    entry.told = 'down'
    entry.reason ??= entry.seen.state === 'suspect' ? 'no answer' : undefined
    entry.toldReason = entry.reason
    entry.toldAt = now
    const nextAttemptMs = nextAttemptAt === undefined ? undefined : Math.max(0, nextAttemptAt - now)
    return { ...this.#change('down', entry), reason: entry.reason, nextAttemptMs }
  }

  #change(kind: PathTurn, { seen }: Entry): PathChange {
    const entries = [...this.#entries.values()]
    return {
      kind,
      label: seen.label,
      reason: undefined,
      downMs: undefined,
      nextAttemptMs: undefined,
      rttMs: seen.rttMs,
      upCount: entries.filter(isUp).length,
      count: entries.length,
    }
  }

  /** Suspended once all that were up are told to be down. */
  #session(now: number): SessionChange[] {
    const entries = [...this.#entries.values()]
    const hasUp = entries.some(({ told }) => told === 'up')
    this.#hasBeenUp ||= hasUp
    if (!this.#hasBeenUp) return []
    if (hasUp && this.#suspendedAt !== undefined) {
      const downMs = now - this.#suspendedAt
      this.#suspendedAt = undefined
      return [{ kind: 'resumed', downMs }]
    }
    const downs = entries.flatMap(({ told, downAt }) => (told === 'down' ? [downAt ?? now] : []))
    if (hasUp || downs.length === 0 || this.#suspendedAt !== undefined) return []
    this.#suspendedAt = Math.max(...downs)
    return [{ kind: 'suspended', downMs: undefined }]
  }

  #forget(listed: ReadonlySet<string>): void {
    const gone = [...this.#entries.keys()].filter((label) => !listed.has(label))
    for (const label of gone.slice(0, Math.max(0, gone.length - MOST_GONE))) this.#entries.delete(label)
  }
}

function isUp({ seen }: Entry): boolean {
  return seen.state === 'up' && !seen.isPaused
}
