// SPDX-License-Identifier: Apache-2.0
/** What a spec that looks for leaks measures. The runner exposes the garbage collector. */
import { readFileSync } from 'node:fs'
import { quiet } from './turns.js'

/** Bytes of heap and buffers in use, after garbage collection. */
export async function memoryInUse(): Promise<number> {
  const { gc } = globalThis
  if (gc === undefined) throw new Error('run with --expose-gc')
  for (let round = 0; round < 4; round++) {
    await quiet(10)
    gc()
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Resident memory of another process, bytes. */
export function memoryOf({ pid }: { readonly pid: number }): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))!
  return Number(kib) * 1024
}

/** Sockets, servers and timers that keep a process up, by name. */
export function handles(): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of process.getActiveResourcesInfo()) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

export function inMib(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MiB`
}
