// SPDX-License-Identifier: Apache-2.0
/**
 * A process that ends with open connections tells their peers, as its kernel does for the sockets of `net`: a peer that
 * heard nothing would hold each of them for `holdMs`. What a signal kills cannot do so.
 */
import { debug } from '../debug.js'

/** What says the last words of a connection at once. */
export interface Speaker {
  destroy(isAbort: boolean): void
}

const speakers = new Set<Speaker>()

/** @param speaker - of a connection that is open from now on */
export function expectFarewell(speaker: Speaker): void {
  if (speakers.size === 0) process.on('exit', sayFarewells)
  speakers.add(speaker)
}

/** @param speaker - of a connection that is over */
export function needsNoFarewell(speaker: Speaker): void {
  if (speakers.delete(speaker) && speakers.size === 0) process.off('exit', sayFarewells)
}

/** What is flushed ends in order; a peer that misses something gets an error. */
function sayFarewells(): void {
  for (const speaker of [...speakers])
    try {
      speaker.destroy(false)
    } catch (error) {
      debug('no last words: %s', String(error))
    }
}
