// SPDX-License-Identifier: Apache-2.0
/**
 * Sends datagrams: each on the path from which its ack is expected first, and again on another once that path is late by its own
 * measure, suspect or gone, for as long as the datagram is not late itself. None waits for another, nor for the stream.
 */
import type { Millis } from '../../clock.js'
import { encodeDatagramHead, STAMPS } from '../../wire/datagram.js'
import { Choice } from '../eligibility.js'
import type { InFlight } from '../in-flight.js'
import { fly } from '../in-flight.js'
import { lateAt } from '../lateness.js'
import type { ResolvedConnOptions } from '../options.js'
import type { Peer } from '../peer-profile.js'
import type { Perishable } from './perishable-queue.js'
import { PerishableQueue } from './perishable-queue.js'
import { ackMs, soonest } from '../schedulers/soonest.js'
import type { Subflow } from '../subflow.js'
import type { Sending } from '../tracker.js'

/** An ack is late when it takes so much longer than usual, milliseconds, or four times the variance. */
const LATE_MS = 3
/** Bytes that datagrams may have under way beyond the window of a path, which the stream has filled. */
const HEADROOM_BYTES = 10 * 1400
/** Limit of what leaves again because a path is late: this share of all bytes, and an allowance before there are any. */
const LATE_SHARE = 1 / 4
const LATE_FREE_BYTES = 65_536

/** What one costs until its ack beside its bytes: objects, and places in sets. */
const OVERHEAD_BYTES = 256

export interface Message extends Perishable {
  /** On how many further paths it leaves at once. */
  readonly copies: number
  /** Set when it leaves. */
  number: number | undefined
  /** All that have carried it. */
  readonly sentOn: Set<Subflow>
}

export interface DatagramSenderInit {
  readonly peer: Peer
  readonly subflows: readonly Subflow[]
  readonly inFlight: InFlight
  readonly options: ResolvedConnOptions
}

export class DatagramSender {
  readonly queue: PerishableQueue<Message>
  readonly #init: DatagramSenderInit
  readonly #choice: Choice
  readonly #unacked = new Map<number, Message>()
  /** What a path carries that has not become late, suspect or gone meanwhile. */
  readonly #carried = new Map<Subflow, Set<Message>>()
  /** What is to leave on another path. */
  readonly #again = new Set<Message>()
  /** Candidates that are not late. */
  #punctual: ReadonlySet<Subflow> = new Set()
  #nextNumber = 0
  #firstStamp: Millis | undefined
  #now: Millis = 0
  #unackedBytes = 0
  #sentBytes = 0
  #lateBytes = 0
  readonly #counts = { sent: 0, copied: 0, resent: 0, acked: 0 }

  constructor(init: DatagramSenderInit, maxQueuedBytes: number) {
    this.#init = init
    this.#choice = new Choice(init.subflows, init.inFlight)
    this.queue = new PerishableQueue(maxQueuedBytes)
  }

  get counts(): Readonly<{ sent: number; copied: number; resent: number; acked: number }> {
    return this.#counts
  }

  /** Bytes under way, each once, with what they cost. */
  get unackedBytes(): number {
    return this.#unackedBytes
  }

  /** How many numbers there are from the oldest that is under way on: its receiver remembers the newest alone. */
  get span(): number {
    const [oldest = this.#nextNumber] = this.#unacked.keys()
    return this.#nextNumber - oldest
  }

  /** When time alone has something leave: a path becomes late, or a rate cap lets go; Infinity for never. */
  get dueAt(): Millis {
    let at = Infinity
    for (const [subflow, carried] of this.#carried)
      if (carried.size > 0 && subflow.state === 'up' && this.#maySendLate)
        at = Math.min(at, lateAt(subflow, LATE_MS))
    if (this.queue.isEmpty && this.#again.size === 0) return at
    for (const { path } of this.#choice.candidates) {
      const readyAt = path.readyAt(this.#now)
      if (readyAt > this.#now) at = Math.min(at, readyAt)
    }
    return at
  }

  /** Hands datagrams to subflows for as long as there is room. */
  pump(now: Millis): void {
    this.#now = now
    if (!this.#init.peer.profile.takesDatagrams) return
    if (this.queue.isEmpty && this.#unacked.size === 0) return
    this.#choice.review(now)
    this.#punctual = new Set(this.#choice.candidates.filter((subflow) => lateAt(subflow, LATE_MS) > now))
    this.#giveUpLate()
    this.#sendAllAgain()
    while (this.#sendFirst());
  }

  /** @returns whether the ack told anything */
  acked(subflow: Subflow, number: number, now: Millis): boolean {
    const wasUnderWay = this.#init.inFlight.acked(subflow, keyOf(number), now)
    const message = this.#unacked.get(number)
    if (message === undefined) return wasUnderWay
    this.#counts.acked++
    this.#forget(message)
    return true
  }

  /** Forgets everything: the connection is over. */
  clear(): void {
    this.queue.clear()
    this.#unacked.clear()
    this.#carried.clear()
    this.#again.clear()
  }

  #forget(message: Message): void {
    this.#unacked.delete(message.number!)
    this.#unackedBytes -= message.bytes.length + OVERHEAD_BYTES
    this.#again.delete(message)
    for (const subflow of message.sentOn) this.#carried.get(subflow)?.delete(message)
  }

  get #maySendLate(): boolean {
    return this.#lateBytes <= LATE_FREE_BYTES + LATE_SHARE * this.#sentBytes
  }

  /** What only paths carry that are late, suspect or gone is to leave on another one. */
  #giveUpLate(): void {
    for (const [subflow, carried] of this.#carried) {
      if (subflow.state === 'closed') this.#carried.delete(subflow)
      if (this.#punctual.has(subflow) || (subflow.state === 'up' && !this.#maySendLate)) continue
      for (const message of carried) {
        carried.delete(message)
        if (this.#punctualCarrier(message) === undefined) this.#again.add(message)
      }
    }
  }

  #punctualCarrier({ sentOn }: Message): Subflow | undefined {
    for (const subflow of sentOn) if (this.#punctual.has(subflow)) return subflow
    return undefined
  }

  /** Where the oldest finds no path to help it, no later one does, unless its own paths are gone. */
  #sendAllAgain(): void {
    let hasHelper = true
    for (const message of this.#again) {
      if (!hasHelper && isCarried(message)) continue
      hasHelper = this.#sendAgain(message) || !isCarried(message)
    }
  }

  /** @returns whether it is no longer to leave */
  #sendAgain(message: Message): boolean {
    const carrier = this.#punctualCarrier(message)
    if (carrier !== undefined) {
      // It delivers again, and need not be helped out unless it falls back.
      this.#again.delete(message)
      this.#carried.get(carrier)?.add(message)
      return true
    }
    if (message.expiresAt <= this.#now) {
      this.#forget(message)
      return true
    }
    const isUnderWay = isCarried(message)
    const helper = isUnderWay && !this.#maySendLate ? undefined : this.#helper(message, isUnderWay)
    if (helper === undefined) return false
    this.#again.delete(message)
    if (isUnderWay) this.#lateBytes += message.bytes.length
    this.#counts.resent++
    this.#send(message, helper, 'again')
    return true
  }

  #sendFirst(): boolean {
    const message = this.queue.first(this.#now)
    if (message === undefined || this.#unackedBytes >= this.#init.options.maxUnackedBytes) return false
    const open = this.#openFor(message)
    const subflow = this.#soonest(message, (one) => open.includes(one))
    if (subflow === undefined) return false
    this.queue.remove(message)
    const number = (message.number = this.#nextNumber++)
    this.#unacked.set(number, message)
    this.#unackedBytes += message.bytes.length + OVERHEAD_BYTES
    this.#counts.sent++
    this.#send(message, subflow, 'first')
    for (let left = message.copies; left > 0; left--) {
      const other = this.#soonest(message, (one) => open.includes(one) && this.#punctual.has(one))
      if (other === undefined) break
      this.#counts.copied++
      this.#send(message, other, 'copy')
    }
    // The path may only be late; or it may be dead, and another one bring the datagram sooner.
    if (this.#punctualCarrier(message) === undefined) {
      this.#again.add(message)
      this.#carried.get(subflow)?.delete(message)
      this.#sendAgain(message)
    }
    return true
  }

  /** Paths of the tiers in use, of those whose caps have room for it. */
  #openFor({ bytes }: Message): readonly Subflow[] {
    const able = this.#choice.candidates.filter(({ path }) => path.leftBytes >= bytes.length)
    return this.#choice.inUse(able, this.queue.bytes)
  }

  /**
   * Another path for what is carried by paths that are late, suspect or gone. Late ones count as full, and so open the next tier; a
   * backup is for those that are gone.
   *
   * @param isUnderWay - so that only a path that is not late helps
   */
  #helper(message: Message, isUnderWay: boolean): Subflow | undefined {
    const open = this.#openFor(message)
    const helper = this.#soonest(
      message,
      (one) => this.#punctual.has(one) && (open.includes(one) || one.path.tier !== 'backup'),
    )
    return helper ?? (isUnderWay ? undefined : this.#soonest(message, (one) => open.includes(one)))
  }

  /**
   * Of those that have not carried it, the path from which the ack is expected first, be it after a wait for room there; `undefined`:
   * better wait.
   */
  #soonest({ sentOn, bytes }: Message, isEligible: (subflow: Subflow) => boolean): Subflow | undefined {
    const eligible = this.#choice.candidates.filter(
      (one) => isEligible(one) && !sentOn.has(one) && one.path.leftBytes >= bytes.length,
    )
    const best = soonest(eligible, undefined, (one) => this.#arrivalMs(one, bytes.length))
    return best !== undefined && this.#hasRoom(best) ? best : undefined
  }

  /** When the ack is expected, milliseconds from now. */
  #arrivalMs(subflow: Subflow, bytes: number): number {
    const { bytesPerMs, isBlocked, path } = subflow
    // How long a socket stays full is not known.
    if (isBlocked) return Infinity
    // While a path is being filled for the first time, its rate says nothing, and its window doubles in a round trip.
    const isUnknown = subflow.isStartup || bytesPerMs === 0
    if (this.#hasRoom(subflow)) return ackMs(subflow) + (isUnknown ? 0 : bytes / bytesPerMs)
    const heldMs = path.readyAt(this.#now) - this.#now
    if (heldMs > 0) return ackMs(subflow) + heldMs + this.queue.bytes / path.bytesPerMs
    return ackMs(subflow) + (isUnknown ? ackMs(subflow) : this.queue.bytes / bytesPerMs)
  }

  #hasRoom({ isBlocked, inFlightBytes, window, path }: Subflow): boolean {
    return !isBlocked && inFlightBytes < window.bytes + HEADROOM_BYTES && path.readyAt(this.#now) <= this.#now
  }

  #send(message: Message, subflow: Subflow, sending: Sending): void {
    const { bytes, expiresAt, sentOn } = message
    const number = message.number!
    const now = Math.floor(this.#now)
    const stamp = (now - (this.#firstStamp ??= now)) % STAMPS
    const left = Math.ceil(expiresAt - this.#now)
    const lifeMs = Number.isSafeInteger(left) ? Math.max(1, left) : 0
    const wire = [encodeDatagramHead({ number, stamp, lifeMs }, bytes.length), bytes]
    // What delivers nothing would end rounds of the window without a rate: an empty one counts as a byte.
    const size = Math.max(1, bytes.length)
    const frame = { fn: keyOf(number), size, wire, carriers: sentOn, sends: sentOn.size + 1 }
    fly(frame, subflow, sending, this.#now)
    sentOn.add(subflow)
    this.#sentBytes += bytes.length
    const carried = this.#carried.get(subflow)
    if (carried === undefined) this.#carried.set(subflow, new Set([message]))
    else carried.add(message)
  }
}

/** A path that has carried it is neither suspect nor gone. */
function isCarried({ sentOn }: Message): boolean {
  for (const { state } of sentOn) if (state === 'up') return true
  return false
}

/** Among the flights of a subflow, data frames have numbers from 10 on. */
function keyOf(number: number): number {
  return -1 - number
}
