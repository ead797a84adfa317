// SPDX-License-Identifier: Apache-2.0
/** What the workers say to the harness: a JSON object a line. */
import { readFileSync, writeSync } from 'node:fs'

/** The wall clock in milliseconds with fractions, which all processes of a run share. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now()
}

/** Prints synchronously, so that a line's time is the time of the event it tells. */
export function say(event: string, more: Readonly<Record<string, unknown>> = {}): void {
  let line = Buffer.from(`${JSON.stringify({ event, at: nowMs(), ...more }, plainValue)}\n`)
  while (line.length > 0) {
    try {
      line = line.subarray(writeSync(1, line))
    } catch (error) {
      // The pipe is full: the harness is about to read.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
  }
}

function plainValue(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value
}

/** Resident memory and its peak in KiB, after a collection where node runs with --expose-gc. */
export function memory(): { rssKb: number; peakKb: number } {
  globalThis.gc?.()
  const status = readFileSync('/proc/self/status', 'utf8')
  const kb = (key: string) => Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1] ?? 0)
  return { rssKb: kb('VmRSS'), peakKb: kb('VmHWM') }
}
