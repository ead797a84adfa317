// SPDX-License-Identifier: Apache-2.0
/** A sender without a connection around it: what a scheduler's choices make of it. */
import { InFlight } from '../../lib/core/in-flight.js'
import type { ConnOptions } from '../../lib/core/options.js'
import { CONN_OPTIONS } from '../../lib/core/options.js'
import type { Scheduler } from '../../lib/core/scheduler.js'
import { Sender } from '../../lib/core/sender.js'
import type { Subflow } from '../../lib/core/subflow.js'
import type { MultipathError } from '../../lib/errors.js'
import { resolveOptions } from '../../lib/options.js'

export class Sending {
  readonly subflows: readonly Subflow[]
  readonly inFlight: InFlight
  readonly sender: Sender
  now = 1000
  error: MultipathError | undefined

  /** Frames of 1,000 bytes, where the options do not say otherwise. */
  constructor(scheduler: Scheduler, subflows: readonly Subflow[], options: ConnOptions = {}) {
    const resolved = resolveOptions(CONN_OPTIONS, { maxFrameBytes: 1000, ...options })
    this.subflows = subflows
    this.inFlight = new InFlight(resolved)
    this.sender = new Sender({ subflows, inFlight: this.inFlight, scheduler, options: resolved })
  }

  /** The application writes so many bytes, and all that can leave does. */
  writes(bytes: number): void {
    if (bytes > 0) this.sender.write(new Uint8Array(bytes))
    this.error = this.sender.pump(this.now)
  }

  /** Acks come in on one subflow, and what has room now leaves. */
  acks(subflow: Subflow, ...fns: readonly number[]): void {
    for (const fn of fns) this.inFlight.acked(subflow, fn, this.now)
    this.writes(0)
  }

  /** Numbers of the frames under way on each subflow. */
  get underWay(): number[][] {
    return this.subflows.map(({ flights }) => [...flights.values()].map(({ frame }) => frame.fn))
  }

  /** A counter of each subflow. */
  counts(counter: keyof Subflow['counters']): number[] {
    return this.subflows.map(({ counters }) => counters[counter])
  }
}
