// SPDX-License-Identifier: Apache-2.0
/** What a dialer wants of its peer's sending: it alone knows which path is metered. */
import { OptionError, RemoteProtocolError } from '../errors.js'
import type { Extension } from '../wire/extension.js'
import { decodePath, encodePath } from '../wire/path-frame.js'
import { TIERS } from './path.js'
import type { Scheduler } from './scheduler.js'
import { schedulers } from './schedulers/by-name.js'
import type { Subflow } from './subflow.js'

export class PeerPolicy {
  readonly #isAccepted: boolean
  readonly #setScheduler: (scheduler: Scheduler) => void
  /** What the peer has wanted last. */
  #wanted: string | undefined

  /** @param isAccepted - the peer's wishes are followed */
  constructor(isAccepted: boolean, setScheduler: (scheduler: Scheduler) => void) {
    this.#isAccepted = isAccepted
    this.#setScheduler = setScheduler
  }

  /** What the peer is to know of the path of a subflow that we have dialled. */
  frameFor({ path, label }: Subflow): Uint8Array {
    return encodePath({
      tier: path.rank,
      weight: path.weight,
      // What the peer sends on this subflow from now on, it counts itself.
      maxBytes: Math.max(0, Math.floor((path.maxBytes - path.receivedBytes) / path.leastSubflows)),
      maxBytesPerSecond:
        path.bytesPerMs === Infinity
          ? Infinity
          : Math.max(1, Math.round((path.bytesPerMs * 1000) / path.leastSubflows)),
      parallel: path.isParallelAuto ? undefined : path.mostSubflows,
      isPaused: path.isPaused,
      label,
    })
  }

  /** The peer's PATH came. @throws {RemoteProtocolError} for a value out of range */
  heard(subflow: Subflow, frame: Extension): void {
    const { tier, isPaused, label, parallel, ...numbers } = decodePath(frame)
    if (tier >= TIERS.length) throw new RemoteProtocolError(`a PATH of tier ${tier}`)
    if (subflow.isDialer) return
    subflow.peerLabel = label
    if (!this.#isAccepted) return
    try {
      const most = parallel === undefined ? 'auto' : { max: parallel }
      subflow.path.set({ tier: TIERS[tier], parallel: most, ...numbers })
    } catch (error) {
      if (error instanceof OptionError) throw new RemoteProtocolError(`a PATH whose ${error.message}`)
      throw error
    }
    subflow.path.isPaused = isPaused
  }

  /** The peer wants us to choose paths like this; one that we do not know changes nothing. */
  schedulerWanted(subflow: Subflow, name: string | undefined): void {
    if (subflow.isDialer || !this.#isAccepted || name === undefined || name === this.#wanted) return
    this.#wanted = name
    if (Object.hasOwn(schedulers, name)) this.#setScheduler(schedulers[name as keyof typeof schedulers])
  }
}
