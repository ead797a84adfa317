// SPDX-License-Identifier: Apache-2.0
/** A path between two ends in virtual time: streams over it, and what can happen to them. */
import { Server } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Clock } from '../clock.js'
import { OptionError } from '../errors.js'
import type { PathOptions, SubflowDialer } from '../transport/transport.js'
import { ignore } from '../ignore.js'
import { Direction } from './direction.js'
import type { Kernel } from './kernels.js'
import { KERNELS, kernelWindow } from './kernels.js'
import { LinkEnd } from './link-end.js'
import { Pipe } from './pipe.js'
import { SimulatedSocket } from './simulated-socket.js'

/** Properties of a link, the same in both directions. */
export interface LinkOptions {
  /** Megabits per second; Infinity for no limit. Default: 100. */
  rateMbps?: number | undefined
  /** One-way delay, milliseconds. Default: 10. */
  delayMs?: number | undefined
  /**
   * Largest extra delay, milliseconds. It is drawn at random once in each period of this length, and changes gradually in
   * between. Default: 0.
   */
  jitterMs?: number | undefined
  /** Size of the queue in front of the bottleneck, bytes; all streams share it. Default: 262,144. */
  queueBytes?: number | undefined
  /** Share of lost segments, 0 to 1. TCP hides a loss: the segment arrives a round trip later. Default: 0. */
  lossRate?: number | undefined
  /**
   * A rough model of the sender's congestion control. It limits the bytes in flight, its queue overflows, and lost segments
   * are sent again after a round trip. Default: `none`: a stream fills the queue and waits.
   */
  kernel?: Kernel | undefined
  /** Bytes that a stream's sender buffers beyond what is on its way. Default: 262,144. */
  sendBufferBytes?: number | undefined
  /** Bytes of a stream that are on their way or unread. Beyond it, the sender waits. Default: 8,388,608. */
  receiveBufferBytes?: number | undefined
}

/** Both directions, from the dialling end to the listening one, or back. */
export type Way = 'both' | 'there' | 'back'

const DEFAULTS = {
  rateMbps: 100,
  delayMs: 10,
  jitterMs: 0,
  queueBytes: 262_144,
  lossRate: 0,
  kernel: 'none' as Kernel,
  sendBufferBytes: 262_144,
  receiveBufferBytes: 8_388_608,
}
type Resolved = typeof DEFAULTS

/** Linux: smallest retransmission timeout, and the one before anything is known; milliseconds. */
const MIN_RETRY_MS = 200
const CONNECT_RETRY_MS = 1000

/** A simulated link: rate, delay, loss and queue, freezes and cuts. */
export class Link {
  /** A server for a MultipathListener: it emits `connection` for each stream that {@link dialer} opens. */
  readonly server: Server = new Server()
  readonly #clock: Clock
  readonly #there: Direction
  readonly #back: Direction
  readonly #streams = new Set<readonly [LinkEnd, LinkEnd]>()
  #options: Resolved
  #isDown = false

  /** @internal */
  constructor(clock: Clock, random: () => number, options: LinkOptions) {
    this.#clock = clock
    this.#options = resolve(options, DEFAULTS)
    this.#there = new Direction(clock, random, this.#options)
    this.#back = new Direction(clock, random, this.#options)
  }

  /** Number of open streams, including those whose end has not reached both ends yet. */
  get streams(): number {
    this.#forgetClosed()
    return this.#streams.size
  }

  /** Changes the link from now on. Bytes on their way are not affected, and buffer sizes apply to later streams. */
  change(options: LinkOptions): void {
    this.#options = resolve(options, this.#options)
    this.#there.shape = this.#options
    this.#back.shape = this.#options
  }

  /**
   * Drops everything silently, including bytes on their way. TCP retries with exponential backoff, so a stream that was
   * sending continues some time after {@link thaw}.
   */
  freeze(way: Way = 'both'): void {
    if (way !== 'back') this.#there.freeze()
    if (way !== 'there') this.#back.freeze()
  }

  /** Ends a freeze. */
  thaw(): void {
    this.#there.thaw()
    this.#back.thaw()
  }

  /** Whether one of its directions is frozen. */
  get isFrozen(): boolean {
    return this.#there.isFrozen || this.#back.isFrozen
  }

  /** Resets every stream at both ends, and drops bytes on their way. New streams can be opened. */
  reset(): void {
    const streams = [...this.#streams]
    this.#streams.clear()
    for (const end of streams.flat()) end.break()
  }

  /** As {@link reset}, and refuses new streams until {@link restore}. */
  cut(): void {
    this.#isDown = true
    this.reset()
  }

  /** Ends a cut. */
  restore(): void {
    this.#isDown = false
  }

  /** Opens a stream at once. @returns its two ends, the dialling one first; no Node streams */
  openRaw(): [LinkEnd, LinkEnd] {
    this.#forgetClosed()
    const there = this.#newPipe(this.#there)
    const back = this.#newPipe(this.#back)
    const ends: [LinkEnd, LinkEnd] = [new LinkEnd(there, back), new LinkEnd(back, there)]
    this.#streams.add(ends)
    return ends
  }

  /** Opens a stream at once. @returns its two ends, the dialling one first */
  open(): [SimulatedSocket, SimulatedSocket] {
    const [near, far] = this.openRaw()
    return [new SimulatedSocket(near), new SimulatedSocket(far)]
  }

  /**
   * Returns a path for a MultipathDialer. It opens a stream after a round trip of the link; the other end arrives at {@link
   * server}. While the link is frozen, it waits; while it is cut, it fails with ECONNREFUSED.
   */
  dialer(label: string, { tracker, ...policy }: Omit<PathOptions, 'label'> = {}): SubflowDialer {
    return { label, tracker, policy, dial: ({ signal }) => this.#dial(signal) }
  }

  #dial(signal: AbortSignal): Promise<Duplex> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted()
      let cancel = (): void => {}
      const signalOnAbort = (): void => {
        cancel()
        reject(signal.reason as Error)
      }
      const attempt = (waitMs: number): void => {
        if (this.#isDown) {
          signal.removeEventListener('abort', signalOnAbort)
          reject(refusedError())
        } else if (this.isFrozen) {
          cancel = this.#later(waitMs, () => {
            attempt(2 * waitMs)
          })
        } else
          cancel = this.#later(2 * this.#options.delayMs, () => {
            if (this.isFrozen || this.#isDown) {
              attempt(CONNECT_RETRY_MS)
              return
            }
            signal.removeEventListener('abort', signalOnAbort)
            resolve(this.#connected())
          })
      }
      signal.addEventListener('abort', signalOnAbort, { once: true })
      attempt(CONNECT_RETRY_MS)
    })
  }

  #later(ms: number, run: () => void): () => void {
    return this.#clock.callAt(this.#clock.now() + ms, run)
  }

  #connected(): Duplex {
    const [near, far] = this.open()
    // Until the server has it, it has no other listener: an earlier cut must not be an uncaught error.
    far.on('error', ignore)
    this.#later(this.#options.delayMs, () => {
      if (far.destroyed) return
      far.off('error', ignore)
      this.server.emit('connection', far)
    })
    return near
  }

  #newPipe(direction: Direction): Pipe {
    const { sendBufferBytes, receiveBufferBytes, delayMs, kernel } = this.#options
    const retryMs = Math.max(MIN_RETRY_MS, 3 * delayMs)
    const buffers = { sendBufferBytes, receiveBufferBytes }
    return new Pipe({
      clock: this.#clock,
      carrier: direction,
      ...buffers,
      retryMs,
      kernel: kernelWindow(kernel),
    })
  }

  #forgetClosed(): void {
    for (const ends of this.#streams) if (ends.every(({ isClosed }) => isClosed)) this.#streams.delete(ends)
  }
}

/** Smallest and largest value of each option that is a number; @see LinkOptions */
const RANGES: Readonly<Record<Exclude<keyof Resolved, 'kernel'>, readonly [number, number]>> = {
  rateMbps: [0.001, Infinity],
  delayMs: [0, 60_000],
  jitterMs: [0, 60_000],
  queueBytes: [1500, Infinity],
  lossRate: [0, 0.9],
  sendBufferBytes: [1, Infinity],
  receiveBufferBytes: [1, Infinity],
}

function resolve(options: LinkOptions, defaults: Resolved): Resolved {
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  for (const [name, value] of given) check(name, value)
  return { ...defaults, ...(Object.fromEntries(given) as Partial<Resolved>) }
}

function check(name: string, value: unknown): void {
  if (name === 'kernel') {
    if (!KERNELS.includes(value as Kernel))
      throw new OptionError(`kernel must be one of ${KERNELS.join(', ')}, got ${String(value)}`)
    return
  }
  const range = (RANGES as Readonly<Record<string, readonly [number, number]>>)[name]
  if (range === undefined) throw new OptionError(`unknown option ${name}`)
  if (typeof value !== 'number' || !(value >= range[0] && value <= range[1]))
    throw new OptionError(`${name} must be from ${range[0]} to ${range[1]}, got ${String(value)}`)
}

function refusedError(): Error {
  return Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', syscall: 'connect' })
}
