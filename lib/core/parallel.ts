// SPDX-License-Identifier: Apache-2.0
/**
 * How many subflows a path is to have: decided by whoever sends on it, and here alone. Where repairs show that losses
 * limit the rate, further ones are tried. They stay where each adds a tenth, and brings about as much as those
 * before did: on a full link, they would only share what others leave.
 */
import type { Millis } from '../clock.js'
import { encodeParallel } from '../wire/parallel-frame.js'
import type { Action } from './action.js'
import type { Path } from './path.js'
import type { Sender } from './sender.js'
import type { Subflow } from './subflow.js'

/** Paths are looked at this often, milliseconds. */
const LOOK_MS = 20
/** The span of a measurement: milliseconds, or round trips on long paths. */
const MEASURE_MS = 500
const MEASURE_ROUNDS = 25
/** Before a trial, the rate is a mean over this many times that span at most. */
const LONG_BEFORE = 8
/** A trial that is undecided lasts for this many times that span at most. */
const PATIENCE = 3
/** A trial with one less, and any after one that failed, lasts for this many times that span. */
const DOUBT = 4
/** The number of subflows that the first trial adds: what they bring stands out from the noise of losses. */
const FIRST_STEP = 3
/** The time before new subflows are measured: milliseconds, or round trips on long paths. */
const SETTLE_MS = 200
const SETTLE_ROUNDS = 10
/** The time that new subflows have to open, milliseconds. */
const OPEN_MS = 2000
/** A new subflow has no queue of its own. Others have filled one if its RTT exceeds the path's shortest by this share, and by at least this many milliseconds. */
const QUEUE_SHARE = 0.25
const QUEUE_MS = 5
/** The share of the rate before the trial that each new subflow has to add. */
const LEAST_GAIN = 0.1
/** The pause after a trial that brought nothing, milliseconds. Each further one is REST_GROWTH times as long, up to LAST_REST_MS. */
const FIRST_REST_MS = 2000
const REST_GROWTH = 4
const LAST_REST_MS = 120_000
/** The time after which a path tries to do with one subflow less, milliseconds. It doubles each time that the subflow was missed. */
const FIRST_DROP_MS = 10_000
const LAST_DROP_MS = 120_000
/** A subflow is missed if the path loses at least this share of its rate without it. */
const LEAST_LOSS = 0.05
/** A path that has had nothing to send for this time, milliseconds, returns to its least number of subflows. */
const IDLE_MS = 10_000

export type Wanted = Extract<Action, { kind: 'parallel' }>
type Emit = (wanted: Wanted) => void
const NONE = new Map<Path | string, PathTrial>()

export class Parallel {
  readonly #subflows: readonly Subflow[]
  readonly #sender: Sender
  readonly #emit: Emit
  /** By path, or by its label; made when a path that may have several subflows has bulk data. */
  #trials: Map<Path | string, PathTrial> | undefined
  #lookedAt: Millis = -Infinity

  constructor(subflows: readonly Subflow[], sender: Sender, emit: Emit) {
    this.#subflows = subflows
    this.#sender = sender
    this.#emit = emit
  }

  /** Looks at the paths whether more or fewer subflows are wanted. */
  review(now: Millis): void {
    if (now - this.#lookedAt < LOOK_MS) return
    this.#lookedAt = now
    const { scheduler, isIdle } = this.#sender
    const isBulk = !isIdle && scheduler.name === 'lowest-rtt'
    const trials = this.#trials ?? NONE
    if (trials.size === 0 && !(isBulk && this.#subflows.some(mayVary))) return
    const groups = this.#byPath()
    for (const key of trials.keys()) if (!groups.has(key)) trials.delete(key)
    for (const [key, subflows] of groups) this.#look(key, subflows, isBulk, now)
  }

  #look(key: Path | string, subflows: readonly Subflow[], isBulk: boolean, now: Millis): void {
    const trials = (this.#trials ??= new Map<Path | string, PathTrial>())
    let trial = trials.get(key)
    if (trial === undefined) trials.set(key, (trial = new PathTrial(subflows.length, now)))
    for (const { repairs, kernel } of isBulk ? subflows : [])
      if (!repairs.isWatched) repairs.watch(() => kernel?.retransmits())
    const count = trial.look(subflows, isBulk, now)
    if (count !== undefined) this.#want(subflows[0]!, count)
  }

  /** The peer sends, and asks for `count` subflows on the path of `subflow`. */
  heard(subflow: Subflow, count: number): void {
    const { path, isDialer } = subflow
    if (isDialer) this.#emit({ kind: 'parallel', path, count, by: 'peer' })
  }

  /** The dialer opens and closes them. */
  #want({ path, acks, isDialer }: Subflow, count: number): void {
    if (isDialer) this.#emit({ kind: 'parallel', path, count, by: 'us' })
    else acks.addBytes(encodeParallel(count))
  }

  /** Those that carry data. A listener knows its peer's paths by their labels. */
  #byPath(): Map<Path | string, Subflow[]> {
    const groups = new Map<Path | string, Subflow[]>()
    for (const subflow of this.#subflows) {
      const key = subflow.isDialer ? subflow.path : subflow.peerLabel
      if (key === undefined || subflow.state !== 'up' || subflow.gracefulClose !== undefined) continue
      const group = groups.get(key)
      if (group === undefined) groups.set(key, [subflow])
      else group.push(subflow)
    }
    return groups
  }
}

type Phase = 'watch' | 'open' | 'settle' | 'measure'

/** One path: the trial under way, or when the next may be. */
class PathTrial {
  #phase: Phase = 'watch'
  #since: Millis
  /** Those that are measured, and how much they had delivered when that began. */
  #measured: readonly Subflow[] = []
  #from = 0
  /** Of a trial: those that were there before and stay, and what there was before, bytes per millisecond. */
  #olds: readonly Subflow[] = []
  #before = 0
  /** It tries whether one less is enough. */
  #isDrop = false
  /** How many are tried at once: more each time that all went well. */
  #step = FIRST_STEP
  #restMs = FIRST_REST_MS
  #restUntil: Millis = -Infinity
  #dropMs = FIRST_DROP_MS
  #dropAt: Millis
  /** Subflows that were wanted last. */
  #asked: number
  #lossyAt: Millis = -Infinity
  #bulkAt: Millis
  /** The shortest round trip ever, milliseconds. */
  #shortest = Infinity

  /** @param count - of the subflows that it has already */
  constructor(count: number, now: Millis) {
    this.#asked = count
    this.#since = this.#bulkAt = now
    this.#dropAt = now + FIRST_DROP_MS
  }

  /** @returns how many subflows are wanted from now on, where that changes */
  look(subflows: readonly Subflow[], isBulk: boolean, now: Millis): number | undefined {
    const { path } = subflows[0]!
    const rtt = Math.min(...subflows.map((subflow) => subflow.rtt.min))
    if (!isBulk || path.isPaused) return this.#idle(path, now)
    this.#bulkAt = now
    this.#shortest = Math.min(this.#shortest, rtt)
    if (subflows.some((subflow) => showsLosses(subflow, now, rtt))) this.#lossyAt = now
    if (this.#phase === 'open') return this.#open(subflows, now)
    if (this.#phase === 'settle') this.#settle(subflows, now, rtt)
    else if (this.#phase === 'measure') return this.#judge(now, rtt)
    else {
      this.#watch(subflows, now, rtt)
      return this.#begin(subflows, path, now, rtt)
    }
    return undefined
  }

  /** Without data, nothing can be measured, and one subflow is enough. */
  #idle(path: Path, now: Millis): number | undefined {
    this.#restart('watch', [], now)
    if (now - this.#bulkAt < IDLE_MS || this.#asked <= path.leastSubflows) return undefined
    return (this.#asked = path.leastSubflows)
  }

  /** What the path brings, while nothing is tried. */
  #watch(subflows: readonly Subflow[], now: Millis, rtt: Millis): void {
    const ms = now - this.#since
    const isOfUse = subflows.length > 1 || subflows[0]!.repairs.isSuspicious(now, rtt)
    if (!isOfUse || !isEqual(subflows, this.#measured)) {
      this.#before = 0
      this.#restart('watch', subflows, now)
    } else if (ms >= measureMs(rtt)) {
      this.#before = (deliveredBy(subflows) - this.#from) / ms
      if (ms >= LONG_BEFORE * measureMs(rtt)) this.#restart('watch', subflows, now)
    }
  }

  #begin(subflows: readonly Subflow[], path: Path, now: Millis, rtt: Millis): number | undefined {
    const { length } = subflows
    if (this.#before === 0) return undefined
    this.#isDrop = length > path.leastSubflows && now >= this.#dropAt && length <= this.#asked
    if (this.#isDrop) {
      this.#olds = subflows.slice(0, -1)
      this.#restart('settle', this.#olds, now)
      return (this.#asked = length - 1)
    }
    const count = Math.min(length + this.#step, path.mostSubflows)
    if (this.#lossyAt < now || now < this.#restUntil || count <= length) return undefined
    this.#dropAt = now + Math.max(this.#dropMs, LONG_BEFORE * measureMs(rtt))
    this.#olds = subflows
    this.#step = count - length
    this.#restart('open', subflows, now)
    return (this.#asked = count)
  }

  #open(subflows: readonly Subflow[], now: Millis): number | undefined {
    const isThere = subflows.length >= this.#olds.length + this.#step
    if (!isThere && now - this.#since < OPEN_MS) return undefined
    if (subflows.length <= this.#olds.length || this.#meetQueue(subflows)) return this.#failed(now)
    this.#restart('settle', subflows, now)
    return undefined
  }

  /**
   * A full queue is what loses packets: more subflows would only take room in it from others. Once some have been of use, a
   * queue may be their own.
   */
  #meetQueue(subflows: readonly Subflow[]): boolean {
    if (this.#olds.length > 1) return false
    const news = subflows.filter((subflow) => !this.#olds.includes(subflow))
    const least = Math.min(...news.map(({ rtt }) => rtt.min))
    return least < Infinity && least > this.#shortest + Math.max(QUEUE_MS, QUEUE_SHARE * this.#shortest)
  }

  #settle(subflows: readonly Subflow[], now: Millis, rtt: Millis): void {
    if (now - this.#since < Math.max(SETTLE_MS, SETTLE_ROUNDS * rtt)) return
    this.#restart('measure', this.#isDrop ? this.#olds : subflows, now)
  }

  /**
   * Each brings as much as before where losses limit the rate. On a full link that one other stream shares, it would bring
   * as much less as there are more to share: halfway there, nothing is gained.
   */
  #judge(now: Millis, rtt: Millis): number | undefined {
    const ms = now - this.#since
    const isDoubtful = this.#isDrop || this.#restMs > FIRST_REST_MS
    if (ms < (isDoubtful ? DOUBT : 1) * measureMs(rtt)) return undefined
    const rate = (deliveredBy(this.#measured) - this.#from) / ms
    if (this.#isDrop) return this.#judgeDrop(rate, now)
    const [count, countBefore] = [this.#measured.length, this.#olds.length]
    const share = rate / count / (this.#before / countBefore)
    const crowded = (countBefore + 1) / (count + 1)
    const isGain = rate >= (1 + LEAST_GAIN * (count - countBefore)) * this.#before
    if (!isGain || share < Math.sqrt(crowded)) {
      const isHopeless = share < crowded || ms >= PATIENCE * measureMs(rtt)
      return isHopeless ? this.#failed(now) : undefined
    }
    this.#step *= 2
    this.#restMs = FIRST_REST_MS
    this.#before = 0
    this.#restart('watch', this.#measured, now)
    return undefined
  }

  /** Without one of them: it comes back where it is missed, and losses are the reason. */
  #judgeDrop(rate: number, now: Millis): number | undefined {
    const isMissed = rate < (1 - LEAST_LOSS) * this.#before && this.#lossyAt >= this.#since
    this.#dropMs = isMissed ? Math.min(2 * this.#dropMs, LAST_DROP_MS) : FIRST_DROP_MS
    this.#dropAt = isMissed ? now + this.#dropMs : now
    this.#before = isMissed ? 0 : rate
    this.#restart('watch', this.#measured, now)
    return isMissed ? ++this.#asked : undefined
  }

  #failed(now: Millis): number {
    this.#step = 1
    this.#restUntil = now + this.#restMs
    this.#restMs = Math.min(REST_GROWTH * this.#restMs, LAST_REST_MS)
    this.#restart('watch', [], now)
    return (this.#asked = this.#olds.length)
  }

  #restart(phase: Phase, measured: readonly Subflow[], now: Millis): void {
    this.#phase = phase
    this.#measured = measured
    this.#from = deliveredBy(measured)
    this.#since = now
  }
}

/** The number of subflows on its path is for this side to decide. */
const mayVary = ({ path }: Subflow): boolean => path.mostSubflows > path.leastSubflows

// Without a count, acks are enough where the application asked for more subflows.
/** Losses limit its rate, by its acks and by its kernel's count. A kernel with BBR does not send less after losses. */
function showsLosses({ path, repairs, kernel }: Subflow, now: Millis, rtt: Millis): boolean {
  if (!repairs.isLossy(now, rtt) || kernel?.isModelBased() === true) return false
  return repairs.isCounted || !path.isParallelAuto
}

const measureMs = (rtt: Millis): Millis => Math.max(MEASURE_MS, MEASURE_ROUNDS * rtt)

function deliveredBy(subflows: readonly Subflow[]): number {
  return subflows.reduce((sum, { counters }) => sum + counters.bytesAcked, 0)
}

function isEqual(some: readonly Subflow[], others: readonly Subflow[]): boolean {
  return some.length === others.length && some.every((subflow) => others.includes(subflow))
}
