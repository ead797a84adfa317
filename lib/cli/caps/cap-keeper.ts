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
  /** By account. */
  readonly #counts = new Map<string, CapCount>()
  /** What each path was told last, by label. */
  readonly #told = new Map<string, number>()
  #savedAt = performance.now()

  /** @throws {Error} for a file that cannot be read */
  constructor(init: CapKeeperInit) {
    this.#init = init
    this.#stored = readCaps(init.file)
  }

  /** Follows the paths of a connection until it closes: from its beginning, before anything is sent. */
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
    const capped = [...new Set(paths.map(({ label }) => label))].flatMap((label) => {
      const cap = this.#init.capOf(label)
      if (cap === undefined) return []
      return { label, count: this.#countOf(cap, now), rows: paths.filter((path) => path.label === label) }
    })
    for (const { label, count, rows } of capped) {
      const bytes = rows.reduce((sum, { spentBytes }) => sum + spentBytes, 0)
      count.count(label, bytes, now)
    }
    for (const { label, count, rows } of capped) {
      const sharers = capped.filter((other) => other.count === count).length
      this.#limit(rows.at(-1)!, count.maxBytesOf(label, sharers))
    }
  }

  #countOf(cap: Cap, now: Date): CapCount {
    const known = this.#counts.get(cap.account)
    if (known !== undefined) return known
    const count = new CapCount(cap, this.#stored[cap.account], now)
    this.#counts.set(cap.account, count)
    if (count.isAhead(now))
      this.#init.warn(`the cap of ${cap.account} goes on in ${count.spent.period}: the clock is behind`)
    return count
  }

  /** A path that was removed stays with its connection until its last subflow is closed. What `ctl paths set` has said counts. */
  #limit({ label, maxBytes: before }: ConnPath, maxBytes: number): void {
    const { dialer, capOf } = this.#init
    const isOurs = before === this.#told.get(label) || before === capOf(label)?.limitBytes
    if (!isOurs || before === maxBytes || !dialer.stats().some((path) => path.label === label)) return
    this.#told.set(label, maxBytes)
    dialer.setPathPolicy(label, { maxBytes })
  }

  #save(): void {
    this.#savedAt = performance.now()
    if (this.#counts.size === 0) return
    try {
      writeCaps(this.#init.file, (stored) =>
        Object.fromEntries([...this.#counts].map(([name, count]) => [name, count.save(stored[name])])),
      )
    } catch (error) {
      this.#init.warn(`cannot remember what capped paths have spent: ${(error as Error).message}`)
    }
  }
}
