// SPDX-License-Identifier: Apache-2.0
/** Several connections side by side until time is up, what they did in all, and how much memory it took. */
import type { GoPeer } from '../../interop/support/go-peer.js'
import { SeededRandom } from 'multipath-net/testing'
import { type Outcome, SoakConnection } from './connection.js'
import type { Fault } from './path.js'
import { drawPlan, drawSeed, type Kind } from './plan.js'

const SLOTS = 4
const SAMPLE_MS = 500
const MIB = 1_048_576
const MOST_RSS = 600 * MIB

export interface SoakInit {
  readonly minutes: number
  readonly seed: number
  readonly kinds: readonly Kind[]
  /** Starts a Go peer. */
  readonly startGo: () => Promise<GoPeer>
}

/** What one kind of connection came to. */
interface Sum {
  connections: number
  bytesUp: number
  bytesDown: number
}

export class Soak implements Disposable {
  readonly #init: SoakInit
  readonly #startedAt = performance.now()
  readonly #sums = new Map<string, Sum>()
  readonly #faults: Record<Fault['name'], number> = { freeze: 0, cut: 0, rate: 0 }
  readonly #live = new Set<SoakConnection>()
  readonly #sampling: NodeJS.Timeout
  readonly #rssAtStart = process.memoryUsage.rss()
  #rssPeak = this.#rssAtStart
  #stuckInGo = 0

  constructor(init: SoakInit) {
    this.#init = init
    this.#sampling = setInterval(() => this.#sample(), SAMPLE_MS)
  }

  /** @throws an Error whose message tells the connection that failed, with its state */
  async run(): Promise<void> {
    const random = new SeededRandom(this.#init.seed)
    const seeds = Array.from({ length: SLOTS }, () => drawSeed(random))
    await Promise.all(seeds.map((seed, slot) => this.#fill(`${slot + 1}`, new SeededRandom(seed))))
    this.#sample()
    if (this.#rssPeak > MOST_RSS)
      throw new Error(`the process took ${mib(this.#rssPeak)}, more than ${mib(MOST_RSS)}`)
  }

  progress(): string {
    const sums = [...this.#sums.values(), ...[...this.#live].map((one) => sumOf([one]))]
    const bytes = sums.reduce((total, one) => total + one.bytesUp + one.bytesDown, 0)
    const done = [...this.#sums.values()].reduce((total, one) => total + one.connections, 0)
    const seconds = (performance.now() - this.#startedAt) / 1000
    const { freeze, cut, rate } = this.#faults
    return (
      `${(seconds / 60).toFixed(1)} min: ${done} connections ended, ${this.#live.size} live, ` +
      `${mib(bytes)} at ${(bytes / MIB / seconds).toFixed(1)} MiB/s, ` +
      `${freeze} freezes, ${cut} cuts, ${rate} rate changes, RSS ${mib(process.memoryUsage.rss())}`
    )
  }

  summary(): string {
    const lines = [...this.#sums].map(
      ([name, sum]) =>
        `${name.padEnd(22)} ${String(sum.connections).padStart(5)} connections, ` +
        `${sum.bytesUp} bytes up and ${sum.bytesDown} down, sent and received`,
    )
    if (this.#stuckInGo > 0)
      lines.push(
        `left out: ${this.#stuckInGo} connections whose Go peer locked itself up (see bench/soak.ts)`,
      )
    const rss = [this.#rssAtStart, process.memoryUsage.rss(), this.#rssPeak].map(mib)
    lines.push(`RSS at the start ${rss[0]}, at the end ${rss[1]}, at the peak ${rss[2]}`)
    return lines.join('\n')
  }

  [Symbol.dispose](): void {
    clearInterval(this.#sampling)
  }

  /** One connection after the other. */
  async #fill(slot: string, random: SeededRandom): Promise<void> {
    const isLate = (): boolean => performance.now() - this.#startedAt >= this.#init.minutes * 60_000
    for (let i = 1; i === 1 || !isLate(); i++) {
      const plan = drawPlan(new SeededRandom(drawSeed(random)), this.#init.kinds)
      const connection = new SoakConnection(`${slot}.${i}`, plan, ({ name }) => this.#faults[name]++)
      this.#live.add(connection)
      let outcome: Outcome
      try {
        outcome = await connection.run(this.#init.startGo, isLate)
      } catch (error) {
        throw new Error(`${(error as Error).message}\n${connection.describe()}`, { cause: error })
      }
      this.#live.delete(connection)
      if (outcome === 'stuck in Go') {
        this.#stuckInGo++
        continue
      }
      const sum = this.#sums.get(plan.kind.name)
      this.#sums.set(plan.kind.name, sumOf([connection], sum))
    }
  }

  #sample(): void {
    this.#rssPeak = Math.max(this.#rssPeak, process.memoryUsage.rss())
  }
}

function sumOf(
  connections: readonly SoakConnection[],
  { connections: count, bytesUp, bytesDown }: Sum = { connections: 0, bytesUp: 0, bytesDown: 0 },
): Sum {
  return connections.reduce<Sum>(
    (sum, { up, down }) => ({
      connections: sum.connections + 1,
      bytesUp: sum.bytesUp + up.received,
      bytesDown: sum.bytesDown + down.received,
    }),
    { connections: count, bytesUp, bytesDown },
  )
}

function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(0)} MiB`
}
