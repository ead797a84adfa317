// SPDX-License-Identifier: Apache-2.0
/**
 * Which subflows belong to the connection. On the first one, both sides say their public keys; on each further one, both
 * prove that they have the private keys, and nothing else counts there before.
 *
 * ```
 * joined ─► held back: not read, until the first subflow has shown what the peer is, or is silent or gone
 *        ─► unproven:  SETTINGS and PROOF, pings and announcements alone; anything else closes it
 *        ─► proven:    carries data; at once, where the peer can prove nothing: a Go peer, or an earlier version
 * ```
 *
 * With a secret, the first subflow has to be proven as well: the secret is part of what proofs are computed with. Then the key
 * of the peer is the one on the subflow that is proven first, whichever that is: none is held back.
 */
import type { MultipathError } from '../errors.js'
import { RemoteProtocolError } from '../errors.js'
import { encodeProof, isSameProof, PROVER, provenBytes } from '../wire/proof.js'
import type { PeerSettings, Settings } from '../wire/settings.js'
import { authError } from './failures.js'
import type { JoinAuthInit, Prove } from './join-keys.js'
import type { Peer } from './peer-profile.js'
import type { Subflow } from './subflow.js'

/** What was said on one subflow, until both sides have proved themselves there. */
interface Exchange {
  readonly isDialer: boolean
  ownSettings: Uint8Array | undefined
  peerSettings: Uint8Array | undefined
  /** The key that the peer has said first. */
  peerKey: Uint8Array | undefined
  /** What the peer says of itself, which counts once it is proven. */
  unproven: PeerSettings | undefined
  hasProved: boolean
  /** Another process proved that it knows the secret. */
  isStranger: boolean
}

export class JoinAuthenticator {
  readonly #peer: Peer
  readonly #subflows: readonly Subflow[]
  readonly #init: JoinAuthInit | undefined
  readonly #exchanges = new WeakMap<Subflow, Exchange>()
  /** What the peer can do is known, and stays. */
  #isSettled = false
  #peerKey: Uint8Array | undefined
  #prove: Prove | undefined
  #hasProof = false
  #places = 0
  /** Ends the connection. */
  failure: MultipathError | undefined

  constructor(peer: Peer, subflows: readonly Subflow[], init: JoinAuthInit | undefined) {
    this.#peer = peer
    this.#subflows = subflows
    this.#init = init
  }

  /** No subflow has shown yet what this side demands. */
  get isUnmet(): boolean {
    if (this.#hasSecret) return !this.#hasProof
    return this.#isRequired && this.#peerKey === undefined
  }

  get #isRequired(): boolean {
    return this.#init?.isRequired === true
  }

  get #hasSecret(): boolean {
    return this.#init?.keys.hasSecret === true
  }

  /** What our SETTINGS say on one more subflow. */
  introduction(isDialer: boolean): Pick<Settings, 'publicKey' | 'nonce' | 'place'> {
    if (this.#init === undefined) return {}
    const { publicKey } = this.#init.keys
    return { publicKey, nonce: this.#init.keys.nonce(), place: isDialer ? ++this.#places : undefined }
  }

  /** A subflow has joined. */
  added(subflow: Subflow): void {
    if (this.#init === undefined) return
    this.#exchanges.set(subflow, {
      isDialer: subflow.isDialer,
      ownSettings: undefined,
      peerSettings: undefined,
      peerKey: undefined,
      unproven: undefined,
      hasProved: false,
      isStranger: false,
    })
    subflow.isUnproven = this.#isProofWanted(subflow)
  }

  /** Our SETTINGS were said: those said first are what is proven. */
  introduced(subflow: Subflow, settings: Uint8Array): void {
    const exchange = this.#exchanges.get(subflow)
    if (exchange !== undefined) exchange.ownSettings ??= settings
  }

  /** What the peer is may have shown. */
  review(): void {
    const { kind, takesExtensions } = this.#peer.profile
    if (!this.#isSettled && kind !== 'unknown' && !takesExtensions) this.#settle(undefined)
    for (const subflow of this.#subflows) {
      if (subflow.isUnproven) subflow.isUnproven = this.#isProofWanted(subflow)
      if (subflow.isHeldBack) this.holdsBack(subflow)
    }
  }

  /** Whether `subflow` is left unread, since it is not known yet what the peer can do. */
  holdsBack(subflow: Subflow): boolean {
    subflow.isHeldBack =
      subflow.isUnproven && !this.#isSettled && !this.#hasSecret && !this.#isTrusted(subflow)
    return subflow.isHeldBack
  }

  /** Whether what comes on `subflow` shows what the peer is: with a secret, anybody may be at the other end of one that has joined. */
  shows(subflow: Subflow): boolean {
    return !subflow.isUnproven || subflow.id === 1 || !this.#hasSecret
  }

  /** The subflow that asked for the connection; where it is of no use any more, each. */
  #isTrusted(subflow: Subflow): boolean {
    if (subflow.id === 1) return true
    const [oldest] = this.#subflows
    return oldest?.id !== 1 || oldest.state === 'suspect'
  }

  #isProofWanted(subflow: Subflow): boolean {
    if (subflow.id === 1 && !this.#hasSecret) return false
    return this.#isRequired || !this.#isSettled || this.#peerKey !== undefined
  }

  /** What the peer can do stays, whatever other subflows say. */
  #settle(peerKey: Uint8Array | undefined): void {
    this.#isSettled = true
    this.#peerKey = peerKey
    if (peerKey === undefined && this.#isRequired)
      this.failure = authError('the peer cannot prove that its subflows belong together')
  }

  /** The peer's SETTINGS came. @returns whether they count */
  heard(subflow: Subflow, payload: Uint8Array, settings: PeerSettings): boolean {
    const exchange = this.#exchanges.get(subflow)
    if (exchange === undefined) return true
    if (exchange.peerSettings === undefined) {
      exchange.peerSettings = payload
      exchange.peerKey = settings.publicKey
    }
    this.#learn(subflow, settings.publicKey)
    if (!subflow.isUnproven) return true
    exchange.unproven = settings
    return false
  }

  /** What the peer can do may have shown. With a secret, that it has a key shows by a PROOF alone. */
  #learn(subflow: Subflow, peerKey: Uint8Array | undefined): void {
    const isTold = this.#hasSecret ? subflow.id === 1 && peerKey === undefined : this.#isTrusted(subflow)
    if (this.#isSettled || !isTold) return
    this.#settle(peerKey)
    this.review()
  }

  /** What the proofs on a subflow are computed with. */
  #keyOf(exchange: Exchange): Uint8Array | undefined {
    return this.#peerKey ?? (this.#hasSecret ? exchange.peerKey : undefined)
  }

  /** Our PROOF, where it is due on `subflow`. */
  proofDue(subflow: Subflow): Uint8Array | undefined {
    const exchange = this.#exchanges.get(subflow)
    if (exchange?.hasProved !== false || this.#keyOf(exchange) === undefined) return undefined
    const { ownSettings, peerSettings, isDialer } = exchange
    if (ownSettings === undefined || peerSettings === undefined || !this.#isProofWanted(subflow))
      return undefined
    const proof = this.#proof(exchange, isDialer)
    exchange.hasProved = true
    this.#forgetIfDone(subflow, exchange)
    return proof && encodeProof(proof)
  }

  /** Both sides have proved themselves on `subflow`: what they have said there is needed no more. */
  #forgetIfDone(subflow: Subflow, { hasProved }: Exchange): void {
    if (hasProved && !subflow.isUnproven) this.#exchanges.delete(subflow)
  }

  /** More may be said on `subflow` than who we are. */
  mayGoOn(subflow: Subflow): boolean {
    return !subflow.isUnproven || this.#exchanges.get(subflow)?.hasProved === true
  }

  /**
   * The peer's PROOF came. Without a secret, the key of another process is anybody's: {@link isStranger} has all that it may say.
   *
   * @param isOther - whether that is what another process says of itself
   * @returns what the peer has said of itself, which counts now
   * @throws {RemoteProtocolError} ERR_MULTIPATH_AUTH where it proves nothing; on the first subflow, while no other is proven, it
   *   ends the connection
   */
  check(
    subflow: Subflow,
    proof: Uint8Array,
    isOther: (settings: PeerSettings) => boolean,
  ): PeerSettings | undefined {
    const exchange = this.#exchanges.get(subflow)
    if (exchange === undefined || this.#keyOf(exchange) === undefined) return undefined
    const { isDialer, unproven } = exchange
    const expected = this.#proof(exchange, !isDialer)
    if (expected !== undefined && isSameProof(expected, proof)) {
      subflow.isUnproven = false
      // What it said is as new as our nonce.
      subflow.hasAnswered = true
      exchange.unproven = undefined
      this.#hasProof = true
      if (!this.#isSettled) this.#settle(exchange.peerKey)
      this.#forgetIfDone(subflow, exchange)
      return unproven
    }
    if (this.#isOfStranger(exchange, proof)) exchange.isStranger = true
    else if (this.#hasSecret || unproven === undefined || !isOther(unproven)) {
      this.#doubt(subflow, 'the peer does not know the secret')
      throw new RemoteProtocolError('a PROOF that does not verify', 'ERR_MULTIPATH_AUTH')
    }
    return undefined
  }

  /** The first subflow alone is the connection, while no other is proven. */
  #doubt(subflow: Subflow, why: string): void {
    if (subflow.id === 1 && !this.#hasProof) this.failure = authError(why)
  }

  /** Anything came that counts only on a subflow that is proven. @throws {RemoteProtocolError} ERR_MULTIPATH_AUTH */
  assertProven(subflow: Subflow): void {
    this.review()
    if (!subflow.isUnproven) return
    this.#doubt(subflow, 'the peer did not prove that it knows the secret')
    throw new RemoteProtocolError('the peer did not prove itself first', 'ERR_MULTIPATH_AUTH')
  }

  /** Whether to believe whoever says on `subflow` that it does not know the connection. @param isOther - it is another process */
  isStranger(subflow: Subflow, isOther: boolean): boolean {
    if (!subflow.isUnproven || this.#exchanges.get(subflow)?.isStranger === true) return true
    return isOther && !this.#hasSecret
  }

  #proof(exchange: Exchange, ofDialer: boolean): Uint8Array | undefined {
    const { ownSettings, peerSettings, isDialer } = exchange
    const prove = this.#prove ?? this.#init!.keys.proverFor(this.#keyOf(exchange)!)
    if (this.#peerKey !== undefined) this.#prove = prove
    return proofOf(prove, ofDialer, isDialer, ownSettings, peerSettings)
  }

  /** A listener that has restarted has another key, and the same secret. */
  #isOfStranger({ unproven, isDialer, ownSettings, peerSettings }: Exchange, proof: Uint8Array): boolean {
    const { keys } = this.#init!
    if (!keys.hasSecret || unproven?.publicKey === undefined) return false
    const prove = keys.proverFor(unproven.publicKey)
    const expected = proofOf(prove, !isDialer, isDialer, ownSettings, peerSettings)
    return expected !== undefined && isSameProof(expected, proof)
  }
}

function proofOf(
  prove: Prove | undefined,
  ofDialer: boolean,
  isDialer: boolean,
  own: Uint8Array | undefined,
  peers: Uint8Array | undefined,
): Uint8Array | undefined {
  if (prove === undefined || own === undefined || peers === undefined) return undefined
  const [dialer, listener] = isDialer ? [own, peers] : [peers, own]
  return prove(provenBytes(ofDialer ? PROVER.dialer : PROVER.listener, dialer, listener))
}
