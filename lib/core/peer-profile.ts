// SPDX-License-Identifier: Apache-2.0
/** What depends on the kind of the peer, under the name of what it decides. */
import { OptionError, RemoteProtocolError } from '../errors.js'

/** `ours` announces itself with CODE_CAPABLE as its first word; a Go peer sends frames without. */
export type PeerKind = 'unknown' | 'go' | 'ours'

/** Which peers a connection takes: those of both kinds, or ours alone. */
export type AcceptedPeer = 'any' | 'ours'

export interface PeerProfile {
  readonly kind: PeerKind
  /** How it learns that we have finished: not before its kind is known, by the close of all subflows, or by a FIN. */
  readonly endsBy: 'unknown' | 'close' | 'fin' | 'numbered-fin'
  /** It says FIN when it has finished, and HOLD and GO: of others these are violations, or noise. */
  readonly saysCodes: boolean
  /** The end of its last subflow may be its way to say that it has finished; of others it is a crash. */
  readonly mayEndUnsaid: boolean
  /** It takes extension frames, and says some itself. */
  readonly takesExtensions: boolean
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

const OURS: PeerProfile = {
  kind: 'ours',
  endsBy: 'fin',
  saysCodes: true,
  mayEndUnsaid: false,
  takesExtensions: false,
  obeysHold: true,
  isSlowedByTcp: false,
  resendsLost: true,
  mayForget: false,
  closesOneByOne: false,
}

/** `extended`: one of ours of a version that knows extension frames. */
const PROFILES: { readonly [Name in PeerKind | 'extended']: PeerProfile } = {
  unknown: {
    kind: 'unknown',
    endsBy: 'unknown',
    saysCodes: false,
    mayEndUnsaid: false,
    takesExtensions: false,
    obeysHold: false,
    isSlowedByTcp: false,
    resendsLost: false,
    mayForget: false,
    closesOneByOne: true,
  },
  go: {
    kind: 'go',
    endsBy: 'close',
    saysCodes: false,
    mayEndUnsaid: true,
    takesExtensions: false,
    obeysHold: false,
    isSlowedByTcp: true,
    resendsLost: false,
    mayForget: true,
    closesOneByOne: true,
  },
  ours: OURS,
  extended: { ...OURS, endsBy: 'numbered-fin', takesExtensions: true },
}

/** @throws {OptionError} for what is no such choice */
export function acceptedPeer(value: unknown = 'any'): AcceptedPeer {
  if (value === 'any' || value === 'ours') return value
  throw new OptionError(`peer must be any or ours, got ${JSON.stringify(value)}`)
}

/** The peer of one connection, as far as it has shown what it is. */
export class Peer {
  readonly #accepts: AcceptedPeer
  #profile = PROFILES.unknown
  #hasExtensions = false

  constructor(accepts: AcceptedPeer = 'any') {
    this.#accepts = accepts
  }

  get profile(): PeerProfile {
    return this.#profile
  }

  /** It has said that it takes extension frames, and so will announce itself. */
  get hasExtensions(): boolean {
    return this.#hasExtensions
  }

  /** It announced itself. What it has announced once on a connection stays, whatever other subflows say. */
  announced(): void {
    this.#profile = this.#hasExtensions ? PROFILES.extended : PROFILES.ours
  }

  /** It announced that it takes extension frames: one of ours says so right before it announces itself. */
  announcedExtensions(): void {
    this.#hasExtensions = true
    if (this.#profile.kind === 'ours') this.#profile = PROFILES.extended
  }

  /** It has not announced itself, and it had to. */
  get isUnwelcome(): boolean {
    return this.#accepts === 'ours' && this.#profile.kind !== 'ours'
  }

  /**
   * It sent what both kinds send, one of ours only after it has announced itself. A pong comes before that.
   *
   * @throws {RemoteProtocolError} ERR_MULTIPATH_PEER where only one of ours is taken
   */
  spoke(): void {
    if (this.isUnwelcome)
      throw new RemoteProtocolError('it did not announce itself first', 'ERR_MULTIPATH_PEER')
    if (this.#profile.kind === 'unknown') this.#profile = PROFILES.go
  }
}
