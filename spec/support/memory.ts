// SPDX-License-Identifier: Apache-2.0
/** What a spec that looks for leaks measures. The runner exposes the garbage collector. */
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

/** Sockets, servers and timers that keep a process up, by name. */
export function handles(): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of process.getActiveResourcesInfo()) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

export function inMib(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MiB`
}
