// SPDX-License-Identifier: Apache-2.0
/** What comes in on the subflows of a connection, handed to the parts that it concerns. */
import type { Millis } from '../clock.js'
import type { MultipathError } from '../errors.js'
import { RemoteProtocolError } from '../errors.js'
import type { Reset } from '../wire/end-frames.js'
import { decodeFin, decodeReset, RESET } from '../wire/end-frames.js'
import type { Extension } from '../wire/extension.js'
import { EXTENSION } from '../wire/extension.js'
import type { Have } from '../wire/have.js'
import { decodeHave } from '../wire/have.js'
import type { FrameSink } from '../wire/frame-reader.js'
import { FrameReader } from '../wire/frame-reader.js'
import {
  CODE_CAPABLE,
  CODE_EXTENDS,
  CODE_FIN,
  CODE_GO,
  CODE_HOLD,
  CODE_PING,
  CODE_PONG,
  DATAGRAM_ACK_FRAME,
  DATAGRAM_FRAME,
} from '../wire/limits.js'
import { decodeDatagramAck } from '../wire/datagram.js'
import { decodeWindow, type WindowWords } from '../wire/window-frame.js'
import { decodeParallel } from '../wire/parallel-frame.js'
import { decodeStarving } from '../wire/starving-frame.js'
import type { Payload } from '../wire/payload.js'
import type { Datagrams } from './datagrams/datagrams.js'
import type { Ending } from './ending.js'
import type { Extensions } from './extensions.js'
import { falseEndError, missingError } from './failures.js'
import type { Receiver } from './receiver.js'
import type { InFlight } from './in-flight.js'
import type { JoinAuthenticator } from './join-auth.js'
import { HoleWatchdog } from './hole-watchdog.js'
import type { ResolvedConnOptions } from './options.js'
import type { Parallel } from './parallel.js'
import type { Peer } from './peer-profile.js'
import type { PeerPolicy } from './peer-policy.js'
import type { Starvation } from './starvation.js'
import type { Subflow } from './subflow.js'
import type { Suspension } from './suspension.js'

export interface DispatcherParts {
  readonly inFlight: InFlight
  readonly receiver: Receiver
  readonly ending: Ending
  readonly peer: Peer
  readonly extensions: Extensions
  readonly suspension: Suspension
  readonly auth: JoinAuthenticator
  readonly policy: PeerPolicy
  readonly starvation: Starvation
  readonly datagrams: Datagrams
  readonly parallel: Parallel
  readonly options: ResolvedConnOptions
}

export class Dispatcher {
  readonly parts: DispatcherParts
  readonly #readers = new Map<Subflow, FrameReader>()
  readonly #missing: HoleWatchdog
  /** What came in, or did not, that ends the connection. */
  failure: MultipathError | undefined
  /** The peer has said that it is gone. */
  reset: Reset | undefined
  /** Whoever is at the other end of the subflow that was read last does not know the connection. */
  stranger: 'unknown' | 'restarted' | undefined
  /** When the bytes came that are being taken. */
  now: Millis = 0

  constructor(parts: DispatcherParts) {
    this.parts = parts
    this.#missing = new HoleWatchdog(parts.options.missingMs)
  }

  add(subflow: Subflow): void {
    this.#readers.set(subflow, new FrameReader(new SubflowSink(this, subflow)))
  }

  /**
   * Takes bytes that a subflow brought, up to `maxFrames` frames of them. They are kept where they hold payload.
   *
   * @returns how many bytes were taken; what is wrong with them, where they are no frames: the subflow cannot be read
   *   any further
   */
  push(subflow: Subflow, bytes: Uint8Array, now: Millis, maxFrames: number): number | RemoteProtocolError {
    this.now = now
    const { receiver, peer, ending } = this.parts
    const reader = this.#readers.get(subflow)
    const { storedFrames } = receiver
    try {
      const taken = reader?.push(bytes, maxFrames) ?? bytes.length
      ending.reached(receiver.window.nextFrame)
      const isNew = receiver.storedFrames > storedFrames || reader?.isTakingData === true
      // One of ours has lost nothing: it may have been told to send nothing for the time being. Nor is lost what our reader has no room for.
      const isWaiting = peer.profile.mayForget && receiver.hasHole && !isNew && !receiver.hasNoRoom
      if (this.#missing.heard(isWaiting, now)) this.failure = missingError(receiver.window.nextFrame)
      this.#throttle(subflow)
      return taken
    } catch (error) {
      if (error instanceof RemoteProtocolError) return error
      throw error
    }
  }

  /** One that brings too much that is of no use is not read for a while, though not for so long that it seems dead. */
  #throttle(subflow: Subflow): void {
    const { receiver, inFlight, options } = this.parts
    const progress = receiver.progress + inFlight.progress
    const throttleMs = subflow.waste.charge(this.now, progress, options.deadMs / 2)
    if (throttleMs > 0) subflow.throttle(this.now + throttleMs)
  }

  /**
   * The subflow is gone. A data frame that it has begun is missing unless a copy comes.
   *
   * @returns whether it ended inside a header of one, so that its kind is unknown
   */
  remove(subflow: Subflow): boolean {
    const reader = this.#readers.get(subflow)
    this.#readers.delete(subflow)
    this.parts.receiver.cut(reader?.unfinishedFrame)
    reader?.close()
    return reader?.isInDataHeader === true
  }

  clear(): void {
    this.#readers.clear()
  }
}

/** One object for each subflow, since idle connections come by the thousand. */
class SubflowSink implements FrameSink {
  readonly #dispatcher: Dispatcher
  readonly #subflow: Subflow
  #hasHeardHave = false

  constructor(dispatcher: Dispatcher, subflow: Subflow) {
    this.#dispatcher = dispatcher
    this.#subflow = subflow
  }

  begin(fn: number, size: number): Payload | undefined {
    if (this.#subflow.isUnproven) this.#assertProven()
    this.#checkOrder(fn)
    return this.#dispatcher.parts.receiver.window.begin(fn, size)
  }

  onData(fn: number, size: number, pieces: Uint8Array[] | undefined): void {
    const { receiver } = this.#dispatcher.parts
    this.#spoke()
    if (this.#subflow.isUnproven) this.#assertProven()
    this.#checkOrder(fn)
    receiver.data(this.#subflow, fn, size, pieces)
  }

  onAck(fn: number): void {
    const { inFlight, ending } = this.#dispatcher.parts
    this.#spoke()
    if (this.#subflow.isUnproven) this.#assertProven()
    if (inFlight.acked(this.#subflow, fn, this.#dispatcher.now) || ending.acked(fn)) return
    this.#subflow.waste.add(0)
  }

  onCode(code: number): void {
    const { inFlight, peer } = this.#dispatcher.parts
    this.#subflow.waste.add(0)
    if (code === CODE_PING) {
      this.#spoke()
      this.#subflow.acks.add(CODE_PONG)
    } else if (code === CODE_PONG) this.#subflow.ponged(this.#dispatcher.now)
    else if (code === CODE_CAPABLE) this.#onCapable()
    else if (code === CODE_EXTENDS) peer.announcedExtensions()
    else if (this.#subflow.isUnproven) this.#assertProven()
    else if (code === CODE_FIN) this.#onFin()
    else if (!peer.profile.saysCodes) return
    else if (code === CODE_HOLD) inFlight.peerWindow.hold(this.#dispatcher.now)
    else if (code === CODE_GO) inFlight.peerWindow.go()
  }

  onExtension(number: number, bytes: Uint8Array): void {
    const { extensions } = this.#dispatcher.parts
    const frame = extensions.hear(number, bytes)
    if (number === DATAGRAM_FRAME || number === DATAGRAM_ACK_FRAME) {
      this.#onDatagram(number, bytes)
      return
    }
    this.#subflow.waste.add(bytes.length)
    if (frame?.type === EXTENSION.settings) extensions.heard(this.#subflow, frame)
    else if (frame?.type === EXTENSION.proof) extensions.check(this.#subflow, frame)
    else if (frame?.type === EXTENSION.reset) this.#onReset(decodeReset(frame))
    else if (this.#subflow.isUnproven) this.#assertProven()
    else if (frame !== undefined) this.#onProven(frame)
  }

  #onDatagram(number: number, bytes: Uint8Array): void {
    const { parts, now } = this.#dispatcher
    const { datagrams } = parts
    if (this.#subflow.isUnproven) this.#assertProven()
    if (number === DATAGRAM_FRAME) datagrams.receiver.heard(this.#subflow, bytes, now)
    else if (!datagrams.sender.acked(this.#subflow, decodeDatagramAck(bytes), now))
      this.#subflow.waste.add(bytes.length)
  }

  /** What counts only on a subflow that is known to belong to the connection. */
  #onProven(frame: Extension): void {
    const { policy, starvation, parallel } = this.#dispatcher.parts
    if (frame.type === EXTENSION.path) policy.heard(this.#subflow, frame)
    else if (frame.type === EXTENSION.starving) starvation.heard(decodeStarving(frame), this.#dispatcher.now)
    else if (frame.type === EXTENSION.parallel) parallel.heard(this.#subflow, decodeParallel(frame))
    else if (frame.type === EXTENSION.have) this.#onHave(decodeHave(frame))
    else if (frame.type === EXTENSION.fin) this.#onNumberedFin(decodeFin(frame))
    else if (frame.type === EXTENSION.window) this.#onWindow(decodeWindow(frame))
  }

  /** Both kinds of peers say what came; that shows a Go peer. */
  #spoke(): void {
    const { peer, auth } = this.#dispatcher.parts
    if (auth.shows(this.#subflow)) peer.spoke()
  }

  #onCapable(): void {
    const { peer, auth } = this.#dispatcher.parts
    if (auth.shows(this.#subflow) || peer.hasExtensions) peer.announced()
  }

  #assertProven(): void {
    this.#dispatcher.parts.auth.assertProven(this.#subflow)
  }

  #onHave(have: Have): void {
    const { inFlight, suspension } = this.#dispatcher.parts
    // Once: to look for thousands of frames again and again would cost us more than the peer.
    if (this.#hasHeardHave) return
    this.#hasHeardHave = true
    inFlight.have(have, this.#dispatcher.now)
    suspension.haveHeard()
  }

  #onWindow({ limitBytes, isAsking }: WindowWords): void {
    const { inFlight, receiver } = this.#dispatcher.parts
    if (limitBytes !== undefined) inFlight.peerWindow.opened(limitBytes)
    if (isAsking === true) receiver.pressure.repeatLimit(this.#subflow)
  }

  /** Which frame will never come. All before it may not have come yet. */
  #onNumberedFin(end: number): void {
    const { ending, receiver } = this.#dispatcher.parts
    this.#assertAnswered('a FIN')
    const isWrong = ending.peerEnd === Infinity ? end < receiver.window.end : ending.peerEnd !== end
    if (isWrong) throw new RemoteProtocolError(`a FIN at frame ${end}, which contradicts what has come`)
    this.#subflow.acks.add(end)
    ending.finHeard(end)
  }

  #onReset(reset: Reset): void {
    if (reset.code === RESET.unknown) {
      this.#onStranger(reset)
      return
    }
    if (this.#subflow.isUnproven) this.#assertProven()
    this.#assertAnswered('a RESET')
    this.#dispatcher.reset = reset
  }

  #onStranger({ instance }: Reset): void {
    const { extensions, auth } = this.#dispatcher.parts
    const isOther = extensions.isOther(instance)
    if (!auth.isStranger(this.#subflow, isOther)) this.#assertProven()
    this.#dispatcher.stranger = isOther ? 'restarted' : 'unknown'
  }

  #assertAnswered(what: string): void {
    if (!this.#subflow.hasAnswered) throw new RemoteProtocolError(`${what} before an answer to our ping`)
  }

  /** Of a peer of an earlier version: all that it ever wrote has been acked, so that none of it is missing here. */
  #onFin(): void {
    const { ending, peer, receiver } = this.#dispatcher.parts
    if (ending.hasPeerFin) return
    const { endsBy } = peer.profile
    if (endsBy === 'numbered-fin') throw new RemoteProtocolError('a FIN without a frame number')
    if (endsBy !== 'fin') throw new RemoteProtocolError('a FIN of a peer that has not announced itself')
    this.#assertAnswered('a FIN')
    const { window } = receiver
    if (receiver.hasHole || window.hasUnfinished)
      throw new RemoteProtocolError(`a FIN although frame ${window.nextFrame} is missing`)
    ending.finHeard(window.nextFrame)
  }

  /** Behind a FIN nothing comes but copies. */
  #checkOrder(fn: number): void {
    if (fn < this.#dispatcher.parts.ending.peerEnd) return
    const violation = new RemoteProtocolError(`frame ${fn} behind a FIN`)
    this.#dispatcher.failure = falseEndError(violation)
    throw violation
  }
}
