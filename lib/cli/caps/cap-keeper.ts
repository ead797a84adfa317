// SPDX-License-Identifier: Apache-2.0
/** Keeps paths within their caps of a day or a month, over restarts of the command. */
import type { ConnPath, MultipathConn, MultipathDialer } from '../../index.js'
import type { Cap, Spent } from './cap-book.js'
import { CapCount } from './cap-book.js'
import { readCaps, writeCaps } from './cap-file.js'

/** What a crash may leave uncounted, milliseconds. */
const SAVE_MS = 10_000
/** What a path may send beyond a cap that begins anew, milliseconds. */
const LOOK_MS = 1000

export interface CapKeeperInit {
  readonly file: string
  readonly dialer: MultipathDialer
  readonly capOf: (label: string) => Cap | undefined
  readonly warn: (message: string) => void
}

export class CapKeeper {
  readonly #init: CapKeeperInit
  readonly #stored: Readonly<Record<string, Spent>>
  readonly #counts = new Map<string, CapCount>()
  #savedAt = performance.now()

  /** @throws {Error} for a file that cannot be read */
  constructor(init: CapKeeperInit) {
    this.#init = init
    this.#stored = readCaps(init.file)
  }

  /** Follows the paths of a connection from its beginning, before anything is sent, until it closes. */
  follow(conn: MultipathConn): void {
    this.#look(conn.paths())
    const timer = setInterval(() => {
      this.#look(conn.paths())
      if (performance.now() - this.#savedAt >= SAVE_MS) this.#save()
    }, LOOK_MS)
    timer.unref()
    conn.once('close', () => {
      clearInterval(timer)
      this.#save()
    })
  }

  #look(paths: readonly ConnPath[]): void {
    const now = new Date()
    for (const { label, spentBytes } of paths) {
      const cap = this.#init.capOf(label)
      if (cap === undefined) continue
      const known = this.#counts.get(label)
      const count = known ?? new CapCount(cap, this.#stored[label], now)
      this.#counts.set(label, count)
      if (count.count(spentBytes, now) || known === undefined)
        this.#init.dialer.setPathPolicy(label, { maxBytes: count.maxBytes })
    }
  }

  #save(): void {
    this.#savedAt = performance.now()
    const spent = Object.fromEntries([...this.#counts].map(([label, count]) => [label, count.spent]))
    try {
      if (this.#counts.size > 0) writeCaps(this.#init.file, spent)
    } catch (error) {
      this.#init.warn(`cannot remember what capped paths have spent: ${(error as Error).message}`)
    }
  }
}
