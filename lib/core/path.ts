// SPDX-License-Identifier: Apache-2.0
/** What a path is for, and what it may cost: its tier, weight and caps, and what is left of them. */
import type { Millis } from '../clock.js'
import type { OptionTable } from '../options.js'
import { OptionError } from '../errors.js'
import { refuseUnknown, resolveOptions } from '../options.js'
import { Pacer } from './congestion/pacer.js'

/** The roles of paths, in the order in which they are used: see {@link PathPolicy.tier}. */
export const TIERS = ['primary', 'secondary', 'backup'] as const
/**
 * The role of a path. `primary` paths carry data, `secondary` ones while all primary ones are full or gone, and
 * `backup` ones only while all others are gone. Silent and paused paths, and those whose cap is used up, count as gone.
 */
export type Tier = (typeof TIERS)[number]

/** Numbers of a path's policy. */
export interface PathNumbers {
  /**
   * Share of the path under the scheduler `weighted`, relative to the weights of the other paths. Default: 1; 1 to
   * 1,000,000.
   */
  weight?: number | undefined
  /**
   * Limit of the payload bytes that we send on the path, including resent data and copies. Beyond it, the path carries only
   * acks and keep-alives. Default: ∞; 0 or more.
   */
  maxBytes?: number | undefined
  /** Limit of the payload bytes per second that we send on the path. Default: ∞; 1 or more. */
  maxBytesPerSecond?: number | undefined
}

/** How many subflows a path has. */
export type ParallelPolicy =
  | number
  | 'auto'
  | {
      /** The most that the path may have. 1 to 64. */
      readonly max: number
    }

/** How a path may be used by the side that sends. */
export interface PathPolicy extends PathNumbers {
  /**
   * Subflows of the path, 1 to 64. A number is their number from the start. With `{ max }` it is one at first, and further
   * ones are opened while random losses limit the rate and each adds at least a tenth. None is added under a cap, or where
   * the sender's system has BBR, which losses do not slow down.
   * `auto` is `{ max: 8 }` where the sender's system counts what TCP sends again (Linux), and 1 elsewhere. Default: `auto`.
   */
  parallel?: ParallelPolicy | undefined
  /**
   * `primary`, `secondary` (carries data while the primary paths are full or gone) or `backup` (carries data only while
   * all other paths are gone: closed, silent, paused, or with their cap used up).
   */
  tier?: Tier | undefined
}

export const PATH_TABLE: OptionTable<PathNumbers> = {
  weight: { default: 1, min: 1, max: 1_000_000 },
  maxBytes: { default: Infinity, min: 0, max: Infinity },
  maxBytesPerSecond: { default: Infinity, min: 1, max: Infinity },
}

export const POLICY_NAMES: readonly string[] = ['tier', 'parallel', ...Object.keys(PATH_TABLE)]

/** What the application may ask for: as many as a connection has by default. */
const MOST_PARALLEL = 64
/** The most of a path whose application has asked for nothing. */
const AUTO_PARALLEL = 8

/** A path that was idle may send so much of its rate at once, milliseconds. */
const BURST_MS = 10

/**
 * One path under its policy. Subflows that follow one another on it, and those of several connections of one
 * dialer, share it: a cap counts what all of them send.
 */
export class Path {
  #tier: Tier = 'primary'
  #weight = 1
  #leastSubflows = 1
  #mostSubflows = AUTO_PARALLEL
  #isAuto = true
  #maxBytes = Infinity
  #spentBytes = 0
  #receivedBytes = 0
  #version = 0
  /** Of one with a rate cap. */
  #pacer: Pacer | undefined
  #isPaused = false
  #watchers: Set<() => void> | undefined

  /** @throws {OptionError} */
  constructor(policy: PathPolicy = {}) {
    this.set(policy)
  }

  get tier(): Tier {
    return this.#tier
  }

  /** 0 for the tier that is used first. */
  get rank(): number {
    return TIERS.indexOf(this.#tier)
  }

  get weight(): number {
    return this.#weight
  }

  /** Subflows that it always has. */
  get leastSubflows(): number {
    return this.#leastSubflows
  }

  /** Subflows that it may have. What one has to share with others under a cap, more of them would not increase. */
  get mostSubflows(): number {
    const isCapped = this.#maxBytes < Infinity || this.bytesPerMs < Infinity
    return isCapped ? this.#leastSubflows : this.#mostSubflows
  }

  /** The application has set no number: further ones are then opened only where the kernel counts what it sends again. */
  get isParallelAuto(): boolean {
    return this.#isAuto
  }

  /** The rate cap, bytes per millisecond. */
  get bytesPerMs(): number {
    return this.#pacer?.bytesPerMs ?? Infinity
  }

  /** Payload bytes sent on the path. */
  get spentBytes(): number {
    return this.#spentBytes
  }

  /** Payload bytes that came on subflows of the path that are closed. */
  get receivedBytes(): number {
    return this.#receivedBytes
  }

  /** Grows with each change. */
  get version(): number {
    return this.#version
  }

  /** A subflow is closed on which so much came. */
  received(bytes: number): void {
    this.#receivedBytes += bytes
  }

  /** The byte cap. */
  get maxBytes(): number {
    return this.#maxBytes
  }

  /** Bytes left under the byte cap. */
  get leftBytes(): number {
    return Math.max(0, this.#maxBytes - this.#spentBytes)
  }

  /** It carries no data for now, only acks, pings and the like. */
  get isPaused(): boolean {
    return this.#isPaused
  }

  set isPaused(isPaused: boolean) {
    if (isPaused === this.#isPaused) return
    this.#isPaused = isPaused
    this.#tell()
  }

  /** Calls `watcher` when the policy has changed, until the returned function is called. */
  watch(watcher: () => void): () => void {
    const watchers = (this.#watchers ??= new Set())
    watchers.add(watcher)
    return () => watchers.delete(watcher)
  }

  /**
   * Changes what `policy` names, at once; what was sent before counts towards a new `maxBytes`.
   *
   * @throws {OptionError}
   */
  set(policy: PathPolicy): void {
    if ((policy as unknown) === undefined) throw new OptionError('policy must be an object, got undefined')
    refuseUnknown(policy, POLICY_NAMES)
    const { tier } = policy
    if (tier !== undefined && !TIERS.includes(tier))
      throw new OptionError(`tier must be one of ${TIERS.join(', ')}, got ${JSON.stringify(tier)}`)
    const numbers = resolveOptions(PATH_TABLE, policy)
    const parallel = checkParallel(policy.parallel)
    this.#tier = tier ?? this.#tier
    if (parallel !== undefined) this.#setParallel(parallel)
    if (policy.weight !== undefined) this.#weight = numbers.weight
    if (policy.maxBytes !== undefined) this.#maxBytes = numbers.maxBytes
    if (policy.maxBytesPerSecond !== undefined) this.#setRate(numbers.maxBytesPerSecond / 1000)
    this.#tell()
  }

  #setParallel(parallel: ParallelPolicy): void {
    this.#isAuto = parallel === 'auto'
    this.#leastSubflows = typeof parallel === 'number' ? parallel : 1
    const most = typeof parallel === 'object' ? parallel.max : this.#leastSubflows
    this.#mostSubflows = this.#isAuto ? AUTO_PARALLEL : most
  }

  /** When the rate cap lets the next frame leave: at once, or later than `now`. */
  readyAt(now: Millis): Millis {
    return this.#pacer?.readyAt(now) ?? now
  }

  /** A frame leaves. */
  spend(bytes: number, now: Millis): void {
    this.#spentBytes += bytes
    this.#pacer?.spend(bytes, now)
  }

  #setRate(bytesPerMs: number): void {
    if (bytesPerMs < Infinity) this.#pacer ??= new Pacer()
    this.#pacer?.set(bytesPerMs, BURST_MS)
    this.#pacer?.empty()
  }

  #tell(): void {
    this.#version++
    for (const watcher of [...(this.#watchers ?? [])]) watcher()
  }
}

/** @throws {OptionError} */
function checkParallel(parallel: unknown): ParallelPolicy | undefined {
  if (parallel === undefined || parallel === 'auto') return parallel
  const count = typeof parallel === 'object' ? (parallel as { max?: unknown } | null)?.max : parallel
  if (Number.isInteger(count) && (count as number) >= 1 && (count as number) <= MOST_PARALLEL)
    return parallel as ParallelPolicy
  const text = JSON.stringify(parallel)
  throw new OptionError(
    `parallel must be an integer from 1 to ${MOST_PARALLEL}, { max } or auto, got ${text}`,
  )
}
