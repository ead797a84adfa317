// SPDX-License-Identifier: Apache-2.0
/** What the page knows: the state now, rates since the state before, and the history of each path. */
import { History } from './history.js'

/** Paths that are drawn: more would be lines that cannot be told apart. */
export const MOST_DRAWN = 16
/** Changes of state that are kept of each path, and paths whose changes are kept. */
const MOST_TURNS = 1000
const MOST_PATHS = 64
const DAY_S = 86_400
/** A path that is silent for longer is shown as down, milliseconds. */
const SILENT_MS = 100

const STILL = { sent: 0, received: 0 }

/** `up`, `wait`, `down` or `paused`. */
export function lookOf({ state, isPaused, downMs }) {
  if (isPaused) return 'paused'
  if (state === 'up') return 'up'
  if (state === 'down') return 'down'
  return state === 'suspect' && downMs !== null && downMs >= SILENT_MS ? 'down' : 'wait'
}

export function keyOf(session, path) {
  return `${session.id} ${path === undefined ? '' : path.label}`
}

export class Model {
  status
  history = new History()
  /** By the key of a path: `{ label, turns: [{ at, look }] }`. */
  tracks = new Map()
  /** By the keys of sessions and of paths. */
  #counts = new Map()

  /** @param now - seconds */
  take(status, now) {
    this.status = status
    const before = this.#counts
    this.#counts = new Map()
    const row = new Map()
    const drawn = new Set(this.drawn().map(({ key }) => key))
    for (const session of status.sessions) {
      this.#count(before, keyOf(session), session, now)
      for (const path of session.paths) {
        const key = keyOf(session, path)
        const rates = this.#count(before, key, path, now)
        if (drawn.has(key)) this.#takePath(key, path, rates, now, row)
      }
    }
    this.history.push(now, row)
    this.#forget(now)
  }

  /** Nothing is known of this moment. */
  miss(now) {
    this.#counts.clear()
    for (const key of this.tracks.keys()) this.#turn(key, '', undefined, now)
  }

  /** Bytes per second of a session, or of one of its paths. */
  ratesOf(session, path) {
    return this.#counts.get(keyOf(session, path))?.rates ?? STILL
  }

  /** Paths that are drawn, by their keys, in the order of the tables. */
  drawn() {
    const all = this.status?.sessions.flatMap((session) =>
      session.paths.map((path) => ({ key: keyOf(session, path), label: path.label })),
    )
    return (all ?? []).slice(0, MOST_DRAWN)
  }

  #takePath(key, path, { sent, received }, now, row) {
    this.#turn(key, path.label, lookOf(path), now)
    row.set(`sent ${key}`, (sent * 8) / 1e6)
    row.set(`received ${key}`, (received * 8) / 1e6)
    row.set(`flight ${key}`, path.inFlightBytes / 1000)
    if (path.rttMs !== null) row.set(`rtt ${key}`, path.rttMs)
  }

  /** Over about a second, so that digits can be read. */
  #count(before, key, { sentBytes, receivedBytes }, now) {
    const last = before.get(key)
    const seconds = last === undefined ? 0 : now - last.now
    const smooth = (rate, bytes) => {
      const weight = Math.min(1, seconds)
      const next = rate * (1 - weight) + (Math.max(0, bytes) / seconds) * weight
      return next < 1 ? 0 : next
    }
    const rates =
      seconds > 0
        ? {
            sent: smooth(last.rates.sent, sentBytes - last.sentBytes),
            received: smooth(last.rates.received, receivedBytes - last.receivedBytes),
          }
        : (last?.rates ?? STILL)
    this.#counts.set(key, { sentBytes, receivedBytes, now, rates })
    return rates
  }

  #turn(key, label, look, at) {
    const track = this.tracks.get(key) ?? { label, turns: [], seenAt: at }
    if (look !== undefined) track.seenAt = at
    if (!this.tracks.has(key)) this.tracks.set(key, track)
    if (track.turns.at(-1)?.look === look) return
    track.turns.push({ at, look })
    if (track.turns.length > MOST_TURNS) track.turns.shift()
  }

  #forget(now) {
    for (const [key, track] of this.tracks) {
      const { turns } = track
      if (track.seenAt !== now) this.#turn(key, '', undefined, now)
      while (turns.length > 1 && now - turns[1].at > DAY_S) turns.shift()
      if (now - track.seenAt > DAY_S) this.tracks.delete(key)
    }
    const oldest = [...this.tracks].sort(([, a], [, b]) => a.seenAt - b.seenAt)
    for (const [key] of oldest.slice(0, Math.max(0, oldest.length - MOST_PATHS))) this.tracks.delete(key)
  }
}
