// SPDX-License-Identifier: Apache-2.0
/** Finds out, once for each path and kind of failure, whether it will go away by itself. */
import { formatHostPort } from '../parse.js'
import type { FailedPath, Fault } from './fault.js'
import { faultOf, isWorthAsking, knownFault } from './fault.js'
import type { BookedPath, PathBook } from './path-book.js'
import { REMIND_MS } from './path-journal.js'
import { whoAnswers } from './probe.js'

interface Asked {
  readonly message: string
  readonly at: number
  readonly fault: Promise<Fault | undefined>
}

export class FaultFinder {
  readonly #book: PathBook
  /** What was found out by asking, by label. */
  readonly #asked = new Map<string, Asked>()

  constructor(book: PathBook) {
    this.#book = book
  }

  /** Never rejects. */
  async find(label: string, error: Error, signal: AbortSignal): Promise<Fault | undefined> {
    const path = this.#book.get(label)
    if (path === undefined) return undefined
    const usesTls = path.transport === 'tls' || path.transport === 'wss'
    const failed: FailedPath = { place: formatHostPort(path), usesTls, error }
    const known = knownFault(failed)
    if (known !== undefined || !isWorthAsking(failed)) return known
    const before = this.#asked.get(label)
    if (before?.message === error.message && performance.now() - before.at < REMIND_MS) return before.fault
    const fault = ask(path, failed, signal)
    this.#asked.set(label, { message: error.message, at: performance.now(), fault })
    return fault
  }
}

async function ask(path: BookedPath, failed: FailedPath, signal: AbortSignal): Promise<Fault | undefined> {
  const { localAddress } = path
  return faultOf(failed, await whoAnswers(path, { localAddress, signal }))
}
