// SPDX-License-Identifier: Apache-2.0
/** Counters of one path: they survive the path's reconnects. Go: dialer.go, subflowDialer. */
import type { StatsTracker } from '../core/tracker.js'

/** Counters of a path over all its connections. Names contain the units. */
export interface PathStats {
  /** Label of the path. */
  readonly label: string
  /** Subflows that were opened. */
  readonly successes: number
  /** Subflows that were opened since the last failure. */
  readonly consecutiveSuccesses: number
  /** Attempts that failed. */
  readonly failures: number
  /** Moving average, alpha 0.5 as Go's; `undefined` before the first sample and after a failure. */
  readonly rttMs: number | undefined
  /** Data frames that were sent for the first time. */
  readonly sentFrames: number
  /** Payload bytes of these frames. */
  readonly sentBytes: number
  /** Data frames received, including duplicates. */
  readonly receivedFrames: number
  /** Payload bytes received, including duplicates. */
  readonly receivedBytes: number
  /** Data frames that were sent again. */
  readonly retransmittedFrames: number
  /** Payload bytes that were sent again. */
  readonly retransmittedBytes: number
}

/** Weight of a new RTT sample. Go: rttAlpha. */
const RTT_ALPHA = 0.5
/** What Go shows for an unknown RTT, milliseconds. Go: longRTT. */
const UNKNOWN_RTT_MS = 60_000

export class PathRecord implements StatsTracker {
  readonly label: string
  #successes = 0
  #consecutiveSuccesses = 0
  #failures = 0
  #rttMs: number | undefined
  #sentFrames = 0
  #sentBytes = 0
  #receivedFrames = 0
  #receivedBytes = 0
  #retransmittedFrames = 0
  #retransmittedBytes = 0

  constructor(label: string) {
    this.label = label
  }

  /** For ordering: unknown counts as a minute, as in Go. */
  get orderMs(): number {
    return this.#rttMs ?? UNKNOWN_RTT_MS
  }

  succeeded(): void {
    this.#successes++
    this.#consecutiveSuccesses++
  }

  failed(): void {
    this.#failures++
    this.#consecutiveSuccesses = 0
    this.#rttMs = undefined
  }

  onRecv(bytes: number): void {
    this.#receivedFrames++
    this.#receivedBytes += bytes
  }

  onSent(bytes: number): void {
    this.#sentFrames++
    this.#sentBytes += bytes
  }

  onRetransmit(bytes: number): void {
    this.#retransmittedFrames++
    this.#retransmittedBytes += bytes
  }

  updateRTT(milliseconds: number): void {
    this.#rttMs =
      this.#rttMs === undefined ? milliseconds : this.#rttMs * (1 - RTT_ALPHA) + milliseconds * RTT_ALPHA
  }

  stats(): PathStats {
    return {
      label: this.label,
      successes: this.#successes,
      consecutiveSuccesses: this.#consecutiveSuccesses,
      failures: this.#failures,
      rttMs: this.#rttMs,
      sentFrames: this.#sentFrames,
      sentBytes: this.#sentBytes,
      receivedFrames: this.#receivedFrames,
      receivedBytes: this.#receivedBytes,
      retransmittedFrames: this.#retransmittedFrames,
      retransmittedBytes: this.#retransmittedBytes,
    }
  }
}

/** A line in the columns of Go's FormatStats (dialer.go). */
export function formatPathStats(stats: PathStats): string {
  const traffic = (frames: number, bytes: number): string =>
    `${String(frames).padStart(7)}/${humanBytes(bytes).padStart(7)}`
  return (
    `${stats.label}  S: ${String(stats.successes).padStart(4)}(${String(stats.consecutiveSuccesses).padStart(3)})` +
    `  F: ${String(stats.failures).padStart(4)}` +
    `  RTT: ${(stats.rttMs ?? UNKNOWN_RTT_MS).toFixed(0).padStart(6)}ms` +
    `  SENT: ${traffic(stats.sentFrames, stats.sentBytes)}` +
    `  RECV: ${traffic(stats.receivedFrames, stats.receivedBytes)}` +
    `  RT: ${traffic(stats.retransmittedFrames, stats.retransmittedBytes)}`
  )
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB']

/** Decimal units, two digits at most under ten, as go-humanize prints them. */
export function humanBytes(bytes: number): string {
  if (bytes < 10) return `${bytes} B`
  const power = Math.min(Math.floor(Math.log(bytes) / Math.log(1000)), UNITS.length - 1)
  const value = Math.floor((bytes / 1000 ** power) * 10 + 0.5) / 10
  return `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ${UNITS[power]}`
}
