// SPDX-License-Identifier: Apache-2.0
/**
 * Sends datagrams: each on the path from which its ack is expected first, and again on another once that path is late by its own
 * measure, suspect or gone, for as long as the datagram is not late itself. None waits for another, nor for the stream.
 */
import type { Millis } from '../clock.js'
import { encodeDatagramHead, STAMPS } from '../wire/datagram.js'
import { Choice } from './eligibility.js'
import type { InFlight } from './in-flight.js'
import { fly } from './in-flight.js'
import { lateAfterMs } from './lateness.js'
import type { ResolvedConnOptions } from './options.js'
import type { Peer } from './peer-profile.js'
import type { Perishable } from './perishable-queue.js'
import { PerishableQueue } from './perishable-queue.js'
import { ackMs } from './schedulers/soonest.js'
import type { Subflow } from './subflow.js'
import type { Sending } from './tracker.js'

/** An ack is late when it takes so much longer than usual, milliseconds, or four times the variance. */
const LATE_MS = 3
/** Bytes that datagrams may have under way beyond the window of a path, which the stream has filled. */
const HEADROOM_BYTES = 10 * 1400
/** Limit of what leaves again because a path is late: this share of all bytes, and an allowance before there are any. */
const LATE_SHARE = 1 / 4
const LATE_FREE_BYTES = 65_536

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

  /** Bytes under way, each once. */
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
      if (carried.size > 0 && subflow.state === 'up' && this.#maySendLate) at = Math.min(at, lateAt(subflow))
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
    this.#punctual = new Set(this.#choice.candidates.filter((subflow) => lateAt(subflow) > now))
    this.#giveUpLate()
    for (const message of this.#again) this.#sendAgain(message)
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
    this.#unackedBytes -= message.bytes.length
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

  #sendAgain(message: Message): void {
    const carrier = this.#punctualCarrier(message)
    if (carrier !== undefined) {
      // It delivers again, and need not be helped out unless it falls back.
      this.#again.delete(message)
      this.#carried.get(carrier)?.add(message)
      return
    }
    if (message.expiresAt <= this.#now) {
      this.#forget(message)
      return
    }
    const isCarried = [...message.sentOn].some(({ state }) => state === 'up')
    const helper = isCarried && !this.#maySendLate ? undefined : this.#helper(message, isCarried)
    if (helper === undefined) return
    this.#again.delete(message)
    if (isCarried) this.#lateBytes += message.bytes.length
    this.#counts.resent++
    this.#send(message, helper, 'again')
  }

  #sendFirst(): boolean {
    const message = this.queue.first(this.#now)
    if (message === undefined || this.#unackedBytes >= this.#init.options.maxUnackedBytes) return false
    const open = this.#open
    const subflow = this.#soonest(message, (one) => open.includes(one))
    if (subflow === undefined) return false
    this.queue.remove(message)
    const number = (message.number = this.#nextNumber++)
    this.#unacked.set(number, message)
    this.#unackedBytes += message.bytes.length
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

  /** Paths of the tiers in use. */
  get #open(): readonly Subflow[] {
    return this.#choice.inUse(this.#choice.candidates, this.queue.bytes)
  }

  /**
   * Another path for what is carried by paths that are late, suspect or gone. Late ones count as full, and so open the next tier; a
   * backup is for those that are gone.
   *
   * @param isCarried - it is still under way, so that only a path that is not late helps
   */
  #helper(message: Message, isCarried: boolean): Subflow | undefined {
    const open = this.#open
    const helper = this.#soonest(
      message,
      (one) => this.#punctual.has(one) && (open.includes(one) || one.path.tier !== 'backup'),
    )
    return helper ?? (isCarried ? undefined : this.#soonest(message, (one) => open.includes(one)))
  }

  /**
   * Of those that have not carried it, the path from which the ack is expected first, be it after a wait for room there; `undefined`:
   * better wait.
   */
  #soonest({ sentOn, bytes }: Message, isEligible: (subflow: Subflow) => boolean): Subflow | undefined {
    const eligible = this.#choice.candidates.filter(
      (one) => isEligible(one) && !sentOn.has(one) && one.path.leftBytes >= bytes.length,
    )
    const best = lowest(eligible, (one) => this.#arrivalMs(one, bytes.length))
    return best !== undefined && this.#hasRoom(best) ? best : undefined
  }

  /** When the ack is expected, milliseconds from now. */
  #arrivalMs(subflow: Subflow, bytes: number): number {
    const { bytesPerMs, isBlocked } = subflow
    // How long a socket stays full is not known.
    if (isBlocked) return Infinity
    // While a path is being filled for the first time, its rate says nothing, and its window doubles in a round trip.
    const isUnknown = subflow.isStartup || bytesPerMs === 0
    if (this.#hasRoom(subflow)) return ackMs(subflow) + (isUnknown ? 0 : bytes / bytesPerMs)
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
    const lifeMs = expiresAt === Infinity ? 0 : Math.max(1, Math.ceil(expiresAt - this.#now))
    const wire = [encodeDatagramHead({ number, stamp, lifeMs }, bytes.length), bytes]
    const frame = { fn: keyOf(number), size: bytes.length, wire, carriers: sentOn, sends: sentOn.size + 1 }
    fly(frame, subflow, sending, this.#now)
    sentOn.add(subflow)
    this.#sentBytes += bytes.length
    const carried = this.#carried.get(subflow)
    if (carried === undefined) this.#carried.set(subflow, new Set([message]))
    else carried.add(message)
  }
}

/** Among the flights of a subflow, data frames have numbers from 10 on. */
function keyOf(number: number): number {
  return -1 - number
}

/** When the oldest ack that a subflow owes is late; Infinity where it owes none. */
function lateAt(subflow: Subflow): Millis {
  const { oldestFlight } = subflow
  return oldestFlight === undefined
    ? Infinity
    : oldestFlight.sentAt + (lateAfterMs(subflow, LATE_MS) ?? Infinity)
}

function lowest<Item>(items: readonly Item[], valueOf: (item: Item) => number): Item | undefined {
  let best: Item | undefined
  for (const item of items) if (best === undefined || valueOf(item) < valueOf(best)) best = item
  return best
}
