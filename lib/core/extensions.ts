// SPDX-License-Identifier: Apache-2.0
/** What is said in extension frames, and heard: only with a peer that has announced that it takes them. */
import { RemoteProtocolError } from '../errors.js'
import { Extension, payloadOf } from '../wire/extension.js'
import { encodeHave } from '../wire/have.js'
import { EXTENSION_FRAME } from '../wire/limits.js'
import { joined } from '../wire/joined.js'
import type { Introduction, OwnFacts, PeerSettings, Settings } from '../wire/settings.js'
import { decodeProof } from '../wire/proof.js'
import { ANNOUNCEMENT, CAPABILITY, decodeSettings, encodeSettings } from '../wire/settings.js'
import type { JoinAuthenticator } from './join-auth.js'
import type { ResolvedConnOptions } from './options.js'
import type { Peer } from './peer-profile.js'
import type { PeerPolicy } from './peer-policy.js'
import type { Receiver } from './receiver.js'
import type { Subflow } from './subflow.js'

/** What we know of optional features. */
const CAPABILITIES = CAPABILITY.window | CAPABILITY.starving | CAPABILITY.datagrams

export interface ExtensionsInit {
  readonly peer: Peer
  readonly receiver: Receiver
  readonly options: ResolvedConnOptions
  readonly facts: OwnFacts | undefined
  readonly auth: JoinAuthenticator
  readonly policy: PeerPolicy
}

/** What the peer says of itself that is the same on every subflow. */
export type PeerSelf = Omit<PeerSettings, 'publicKey' | 'nonce' | 'place'>

/** How far we are with a subflow. */
interface Told {
  settings: Settings
  isDone: boolean
  /** Of what we have said of its path. */
  pathVersion: number
}

export class Extensions {
  readonly #init: ExtensionsInit
  readonly #told = new WeakMap<Subflow, Told>()
  #peerSettings: PeerSelf | undefined
  #mayHold = true
  #facts: OwnFacts

  constructor(init: ExtensionsInit) {
    this.#init = init
    this.#facts = init.facts ?? {}
  }

  /** How the peer is to choose paths, from now on. */
  set peerScheduler(scheduler: string) {
    this.#facts = { ...this.#facts, scheduler }
  }

  /** What the peer said of itself last; `undefined` until it has. */
  get peerSettings(): PeerSelf | undefined {
    return this.#peerSettings
  }

  /** How long the connection is held without a subflow: as long as both sides want. */
  get holdMs(): number {
    return Math.min(this.#ownHoldMs, this.#peerSettings?.holdMs ?? 0)
  }

  get #ownHoldMs(): number {
    return this.#mayHold ? this.#init.options.holdMs : 0
  }

  /** No subflow can come any more, so that nothing is held, from now on. */
  forbidHold(): void {
    this.#mayHold = false
  }

  /** What to say of us behind the hello of a subflow that is to join; `undefined` where the peer may not take it. */
  introduce(isDialer: boolean): Introduction | undefined {
    const { peer, auth } = this.#init
    if (!peer.profile.takesExtensions) return undefined
    const holdMs = this.#ownHoldMs
    const { instance, name, scheduler } = this.#facts
    const { publicKey, nonce, place } = auth.introduction(isDialer)
    const capabilities = CAPABILITIES
    const settings = { capabilities, holdMs, instance, name, publicKey, nonce, place, scheduler }
    const frame = encodeSettings(settings)
    return { words: joined([ANNOUNCEMENT, frame]), frame, settings }
  }

  /** A subflow has heard who we are. */
  introduced(subflow: Subflow, { frame, settings }: Introduction): void {
    this.#told.set(subflow, { settings, isDone: false, pathVersion: -1 })
    this.#init.auth.introduced(subflow, payloadOf(frame))
  }

  /** Says on each of `subflows` what is due there. */
  speak(subflows: readonly Subflow[]): void {
    if (!this.#init.peer.profile.takesExtensions) return
    const holdMs = this.#ownHoldMs
    for (const subflow of subflows) {
      const told = this.#told.get(subflow) ?? this.#introduce(subflow)
      const { settings } = told
      if (settings.holdMs !== holdMs || settings.scheduler !== this.#facts.scheduler)
        this.#correct(subflow, told)
      if (!told.isDone) this.#goOn(subflow, told)
      if (told.isDone && subflow.isDialer && told.pathVersion !== subflow.path.version)
        this.#sayPath(subflow, told)
    }
  }

  #introduce(subflow: Subflow): Told {
    const introduction = this.introduce(subflow.isDialer)!
    subflow.acks.addBytes(introduction.frame)
    this.introduced(subflow, introduction)
    return this.#told.get(subflow)!
  }

  #correct(subflow: Subflow, told: Told): void {
    told.settings = { ...told.settings, holdMs: this.#ownHoldMs, scheduler: this.#facts.scheduler }
    subflow.acks.addBytes(encodeSettings(told.settings))
  }

  #sayPath(subflow: Subflow, told: Told): void {
    told.pathVersion = subflow.path.version
    subflow.acks.addBytes(this.#init.policy.frameFor(subflow))
  }

  /** Our PROOF, and what the peer has to know before it sends again. */
  #goOn(subflow: Subflow, told: Told): void {
    const { auth, receiver } = this.#init
    const proof = auth.proofDue(subflow)
    if (proof !== undefined) subflow.acks.addBytes(proof)
    if (!auth.mayGoOn(subflow)) return
    told.isDone = true
    if (subflow.id === 1) return
    const { window, pressure } = receiver
    subflow.acks.addBytes(encodeHave({ nextFrame: window.nextFrame, ranges: window.ranges() }))
    pressure.repeatLimit(subflow)
  }

  /**
   * A frame came in, with a number from 2 to 9.
   *
   * @returns it, if its number is one that we know
   * @throws {RemoteProtocolError} for what is no such frame, or of a peer that has not announced them
   */
  hear(number: number, bytes: Uint8Array): Extension | undefined {
    if (!this.#init.peer.profile.takesExtensions)
      throw new RemoteProtocolError('an extension frame of a peer that has not announced them')
    return number === EXTENSION_FRAME ? new Extension(bytes) : undefined
  }

  /** The peer's SETTINGS came on `subflow`. @throws {RemoteProtocolError} where it was another */
  heard(subflow: Subflow, frame: Extension): void {
    const settings = decodeSettings(frame)
    if (this.#init.auth.heard(subflow, frame.payload, settings)) this.#settle(subflow, settings)
  }

  /** The peer's PROOF came on `subflow`. @throws {RemoteProtocolError} where it proves nothing */
  check(subflow: Subflow, frame: Extension): void {
    const isOther = ({ instance }: PeerSettings): boolean => this.isOther(instance)
    const settings = this.#init.auth.check(subflow, decodeProof(frame), isOther)
    if (settings === undefined) return
    this.#settle(subflow, settings)
    // Our own PROOF, before anything that counts only behind it.
    this.speak([subflow])
  }

  /** What the peer says of itself counts. */
  #settle(subflow: Subflow, settings: PeerSettings): void {
    const known = this.#peerSettings?.instance
    if (known !== undefined && !isSame(known, settings.instance))
      throw new RemoteProtocolError('the settings of another listener')
    const { version, capabilities, holdMs, name, scheduler } = settings
    this.#peerSettings = { version, capabilities, holdMs, instance: settings.instance, name, scheduler }
    this.#init.peer.isCapableOf(settings.capabilities)
    this.#init.policy.schedulerWanted(subflow, settings.scheduler)
  }

  /** Whether `instance` names another process than the one that opened the connection. */
  isOther(instance: Uint8Array | undefined): boolean {
    const known = this.#peerSettings?.instance
    return known !== undefined && instance !== undefined && !isSame(known, instance)
  }
}

function isSame(one: Uint8Array, other: Uint8Array | undefined): boolean {
  return other !== undefined && one.every((byte, at) => byte === other[at])
}
