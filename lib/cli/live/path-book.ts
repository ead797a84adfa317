// SPDX-License-Identifier: Apache-2.0
/** Where the paths of a dialer lead, by label: what an event of a path does not tell. */
import type { Cap } from '../caps/cap-book.js'
import type { HostPort } from '../parse.js'
import { formatHostPort } from '../parse.js'
import type { PathEnds } from './change-text.js'

export interface BookedPath extends HostPort {
  /** `undefined`: the system chooses. */
  readonly localAddress: string | undefined
  readonly transport: Transport
  /** Of a day or a month. */
  readonly cap?: Cap | undefined
}

export type Transport = 'tcp' | 'tls' | 'ws' | 'wss' | 'socks5' | 'http'

/** Labels beyond these are forgotten, the oldest first: addresses come and go. */
const MOST_LABELS = 1024

export class PathBook {
  readonly #paths = new Map<string, BookedPath>()

  add(label: string, path: BookedPath): void {
    this.#paths.delete(label)
    this.#paths.set(label, path)
    if (this.#paths.size > MOST_LABELS) this.#paths.delete(this.#paths.keys().next().value!)
  }

  get(label: string): BookedPath | undefined {
    return this.#paths.get(label)
  }

  endsOf(label: string): PathEnds | undefined {
    const path = this.#paths.get(label)
    return path === undefined
      ? undefined
      : { from: path.localAddress, to: formatHostPort(path), transport: path.transport }
  }
}
