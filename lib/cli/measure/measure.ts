// SPDX-License-Identifier: Apache-2.0
/** What the paths deliver in each direction and in both, each alone and all together, and what that does to their round-trip times. */
import { ignore } from '../../ignore.js'
import type { MultipathConn } from '../../index.js'
import { CliError } from '../cli-error.js'
import type { AskedPeer, PeerRole } from './ask-peer.js'
import type { Direction, Rates, Sample } from './figures.js'
import { medianRttMs, ratesOf } from './figures.js'
import { drainRaw, loadRaw } from './raw-load.js'
import type { Limits } from './sampling.js'
import { onlyPath } from './sampling.js'
import { loadSession } from './session-load.js'

export interface Delivery {
  /** Of one direction at a time. */
  readonly oneWay: Rates
  /** Of both at the same time; `undefined`: not measured. */
  readonly bothWays: Rates | undefined
  /** The median round trip under load, by label, of the direction in which it is longest. */
  readonly rttMs: ReadonlyMap<string, number>
}

export interface Measured {
  /** By label; paths that were not reached before it ended are missing. */
  readonly alone: ReadonlyMap<string, Delivery>
  /** Only of several paths. */
  readonly together: Delivery | undefined
  /** By label: why no connection over this path alone could be opened. */
  readonly unopened: ReadonlyMap<string, string>
  /** What ended it before its time. */
  readonly endedBy: 'stopped-reading' | 'lost' | 'refused' | undefined
  readonly error: string | undefined
}

/** A connection, and what its other end can do. */
export interface Subject extends AskedPeer {
  readonly conn: MultipathConn
}

export interface MeasureOptions extends Limits {
  /** Directions to measure on each path alone, and on all together; those that the peer cannot do are left out. */
  readonly alone: readonly Direction[]
  readonly together: readonly Direction[]
  /** Opens another connection, over this path alone. @throws {Error} */
  readonly openAlone: (label: string) => Promise<Subject>
  /** Told of each part when it begins, and of its samples as they come. `label` is `undefined` for all paths. */
  readonly onPart?: (label: string | undefined, direction: Direction) => void
  readonly onSample?: (samples: readonly Sample[]) => void
  /** A peer that takes in nothing for so long, on any path, does not read. */
  readonly stallMs: number
}

/** A connection that is ended has so long to close by itself, milliseconds. */
const CLOSING_MS = 1000

const POSSIBLE: Readonly<Record<PeerRole, readonly Direction[]>> = {
  measures: ['download', 'upload', 'both'],
  sends: ['download', 'both'],
  echoes: ['both'],
  reads: ['upload'],
}

/** The wanted directions that such a peer supports, or all that it supports if it supports none of those. */
function feasible(role: PeerRole, wanted: readonly Direction[]): readonly Direction[] {
  const both = wanted.filter((one) => POSSIBLE[role].includes(one))
  return both.length === 0 && wanted.length > 0 ? POSSIBLE[role] : both
}

/** How many parts there are. */
export function partsOf(
  role: PeerRole,
  paths: number,
  { alone, together }: Pick<MeasureOptions, 'alone' | 'together'>,
): number {
  const count = (wanted: readonly Direction[]): number => feasible(role, wanted).length
  return paths * count(alone) + (paths > 1 ? count(together) : 0)
}

/** Never rejects: what goes wrong is a figure, too. */
export async function measure(
  subject: Subject,
  labels: readonly string[],
  options: MeasureOptions,
): Promise<Measured> {
  const run = new Run(subject, options)
  try {
    for (const label of labels) await run.alone(label, labels.length === 1)
    if (labels.length > 1) await run.together()
    return run.result()
  } catch (error) {
    return run.result(error as Error)
  }
}

/** The peer took in no more, or went. */
class Stopped extends Error {
  readonly conn: MultipathConn

  constructor(conn: MultipathConn) {
    super('stopped')
    this.conn = conn
  }
}

/** Ends it in order, so that the peer sees nothing wrong in it. */
export async function closeSubject({ conn, session }: Pick<Subject, 'conn' | 'session'>): Promise<void> {
  if (conn.destroyed) return
  const closed = new Promise<void>((resolve) => conn.once('close', () => resolve()))
  conn.resume()
  if (session === undefined) conn.end()
  else session.close().catch(ignore)
  const timer = setTimeout(() => conn.destroy(), CLOSING_MS)
  await closed
  clearTimeout(timer)
}

class Run {
  readonly #subject: Subject
  readonly #options: MeasureOptions
  readonly #alone = new Map<string, Delivery>()
  readonly #unopened = new Map<string, string>()
  #together: Delivery | undefined

  constructor(subject: Subject, options: MeasureOptions) {
    this.#subject = subject
    this.#options = options
  }

  /** @param isOnly - there is no other path: the connection that there is has this one alone */
  async alone(label: string, isOnly: boolean): Promise<void> {
    const { role } = this.#subject
    const { alone: wanted } = this.#options
    if (isOnly || role === 'reads' || role === 'echoes') {
      this.#alone.set(label, await this.#deliver(this.#subject, label, wanted))
      return
    }
    let other: Subject
    try {
      other = await this.#options.openAlone(label)
    } catch (error) {
      this.#unopened.set(label, (error as Error).message)
      return
    }
    try {
      this.#alone.set(label, await this.#deliver(other, label, wanted))
    } finally {
      await closeSubject(other)
    }
  }

  async together(): Promise<void> {
    this.#together = await this.#deliver(this.#subject, undefined, this.#options.together)
  }

  result(error?: Error): Measured {
    const figures = { alone: this.#alone, together: this.#together, unopened: this.#unopened }
    if (error === undefined) return { ...figures, endedBy: undefined, error: undefined }
    if (error instanceof CliError) return { ...figures, endedBy: 'refused', error: error.message }
    const { conn } = error instanceof Stopped ? error : this.#subject
    return {
      ...figures,
      endedBy: conn.destroyed ? 'lost' : 'stopped-reading',
      error: conn.errored?.message,
    }
  }

  async #deliver(
    subject: Subject,
    label: string | undefined,
    wanted: readonly Direction[],
  ): Promise<Delivery> {
    let oneWay: Rates = { downBytesPerSecond: undefined, upBytesPerSecond: undefined }
    let bothWays: Rates | undefined
    const rttMs = new Map<string, number>()
    for (const direction of feasible(subject.role, wanted)) {
      this.#options.onPart?.(label, direction)
      const samples = await this.#load(subject, label, direction)
      const rates = ratesOf(samples, direction)
      if (direction === 'both') bothWays = rates
      else
        oneWay = {
          downBytesPerSecond: rates.downBytesPerSecond ?? oneWay.downBytesPerSecond,
          upBytesPerSecond: rates.upBytesPerSecond ?? oneWay.upBytesPerSecond,
        }
      for (const one of subject.conn.subflows().map((subflow) => subflow.label)) {
        const rtt = medianRttMs(samples, one)
        if (rtt !== undefined) rttMs.set(one, Math.max(rtt, rttMs.get(one) ?? 0))
      }
    }
    return { oneWay, bothWays, rttMs }
  }

  /** @throws {Stopped}; {CliError} where the other end refuses */
  async #load(
    { conn, session }: Subject,
    label: string | undefined,
    direction: Direction,
  ): Promise<readonly Sample[]> {
    const { forMs, maxBytes, stallMs, onSample } = this.#options
    if (conn.destroyed) throw new Stopped(conn)
    if (session !== undefined) {
      try {
        return await loadSession(conn, session, { direction, forMs, maxBytes, stallMs, onSample })
      } catch (error) {
        throw error instanceof CliError ? error : new Stopped(conn)
      }
    }
    // A connection of its own has no other path.
    const isShared = label !== undefined && conn === this.#subject.conn
    const scheduler = isShared ? onlyPath(label) : 'lowest-rtt'
    const samples = await loadRaw(conn, { scheduler, direction, forMs, maxBytes, stallMs, onSample })
    if (!(await drainRaw(conn, stallMs))) throw new Stopped(conn)
    return samples
  }
}
