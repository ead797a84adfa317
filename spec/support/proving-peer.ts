// SPDX-License-Identifier: Apache-2.0
/** The other end of a scripted core, which dials and can prove that its subflows belong together. */
import { payloadOf } from '../../lib/wire/extension.js'
import { encodeProof, PROVER, provenBytes } from '../../lib/wire/proof.js'
import type { Settings } from '../../lib/wire/settings.js'
import { encodeSettings } from '../../lib/wire/settings.js'
import { FakeJoinKeys } from './fake-join-keys.js'
import { acks, CAPABLE, EXTENDS, PING, PONG } from './scripted-core.js'
import type { ScriptedSubflow } from './scripted-core.js'

export class ProvingPeer {
  readonly keys: FakeJoinKeys
  readonly #facts: Partial<Settings>
  readonly #isListener: boolean

  constructor({
    side = 1,
    secret = '',
    isListener = false,
    ...facts
  }: {
    readonly side?: number
    readonly secret?: string
    readonly isListener?: boolean
  } & Partial<Settings> = {}) {
    this.keys = new FakeJoinKeys(side, secret)
    this.#facts = facts
    this.#isListener = isListener
  }

  /** What it announces itself with, and its SETTINGS. */
  greeting(): { readonly words: Uint8Array; readonly settings: Uint8Array } {
    const settings = encodeSettings({
      holdMs: 30_000,
      publicKey: this.keys.publicKey,
      nonce: this.keys.nonce(),
      ...this.#facts,
    })
    return { words: Buffer.concat([acks(PONG, EXTENDS, CAPABLE, PING), settings]), settings }
  }

  /** Its PROOF on `subflow`, where it has said `settings`. */
  proof(
    subflow: ScriptedSubflow,
    settings: Uint8Array,
    peerKey: Uint8Array = new FakeJoinKeys(2).publicKey,
  ): Uint8Array {
    const [own, theirs] = [payloadOf(settings), subflow.extensions[0]!.payload]
    const [dialer, listener] = this.#isListener ? [theirs, own] : [own, theirs]
    const prover = this.#isListener ? PROVER.listener : PROVER.dialer
    return encodeProof(this.keys.proverFor(peerKey)!(provenBytes(prover, dialer, listener)))
  }

  /** Says who it is, and proves it. */
  proves(subflow: ScriptedSubflow): void {
    const { words, settings } = this.greeting()
    subflow.hears(words)
    subflow.hears(this.proof(subflow, settings))
  }
}
