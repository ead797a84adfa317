// SPDX-License-Identifier: Apache-2.0
/** What is said in extension frames, and heard: only with a peer that has announced that it takes them. */
import { RemoteProtocolError } from '../errors.js'
import { Extension } from '../wire/extension.js'
import { encodeHave } from '../wire/have.js'
import { EXTENSION_FRAME } from '../wire/limits.js'
import type { OwnFacts, PeerSettings } from '../wire/settings.js'
import { encodeSettings } from '../wire/settings.js'
import type { ResolvedConnOptions } from './options.js'
import type { Peer } from './peer-profile.js'
import type { Receiver } from './receiver.js'
import type { Subflow } from './subflow.js'

export interface ExtensionsInit {
  readonly peer: Peer
  readonly receiver: Receiver
  readonly options: ResolvedConnOptions
  readonly facts: OwnFacts | undefined
}

export class Extensions {
  readonly #init: ExtensionsInit
  /** The hold time that each subflow has heard from us. */
  readonly #told = new WeakMap<Subflow, number>()
  #peerSettings: PeerSettings | undefined
  #mayHold = true

  constructor(init: ExtensionsInit) {
    this.#init = init
  }

  /** What the peer said of itself last; `undefined` until it has. */
  get peerSettings(): PeerSettings | undefined {
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

  /** Says on each of `subflows` what is due there. */
  speak(subflows: readonly Subflow[]): void {
    if (!this.#init.peer.profile.takesExtensions) return
    const holdMs = this.#ownHoldMs
    for (const subflow of subflows) {
      const told = this.#told.get(subflow)
      if (told === holdMs) continue
      this.#told.set(subflow, holdMs)
      subflow.acks.addBytes(encodeSettings({ ...this.#init.facts, holdMs }))
      const { window } = this.#init.receiver
      if (told === undefined && subflow.id > 1)
        subflow.acks.addBytes(encodeHave({ nextFrame: window.nextFrame, ranges: window.ranges() }))
    }
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

  /**
   * The peer says what it is.
   *
   * @throws {RemoteProtocolError} where it was another
   */
  settle(settings: PeerSettings): void {
    if (this.isOther(settings.instance)) throw new RemoteProtocolError('the settings of another listener')
    this.#peerSettings = settings
  }

  /** Whether the listener that says so is another process than the one that opened the connection. */
  isOther(instance: Uint8Array | undefined): boolean {
    const known = this.#peerSettings?.instance
    return known !== undefined && !isSame(known, instance)
  }
}

function isSame(one: Uint8Array, other: Uint8Array | undefined): boolean {
  return other !== undefined && one.every((byte, at) => byte === other[at])
}
