// SPDX-License-Identifier: Apache-2.0
/** A Go peer that has locked itself up: what then stands still is no fault of Node's. */
import { GoPeer } from './go-peer.js'
import { isLockedUp, summaryOf } from './go-traces.js'
import { openPair, type Pair, type PairOptions } from './pair.js'
import { standstill } from './standstill.js'

/** Nothing read for so long is a standstill, milliseconds: no spec pauses for longer than half of it. */
const STANDSTILL_MS = 20_000
const TRIES = 3
/** Of a spec that may need all of its tries, milliseconds. */
export const TIME_FOR_TRIES_MS = 300_000

/**
 * Runs a spec in which Go has much to resend at once, with a Go of its own. It locks itself up over that at times, to a
 * peer in Go as well: then, and only then, the spec runs again with another one.
 */
export async function withGoThatResends(
  options: PairOptions,
  run: (pair: Pair) => Promise<void>,
  tries: number = TRIES,
): Promise<void> {
  await using peer = await GoPeer.start()
  const pair = await openPair(peer, options)
  const running = run(pair)
  const stuck = standstill(STANDSTILL_MS, () => pair.node.bytesRead)
  if ((await Promise.race([running, stuck])) !== 'standstill') {
    await pair[Symbol.asyncDispose]()
    return
  }
  // Whatever becomes of it now says nothing.
  running.catch(() => undefined)
  pair.node.on('error', () => undefined).destroy()
  for (const relay of pair.relays) await relay[Symbol.asyncDispose]()
  const traces = await peer.traces()
  if (tries === 1 || !isLockedUp(traces))
    throw new Error(`the transfer stands still:\n${summaryOf(traces)}\n${traces}`)
  await withGoThatResends(options, run, tries - 1)
}
