// SPDX-License-Identifier: Apache-2.0
/** Data frames that were sent and are not acked yet, and their journeys. */
import type { Millis } from '../clock.js'
import type { Subflow } from './subflow.js'

/** One data frame from its cutting until its ack. */
export interface SentFrame {
  readonly fn: number
  /** Payload, bytes. */
  readonly size: number
  /** Header and payload, ready to send again. */
  readonly wire: readonly Uint8Array[]
  /** Subflows that the frame has been sent on and that live. */
  readonly carriers: Set<Subflow>
  /** How often it has been sent. */
  sends: number
  isAcked: boolean
  /** Waits in the resend queue. */
  isQueued: boolean
}

/** One journey of a frame over one subflow, with what BBR's rate samples need (delivery-rate draft, 3.2). */
export interface Flight {
  readonly frame: SentFrame
  readonly sentAt: Millis
  /** Bytes that the subflow had delivered when this left, and when the last of them was acked. */
  readonly delivered: number
  readonly deliveredAt: Millis
  /** When the first frame of this sampling period left. */
  readonly firstSentAt: Millis
  /** There was too little to send, so that the rate says nothing of the path. */
  readonly isAppLimited: boolean
  /** Nothing else was in flight on the subflow when this left. */
  readonly wasIdle: boolean
}

/** Frames to send again, lowest number first. */
export class ResendQueue {
  #frames: SentFrame[] = []

  add(frame: SentFrame): void {
    if (frame.isQueued || frame.isAcked) return
    frame.isQueued = true
    let at = this.#frames.length
    while (at > 0 && this.#frames[at - 1]!.fn > frame.fn) at--
    this.#frames.splice(at, 0, frame)
  }

  /** The lowest frame still worth sending, left in the queue. */
  first(): SentFrame | undefined {
    this.#frames = this.#dropAcked()
    return this.#frames[0]
  }

  /** The lowest frame that `wanted` accepts, taken out. */
  take(wanted: (frame: SentFrame) => boolean): SentFrame | undefined {
    const at = this.#frames.findIndex((frame) => !frame.isAcked && wanted(frame))
    if (at < 0) return undefined
    const [frame] = this.#frames.splice(at, 1)
    frame!.isQueued = false
    return frame
  }

  /** Forgets what `unneeded` names: its first journey turned out to live. */
  drop(unneeded: (frame: SentFrame) => boolean): void {
    this.#frames = this.#frames.filter((frame) => {
      if (!unneeded(frame)) return true
      frame.isQueued = false
      return false
    })
  }

  get length(): number {
    return this.#frames.length
  }

  #dropAcked(): SentFrame[] {
    return this.#frames[0]?.isAcked === true ? this.#frames.filter((frame) => !frame.isAcked) : this.#frames
  }
}
