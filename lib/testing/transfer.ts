// SPDX-License-Identifier: Apache-2.0
/** Bytes that go from one end of a connection to the other over simulated links, under a scheduler. */
import { AssertionError } from 'node:assert'
import { Readable } from 'node:stream'
import type { Scheduler } from '../core/scheduler.js'
import type { MultipathConn } from '../index.js'
import { MultipathDialer, MultipathListener } from '../index.js'
import type { Link } from './link.js'
import type { ManualClock } from './manual-clock.js'
import { SeededRandom } from './seeded-random.js'
import { SimulatedNetwork } from './simulated-network.js'

/** Time for every path to join. */
const JOIN_MS = 500
const STEP_MS = 10
/** Longest time in which nothing arrives, milliseconds; a silent path is noticed in a fifth of it. */
const STANDSTILL_MS = 1000
/** A prime, so that bytes in the wrong place are the wrong bytes. */
const PATTERN = Buffer.from(new SeededRandom(1).bytes(65_521))

/** A link without jitter and losses. */
export interface LinkShape {
  readonly rateMbps: number
  /** One way, milliseconds. */
  readonly delayMs: number
}

export class Transfer {
  readonly clock: ManualClock
  readonly links: readonly Link[]
  /** Bytes that have arrived. */
  received = 0
  readonly #scheduler: Scheduler
  readonly #shapes: readonly LinkShape[]
  readonly #listener: MultipathListener
  readonly #dialer: MultipathDialer
  #near: MultipathConn | undefined
  #far: MultipathConn | undefined
  #toSend = 0
  #movedAt = 0
  #wrongAt: number | undefined
  #failure: { readonly side: string; readonly error: Error & { code?: string } } | undefined
  #closed = 0

  constructor(scheduler: Scheduler, shapes: readonly LinkShape[]) {
    const network = new SimulatedNetwork()
    const { clock } = network
    this.clock = clock
    this.#scheduler = scheduler
    this.#shapes = shapes
    this.links = shapes.map((shape) => network.link(shape))
    const servers = this.links.map(({ server }) => server)
    this.#listener = new MultipathListener(servers, [], { clock })
    const dialers = this.links.map((link, index) => link.dialer(`link ${index + 1}`))
    this.#dialer = new MultipathDialer('the other end', dialers, { clock, scheduler })
  }

  /** Opens the connection, gives its paths time to join, and begins to send. */
  async begin(bytes: number): Promise<void> {
    const opening = Promise.all([this.#dialer.dial(), this.#listener.accept()])
    const [near, far] = await this.clock.until(opening)
    this.#near = near
    this.#far = far
    this.#watch('the sender', near)
    this.#watch('the receiver', far)
    near.resume()
    far.on('data', (chunk: Buffer) => {
      this.#take(chunk)
    })
    await this.clock.run(JOIN_MS)
    this.#movedAt = this.clock.now()
    this.#toSend = bytes
    Readable.from(patternOf(bytes)).pipe(near)
  }

  /** Lets time pass. @throws AssertionError as soon as something is wrong, or stands still */
  async passes(ms: number): Promise<void> {
    const end = this.clock.now() + ms
    while (this.clock.now() < end) {
      await this.clock.run(Math.min(STEP_MS, end - this.clock.now()))
      this.#check()
    }
  }

  /** Lets time pass until both ends have closed in order. @throws AssertionError where they do not */
  async ends(): Promise<void> {
    while (this.#closed < 2) await this.passes(STEP_MS)
    if (this.received !== this.#toSend) this.fail('ended early')
  }

  async close(): Promise<void> {
    this.#near?.destroy()
    this.#far?.destroy()
    await this.clock.until(this.#listener.close())
  }

  /** @throws AssertionError that says what went wrong, over which links, and what each has carried */
  fail(what: string, cause?: unknown): never {
    const links = this.#shapes.map(({ rateMbps, delayMs }) => `${rateMbps} Mbit/s ${delayMs} ms`).join(' + ')
    const carried = this.#near
      ?.subflows()
      .map(({ label, state, sentBytes }) => `${label} (${state}) got ${sentBytes} bytes`)
      .join(', ')
    const progress = `after ${this.received} of ${this.#toSend} bytes; ${carried || 'no subflow is left'}`
    const error = new AssertionError({
      message: `${this.#scheduler.name} over ${links}: ${what}, ${progress}`,
    })
    throw cause === undefined ? error : Object.assign(error, { cause })
  }

  #watch(side: string, conn: MultipathConn): void {
    conn.once('error', (error: Error) => {
      this.#failure ??= { side, error }
    })
    conn.once('close', () => {
      this.#closed++
      this.#movedAt = this.clock.now()
    })
  }

  #take(chunk: Buffer): void {
    if (this.#wrongAt === undefined && !isPattern(chunk, this.received)) this.#wrongAt = this.received
    this.received += chunk.length
    this.#movedAt = this.clock.now()
  }

  #check(): void {
    if (this.#failure !== undefined) {
      const { side, error } = this.#failure
      this.fail(`${side} failed with ${error.code ?? error.name} (${error.message})`, error)
    }
    if (this.#wrongAt !== undefined) this.fail(`bytes are wrong or out of order from ${this.#wrongAt} on`)
    const still = this.clock.now() - this.#movedAt
    if (this.#closed < 2 && still > STANDSTILL_MS) this.fail(`nothing moved for ${Math.round(still)} ms`)
  }
}

function* patternOf(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= PATTERN.length)
    yield PATTERN.subarray(0, Math.min(left, PATTERN.length))
}

/** Whether `chunk` is what was sent from byte `from` on. */
function isPattern(chunk: Buffer, from: number): boolean {
  for (let at = 0; at < chunk.length; ) {
    const start = (from + at) % PATTERN.length
    const length = Math.min(PATTERN.length - start, chunk.length - at)
    if (PATTERN.compare(chunk, at, at + length, start, start + length) !== 0) return false
    at += length
  }
  return true
}
