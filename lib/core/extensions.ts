// SPDX-License-Identifier: Apache-2.0
/** What is said in extension frames, and heard: only with a peer that has announced that it takes them. */
import { RemoteProtocolError } from '../errors.js'
import { EXTENSION, Extension } from '../wire/extension.js'
import { EXTENSION_FRAME } from '../wire/limits.js'
import type { OwnFacts, PeerSettings } from '../wire/settings.js'
import { decodeSettings, encodeSettings } from '../wire/settings.js'
import type { Peer } from './peer-profile.js'
import type { Subflow } from './subflow.js'

export class Extensions {
  readonly #peer: Peer
  readonly #facts: OwnFacts
  /** Subflows that have heard our settings. */
  readonly #told = new WeakSet<Subflow>()
  #peerSettings: PeerSettings | undefined

  constructor(peer: Peer, facts: OwnFacts = {}) {
    this.#peer = peer
    this.#facts = facts
  }

  /** What the peer said of itself first; `undefined` until it has. */
  get peerSettings(): PeerSettings | undefined {
    return this.#peerSettings
  }

  /** Says on each of `subflows` what is due there. */
  speak(subflows: readonly Subflow[]): void {
    if (!this.#peer.profile.takesExtensions) return
    for (const subflow of subflows) {
      if (this.#told.has(subflow)) continue
      this.#told.add(subflow)
      subflow.acks.addBytes(encodeSettings({ ...this.#facts, holdMs: 0 }))
    }
  }

  /**
   * A frame came in, with a number from 2 to 9.
   *
   * @returns it, unless that was all there was to it
   * @throws {RemoteProtocolError} for what is no such frame, or of a peer that has not announced them
   */
  hear(number: number, bytes: Uint8Array): Extension | undefined {
    if (!this.#peer.profile.takesExtensions)
      throw new RemoteProtocolError('an extension frame of a peer that has not announced them')
    if (number !== EXTENSION_FRAME) return undefined
    const frame = new Extension(bytes)
    if (frame.type !== EXTENSION.settings) return frame
    this.#peerSettings ??= decodeSettings(frame)
    return undefined
  }
}
