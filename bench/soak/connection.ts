// SPDX-License-Identifier: Apache-2.0
/** One connection of the soak: its rounds, the account of its bytes, and what to tell when it fails. */
import { setTimeout as delay } from 'node:timers/promises'
import { isLockedUp } from '../../interop/support/go-traces.js'
import type { GoPeer } from '../../interop/support/go-peer.js'
import type { End } from './ends.js'
import { disturb } from './faults.js'
import { open, type Opened } from './open.js'
import { describeFault, type Fault } from './path.js'
import type { Plan, Slice } from './plan.js'

/** Without a byte and without a step for so long, a connection has failed. */
const STANDSTILL_MS = 30_000
const LOOK_MS = 1_000
const FAULTS_KEPT = 20

/** Nothing moves any more. */
class Standstill extends Error {}

/** What became of a connection: over in order, or left to a Go peer that had locked itself up. */
export type Outcome = 'ended' | 'stuck in Go'

/** Bytes of one direction. */
export interface Tally {
  sent: number
  received: number
}

export class SoakConnection {
  readonly plan: Plan
  readonly up: Tally = { sent: 0, received: 0 }
  readonly down: Tally = { sent: 0, received: 0 }
  readonly #name: string
  readonly #startedAt = performance.now()
  readonly #onFault: (fault: Fault) => void
  readonly #lastFaults: string[] = []
  #opened: Opened | undefined
  #step = 'opening'
  #steps = 0

  constructor(name: string, plan: Plan, onFault: (fault: Fault) => void) {
    this.#name = name
    this.plan = plan
    this.#onFault = onFault
  }

  /**
   * Resolves when it has ended in order, every byte accounted for, or when Go has locked itself up.
   *
   * @param startGo - starts a peer of this connection's own, so that it can be asked for its goroutines
   * @param isLate - when it is time to end, after the round that has begun
   * @throws what went wrong; it is not cleaned up then
   */
  async run(startGo: () => Promise<GoPeer>, isLate: () => boolean): Promise<Outcome> {
    const { dials, listens } = this.plan.kind
    const go = dials === 'Go' || listens === 'Go' ? await startGo() : undefined
    const outcome = await this.#outcome(go, isLate)
    await this.#close(outcome)
    await go?.[Symbol.asyncDispose]()
    return outcome
  }

  async #outcome(go: GoPeer | undefined, isLate: () => boolean): Promise<Outcome> {
    const over = new AbortController()
    try {
      await Promise.race([this.#live(go, isLate, over.signal), this.#watch(over.signal)])
      return 'ended'
    } catch (error) {
      if (!(error instanceof Standstill) || !isLockedUp((await go?.traces()) ?? '')) throw error
      return 'stuck in Go'
    } finally {
      over.abort()
    }
  }

  async #close(outcome: Outcome): Promise<void> {
    if (outcome === 'stuck in Go') for (const conn of this.#opened?.conns ?? []) conn.resetAndDestroy()
    try {
      await this.#opened?.[Symbol.asyncDispose]()
    } catch (error) {
      // A Go peer that has been ended for its traces closes nothing any more.
      if (outcome === 'ended') throw error
    }
  }

  describe(): string {
    const { kind, rates, steady, rounds } = this.plan
    const opened = this.#opened
    const lines = [
      `connection ${this.#name}: ${kind.name}, ${rates.length} paths, path ${steady} steady, ${rounds.length} rounds`,
      `at ${this.#seconds()} s of its life: ${this.#step}`,
      `up: ${this.up.sent} bytes sent, ${this.up.received} received; down: ${this.down.sent} sent, ${this.down.received} received`,
      ...(opened?.paths.map((path, i) => `path ${i}: ${path.describe()}`) ?? []),
      ...(opened?.conns.flatMap((conn) => [
        `conn: ${conn.bytesRead} read, ${conn.bytesWritten} written, ${conn.unflushedBytes} unflushed, destroyed ${conn.destroyed}`,
        ...conn.subflows().map((subflow) => `  ${JSON.stringify(subflow)}`),
      ]) ?? []),
      ...(opened?.dialer?.stats().map((path) => `dialer: ${JSON.stringify(path)}`) ?? []),
      'last faults:',
      ...this.#lastFaults.map((line) => `  ${line}`),
    ]
    return lines.join('\n')
  }

  async #live(go: GoPeer | undefined, isLate: () => boolean, signal: AbortSignal): Promise<void> {
    const opened = await open(this.plan, go, signal)
    this.#opened = opened
    void disturb(opened.paths, this.plan, (index, fault) => this.#suffered(index, fault), signal)
    const { dialling, listening } = opened
    for (const [i, round] of this.plan.rounds.entries()) {
      const isLast = i === this.plan.rounds.length - 1 || isLate()
      this.#enter(`round ${i + 1}`)
      await Promise.all([
        this.#transfer(dialling, listening, round.up, this.up, isLast),
        this.#transfer(listening, dialling, round.down, this.down, isLast),
      ])
      if (isLast) break
    }
    this.#enter('ending')
    await Promise.all([dialling.finish(), listening.finish()])
    for (const { sent, received } of [this.up, this.down])
      if (sent !== received) throw new Error(`${sent} bytes were sent, ${received} received`)
  }

  /** Where one side alone sends, or both know of half-close, the end follows the last byte at once. */
  async #transfer(
    from: End,
    to: End,
    slices: readonly Slice[],
    tally: Tally,
    isLast: boolean,
  ): Promise<void> {
    const sending = async (): Promise<string[]> => {
      const sums: string[] = []
      for (const slice of slices) {
        sums.push(await from.send(slice))
        tally.sent += slice.bytes
      }
      if (isLast && slices.length > 0 && this.plan.kind.faults === 'all') from.end()
      return sums
    }
    const receiving = async (): Promise<string[]> => {
      const sums: string[] = []
      for (const slice of slices) {
        if (slice.pauseMs > 0) await delay(slice.pauseMs)
        sums.push(await to.receive(slice))
        tally.received += slice.bytes
      }
      return sums
    }
    const [sent, received] = await Promise.all([sending(), receiving()])
    const wrong = sent.findIndex((sum, i) => sum !== received[i])
    if (wrong >= 0) throw new Error(`slice ${wrong} has another SHA-256 than what was sent`)
  }

  async #watch(signal: AbortSignal): Promise<void> {
    let before = ''
    let since = performance.now()
    while (!signal.aborted) {
      const now = this.#progress()
      if (now !== before) since = performance.now()
      before = now
      if (performance.now() - since > STANDSTILL_MS)
        throw new Standstill(`no progress for ${STANDSTILL_MS} ms`)
      await delay(LOOK_MS, undefined, { signal }).catch(() => undefined)
    }
  }

  #progress(): string {
    const { dialling, listening } = this.#opened ?? {}
    const read = (dialling?.bytesRead ?? 0) + (listening?.bytesRead ?? 0)
    return `${this.#steps} ${read} ${this.up.received + this.down.received}`
  }

  #enter(step: string): void {
    this.#step = step
    this.#steps++
  }

  #suffered(index: number, fault: Fault): void {
    this.#lastFaults.push(`${this.#seconds()} s, path ${index}: ${describeFault(fault)}`)
    if (this.#lastFaults.length > FAULTS_KEPT) this.#lastFaults.shift()
    this.#onFault(fault)
  }

  #seconds(): string {
    return ((performance.now() - this.#startedAt) / 1000).toFixed(1)
  }
}
