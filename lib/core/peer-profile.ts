// SPDX-License-Identifier: Apache-2.0
/** What depends on the kind of the peer, under the name of what it decides. */
import { OptionError, RemoteProtocolError } from '../errors.js'
import { CAPABILITY } from '../wire/settings.js'

/** `ours` announces itself with CODE_CAPABLE as its first word; a Go peer sends frames without. */
export type PeerKind = 'unknown' | 'go' | 'ours'

/** Which peers a connection takes: those of both kinds, or ours alone. */
export type AcceptedPeer = 'any' | 'ours'

export interface PeerProfile {
  readonly kind: PeerKind
  /** How it learns that we have finished: not before its kind is known, by the close of all subflows, or by a FIN. */
  readonly endsBy: 'unknown' | 'close' | 'fin' | 'numbered-fin'
  /** It may say FIN when it has finished, and HOLD and GO: of others these are violations, or noise. */
  readonly saysCodes: boolean
  /** The end of its last subflow may be its way to say that it has finished; of others it is a crash. */
  readonly mayEndUnsaid: boolean
  /** It takes extension frames, and says some itself. */
  readonly takesExtensions: boolean
  /** What slows it down where our reader is slow: TCP alone, HOLD and GO, or WINDOW. */
  readonly slowedBy: 'nothing' | 'tcp' | 'hold' | 'window'
  /** It sends again what our reader alone waits for, when told STARVING. */
  readonly feedsStarving: boolean
  /** It takes datagrams, and acks them. */
  readonly takesDatagrams: boolean
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
  slowedBy: 'hold',
  feedsStarving: false,
  takesDatagrams: false,
  resendsLost: true,
  mayForget: false,
  closesOneByOne: false,
}

const PROFILES: { readonly [Name in PeerKind]: PeerProfile } = {
  unknown: {
    kind: 'unknown',
    endsBy: 'unknown',
    saysCodes: false,
    mayEndUnsaid: false,
    takesExtensions: false,
    slowedBy: 'nothing',
    feedsStarving: false,
    takesDatagrams: false,
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
    slowedBy: 'tcp',
    feedsStarving: false,
    takesDatagrams: false,
    resendsLost: false,
    mayForget: true,
    closesOneByOne: true,
  },
  ours: OURS,
}

/** One of ours of a version that knows extension frames, and perhaps optional features. */
function extended(capabilities: number): PeerProfile {
  return {
    ...OURS,
    endsBy: 'numbered-fin',
    takesExtensions: true,
    slowedBy: (capabilities & CAPABILITY.window) !== 0 ? 'window' : 'hold',
    feedsStarving: (capabilities & CAPABILITY.starving) !== 0,
    takesDatagrams: (capabilities & CAPABILITY.datagrams) !== 0,
  }
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
  #capabilities = 0

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
    this.#profile = this.#hasExtensions ? extended(this.#capabilities) : PROFILES.ours
  }

  /** It announced that it takes extension frames: one of ours says so right before it announces itself. */
  announcedExtensions(): void {
    this.#hasExtensions = true
    if (this.#profile.kind === 'ours') this.announced()
  }

  /** Its SETTINGS count. @param capabilities - a bit for each optional feature that it knows */
  isCapableOf(capabilities: number): void {
    this.#capabilities |= capabilities
    this.announced()
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
