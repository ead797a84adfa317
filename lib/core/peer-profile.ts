// SPDX-License-Identifier: Apache-2.0
/** What depends on the kind of the peer, under the name of what it decides. */

/** `ours` announces itself with CODE_CAPABLE as its first word; a Go peer sends frames without. */
export type PeerKind = 'unknown' | 'go' | 'ours'

export interface PeerProfile {
  readonly kind: PeerKind
  /** How it learns that we have finished: not before its kind is known, by the close of all subflows, or by FIN. */
  readonly endsBy: 'unknown' | 'close' | 'fin'
  /** It says FIN when it has finished: an end without one is a crash. */
  readonly saysFin: boolean
  /** It stops sending when told HOLD, and goes on when told GO. */
  readonly obeysHold: boolean
  /** It knows no HOLD: TCP alone can slow it down. */
  readonly isSlowedByTcp: boolean
  /** What was lost with a subflow it sends again, however the subflow went. */
  readonly resendsLost: boolean
  /** It may lose a frame for good while it goes on answering. */
  readonly mayForget: boolean
  /** When it closes, its subflows end in order, one after another: the end of one may be the end of all. */
  readonly closesOneByOne: boolean
}

const PROFILES: { readonly [Kind in PeerKind]: PeerProfile } = {
  unknown: {
    kind: 'unknown',
    endsBy: 'unknown',
    saysFin: false,
    obeysHold: false,
    isSlowedByTcp: false,
    resendsLost: false,
    mayForget: false,
    closesOneByOne: true,
  },
  go: {
    kind: 'go',
    endsBy: 'close',
    saysFin: false,
    obeysHold: false,
    isSlowedByTcp: true,
    resendsLost: false,
    mayForget: true,
    closesOneByOne: true,
  },
  ours: {
    kind: 'ours',
    endsBy: 'fin',
    saysFin: true,
    obeysHold: true,
    isSlowedByTcp: false,
    resendsLost: true,
    mayForget: false,
    closesOneByOne: false,
  },
}

/** The peer of one connection, as far as it has shown what it is. */
export class Peer {
  #profile = PROFILES.unknown

  get profile(): PeerProfile {
    return this.#profile
  }

  /** It announced itself. */
  announced(): void {
    this.#profile = PROFILES.ours
  }

  /** It sent what both kinds send, one of ours only after it has announced itself. A pong comes before that. */
  spoke(): void {
    if (this.#profile.kind === 'unknown') this.#profile = PROFILES.go
  }
}
