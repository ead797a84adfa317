// SPDX-License-Identifier: Apache-2.0
/** Rates, from one status to the next, and of the last minute. */
import type { Status } from '../live/status.js'

export interface Rates {
  /** Bytes per second. */
  readonly sent: number
  readonly received: number
}

/** Seconds that a sparkline shows. */
export const SPARK_SECONDS = 60
const SECOND_MS = 1000
const STILL: Rates = { sent: 0, received: 0 }

interface Track {
  sentBytes: number
  receivedBytes: number
  rates: Rates
  /** Bytes in both directions, of each second, the newest last. */
  readonly seconds: number[]
  secondAt: number
  secondBytes: number
}

/** Of sessions, and of each of their paths. What is missing in a status is forgotten. */
export class History {
  #tracks = new Map<string, Track>()
  #at: number | undefined

  /** @param now - milliseconds */
  take(status: Status, now: number): void {
    const elapsedMs = this.#at === undefined ? 0 : now - this.#at
    this.#at = now
    const before = this.#tracks
    this.#tracks = new Map()
    for (const session of status.sessions) {
      this.#follow(before, keyOf(session.id), session, now, elapsedMs)
      for (const path of session.paths)
        this.#follow(before, keyOf(session.id, path.label), path, now, elapsedMs)
    }
  }

  ratesOf(sessionId: string, label?: string): Rates {
    return this.#tracks.get(keyOf(sessionId, label))?.rates ?? STILL
  }

  /** Bytes of each of the last seconds, at most a minute of them. */
  secondsOf(sessionId: string, label: string): readonly number[] {
    return this.#tracks.get(keyOf(sessionId, label))?.seconds ?? []
  }

  #follow(
    before: ReadonlyMap<string, Track>,
    key: string,
    { sentBytes, receivedBytes }: { readonly sentBytes: number; readonly receivedBytes: number },
    now: number,
    elapsedMs: number,
  ): void {
    const track = before.get(key) ?? {
      ...{ sentBytes, receivedBytes, rates: STILL, seconds: [], secondAt: now },
      secondBytes: sentBytes + receivedBytes,
    }
    this.#tracks.set(key, track)
    if (elapsedMs > 0)
      track.rates = {
        sent: smoothed(track.rates.sent, sentBytes - track.sentBytes, elapsedMs),
        received: smoothed(track.rates.received, receivedBytes - track.receivedBytes, elapsedMs),
      }
    track.sentBytes = sentBytes
    track.receivedBytes = receivedBytes
    if (now - track.secondAt < SECOND_MS) return
    const total = sentBytes + receivedBytes
    track.seconds.push(Math.max(0, ((total - track.secondBytes) * SECOND_MS) / (now - track.secondAt)))
    if (track.seconds.length > SPARK_SECONDS) track.seconds.shift()
    track.secondBytes = total
    track.secondAt = now
  }
}

/** Over about a second, so that digits can be read. */
function smoothed(rate: number, bytes: number, elapsedMs: number): number {
  const now = Math.max(0, (bytes * SECOND_MS) / elapsedMs)
  const weight = Math.min(1, elapsedMs / SECOND_MS)
  const next = rate * (1 - weight) + now * weight
  return next < 1 ? 0 : next
}

function keyOf(sessionId: string, label = ''): string {
  return `${sessionId} ${label}`
}
