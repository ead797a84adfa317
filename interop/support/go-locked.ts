/** A Go peer that has locked itself up: what then stands still is no fault of Node's. */

/**
 * Go's sendLoop waits for a frame's changeLock, which a retransmit holds that waits for the sendLoop: nothing is sent on
 * that subflow ever again (subflow.go and conn.go of the module). A goroutine's trace begins with its state.
 *
 * @param traces - of `GoPeer.traces()`
 */
export function isLockedUp(traces: string): boolean {
  const goroutines = traces.split('\n\n')
  return goroutines.some((one) => one.includes('[sync.Mutex.Lock') && one.includes('(*subflow).sendLoop('))
}
