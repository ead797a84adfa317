// SPDX-License-Identifier: Apache-2.0
/** Figures of one connection. */
import type { InFlight } from './in-flight.js'
import type { Receiver } from './receiver.js'
import type { Sender } from './sender.js'

/** What a connection holds, and has counted so far. */
export interface Metrics {
  /** Name of the scheduler in use. */
  readonly scheduler: string
  /** Bytes written that no frame has been made of. */
  readonly queuedBytes: number
  /** Bytes sent and not acked, without copies. */
  readonly unackedBytes: number
  /** Bytes acked so far, each once. */
  readonly ackedBytes: number
  /** Bytes that left on a second path because their first path was late. */
  readonly hedgedBytes: number
  /** How often the scheduler left a subflow with room alone, to wait for another. */
  readonly waits: number
  /** Bytes in order that the reader has not taken. */
  readonly unreadBytes: number
  /** Bytes that wait for a missing frame. */
  readonly outOfOrderBytes: number
  /** Bytes of frames ahead that have begun and not ended. */
  readonly unfinishedBytes: number
  /** Bytes that the reader has taken so far. */
  readonly readBytes: number
}

export function metricsOf(sender: Sender, inFlight: InFlight, { window }: Receiver): Metrics {
  return {
    scheduler: sender.scheduler.name,
    queuedBytes: sender.bufferedBytes,
    unackedBytes: inFlight.bytes,
    ackedBytes: inFlight.ackedBytes,
    hedgedBytes: inFlight.hedgedBytes,
    waits: sender.waits,
    unreadBytes: window.unreadBytes,
    outOfOrderBytes: window.outOfOrderBytes,
    unfinishedBytes: window.unfinishedBytes,
    readBytes: window.takenBytes,
  }
}
