// SPDX-License-Identifier: Apache-2.0
/** What the traces of a Go peer's goroutines tell. */

/**
 * Go's sendLoop waits for a frame's changeLock, which a retransmit holds that waits for the sendLoop: nothing is sent on
 * that subflow ever again. Or every retransmit waits for somebody's write, and nobody writes, although no socket is full
 * (subflow.go and conn.go of the module). A goroutine's trace begins with its state.
 *
 * @param traces - of `GoPeer.traces()`
 */
export function isLockedUp(traces: string): boolean {
  const goroutines = traces.split('\n\n')
  const isIn = (one: string, state: string, method: string): boolean =>
    one.includes(`[${state}`) && one.includes(`${method}(`)
  const some = (state: string, method: string): boolean => goroutines.some((one) => isIn(one, state, method))
  if (some('sync.Mutex.Lock', '(*subflow).sendLoop')) return true
  const isWriting = goroutines.some((one) => one.includes('(*subflow).sendLoop(') && one.includes('.Write('))
  return some('chan receive', '(*mpConn).retransmit') && !isWriting
}

/** How many goroutines of the module wait where, a line each. */
export function summaryOf(traces: string): string {
  const counts = new Map<string, number>()
  for (const one of traces.split('\n\n')) {
    const state = /^goroutine .*\[([^,\]]+)/.exec(one.trim())?.[1]
    const calls = [...one.matchAll(/^github\.com\/getlantern\/multipath\.(.*?)\(0x/gm)].map(
      ([, call]) => call,
    )
    if (state === undefined || calls.length === 0) continue
    const line = `${state}${one.includes('.Write(') ? ', writing' : ''}: ${calls.join(' < ')}`
    counts.set(line, (counts.get(line) ?? 0) + 1)
  }
  return [...counts].map(([line, count]) => `${count} ${line}`).join('\n')
}
