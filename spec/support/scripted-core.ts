// SPDX-License-Identifier: Apache-2.0
/** A core whose peer is a script: the spec says what comes in, and reads what goes out. */
import type { Action } from '../../lib/core/action.js'
import { ConnectionCore } from '../../lib/core/connection.js'
import type { Introduction } from '../../lib/wire/settings.js'
import type { JoinAuthInit } from '../../lib/core/join-keys.js'
import type { ConnOptions } from '../../lib/core/options.js'
import { CONN_OPTIONS } from '../../lib/core/options.js'
import type { AcceptedPeer } from '../../lib/core/peer-profile.js'
import { Path } from '../../lib/core/path.js'
import { lowestRtt } from '../../lib/core/schedulers/lowest-rtt.js'
import type { Subflow } from '../../lib/core/subflow.js'
import type { StatsTracker } from '../../lib/core/tracker.js'
import { NullTracker } from '../../lib/core/tracker.js'
import type { MultipathError } from '../../lib/errors.js'
import { resolveOptions } from '../../lib/options.js'
import { decodeDatagram, decodeDatagramAck } from '../../lib/wire/datagram.js'
import { DATAGRAM_ACK_FRAME, DATAGRAM_FRAME } from '../../lib/wire/limits.js'
import { EXTENSION, Extension } from '../../lib/wire/extension.js'
import { AckWriter, encodeDataHeader } from '../../lib/wire/frame.js'
import { FrameReader } from '../../lib/wire/frame-reader.js'
import { Payload } from '../../lib/wire/payload.js'

/** Bytes of acks (10 and above) and codes (under 10). */
export function acks(...values: readonly number[]): Uint8Array {
  const writer = new AckWriter()
  for (const value of values) writer.add(value)
  return writer.take()
}

/** Bytes of a data frame. */
export function data(fn: number, payload: string | Uint8Array): Uint8Array {
  const bytes = Buffer.from(payload)
  return Buffer.concat([encodeDataHeader(bytes.length, fn), bytes])
}

/** Numbers of the frames `from` to `to`, both included. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index)
}

const EXTENSION_NAMES = Object.fromEntries(Object.entries(EXTENSION).map(([name, type]) => [type, name]))
const NAMES = ['ping', 'pong', 'capable', 'fin', 'hold', 'go', 'extends']
export const PING = 0
export const PONG = 1
export const CAPABLE = 2
export const FIN = 3
export const HOLD = 4
export const GO = 5
export const EXTENDS = 6

export interface JoinInit {
  readonly isDialer?: boolean
  /** Round trip, milliseconds: of the handshake where we dialled, of the first pongs in `joinUp`. */
  readonly rttMs?: number
  readonly tracker?: StatsTracker
  /** Said behind our hello already. */
  readonly introduction?: Introduction
}

/** One subflow as its peer sees it. */
export class ScriptedSubflow {
  readonly subflow: Subflow
  /** How its socket was closed. */
  closed: 'end' | 'destroy' | 'half' | undefined
  /** Its socket takes nothing. */
  isStuck = false
  readonly payloads: Map<number, string> = new Map()
  /** Extension frames that went out on it. */
  readonly extensions: Extension[] = []
  readonly #owner: ScriptedCore
  #kept = Buffer.alloc(0)
  #seen: string[] = []
  readonly #reader = new FrameReader({
    begin: (_fn, size) => new Payload(size),
    onData: (fn, size, pieces) => {
      this.payloads.set(fn, Buffer.concat(pieces ?? []).toString())
      this.#seen.push(`data ${fn} ${size}`)
    },
    onAck: (fn) => this.#seen.push(`ack ${fn}`),
    onCode: (code) => this.#seen.push(NAMES[code] ?? `code ${code}`),
    onExtension: (number, bytes) => {
      if (number === DATAGRAM_FRAME) {
        const { number: which, bytes: payload } = decodeDatagram(bytes)
        this.#seen.push(`datagram ${which} ${Buffer.from(payload).toString()}`)
        return
      }
      if (number === DATAGRAM_ACK_FRAME) {
        this.#seen.push(`datagram ack ${decodeDatagramAck(bytes)}`)
        return
      }
      const frame = new Extension(bytes)
      this.extensions.push(frame)
      this.#seen.push(EXTENSION_NAMES[frame.type]!)
    },
  })

  constructor(owner: ScriptedCore, subflow: Subflow) {
    this.#owner = owner
    this.subflow = subflow
  }

  /** What went out on it since the last call. */
  sent(): string[] {
    const seen = this.#seen
    this.#seen = []
    return seen
  }

  /** Numbers of the data frames that went out since the last call; all else is dropped. */
  sentData(): number[] {
    return this.sent()
      .filter((frame) => frame.startsWith('data'))
      .map((frame) => Number(frame.split(' ')[1]))
  }

  /** The peer says so, now. */
  hears(...parts: readonly Uint8Array[]): void {
    this.#kept = Buffer.concat([this.#kept, ...parts])
    this.goOn()
    this.#owner.flush()
  }

  /** What was left unread comes again. @internal */
  goOn(): void {
    const { core, now } = this.#owner
    if (this.#kept.length === 0) return
    const taken = core.receive(this.subflow, this.#kept, now)
    this.#kept = this.#kept.subarray(taken)
  }

  /** The socket ended, or failed. */
  loses(error?: Error): void {
    this.#owner.core.subflowClosed(this.subflow, error, this.#owner.now)
    this.#owner.flush()
  }

  /** @internal */
  take(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) this.#reader.push(chunk)
    if (this.isStuck) this.subflow.blocked(Infinity)
  }

  /** The socket takes bytes again. */
  drains(): void {
    this.isStuck = false
    this.subflow.drained()
    this.#owner.flush()
  }
}

export class ScriptedCore {
  readonly core: ConnectionCore
  now = 1000
  /** Times at which the core wanted to be woken. */
  ticks = 0
  error: MultipathError | undefined
  isFinished = false
  readonly changes: Extract<Action, { kind: 'subflow' }>[] = []
  readonly suspensions: Action[] = []
  readonly #subflows = new Map<Subflow, ScriptedSubflow>()

  constructor(
    options: ConnOptions = {},
    random: () => number = () => 0.5,
    accepts: AcceptedPeer = 'any',
    auth?: JoinAuthInit,
  ) {
    const resolved = resolveOptions(CONN_OPTIONS, options)
    // Acks are late here whenever a script says nothing; hedging has its own specs.
    const scheduler = { ...lowestRtt, isHedging: false }
    this.core = new ConnectionCore({ options: resolved, scheduler, random, accepts, auth })
  }

  join(init: JoinInit = {}): ScriptedSubflow {
    const { isDialer = false, rttMs = 20, tracker = new NullTracker(), introduction } = init
    const label = `path ${this.#subflows.size + 1}`
    const helloAt = isDialer ? this.now - rttMs : this.now
    const subflowInit = { label, tracker, path: new Path(), isDialer, helloAt, introduction }
    const subflow = this.core.addSubflow(subflowInit, this.now)
    const scripted = new ScriptedSubflow(this, subflow)
    this.#subflows.set(subflow, scripted)
    this.flush()
    return scripted
  }

  /** A subflow that has shown life, with nothing to read any more. */
  joinUp(init?: JoinInit, ...codes: readonly number[]): ScriptedSubflow {
    const scripted = this.join(init)
    this.now += init?.rttMs ?? 20
    // A pong each for the hello of a listener and for the ping.
    scripted.hears(acks(...codes, PONG, ...(init?.isDialer === true ? [] : [PONG])))
    scripted.sent()
    return scripted
  }

  writes(text: string | Uint8Array): void {
    this.core.write(Buffer.from(text))
    this.flush()
  }

  ends(): void {
    this.core.end(this.now)
    this.flush()
  }

  /** All that the reader can have. */
  reads(): string {
    const pieces: Uint8Array[] = []
    for (let piece = this.core.take(); piece !== undefined; piece = this.core.take()) pieces.push(piece)
    this.flush()
    return Buffer.concat(pieces).toString()
  }

  /** Time passes; the core is woken whenever it wants to be. */
  passes(ms: number): void {
    const end = this.now + ms
    let wakes = 0
    for (let at = this.core.nextTickAt(); at <= end; at = this.core.nextTickAt()) {
      this.now = Math.max(this.now, at)
      if (++wakes > 10_000) throw new Error(`the core keeps waking at ${this.now}`)
      this.ticks++
      this.core.tick(this.now)
      this.flush()
    }
    this.now = end
  }

  states(): string[] {
    return [...this.#subflows.keys()].map(({ state }) => state)
  }

  flush(): void {
    for (let actions = this.core.drain(this.now); actions.length > 0; actions = this.core.drain(this.now))
      for (const action of actions) this.#perform(action)
    for (const scripted of this.#subflows.values()) if (!scripted.subflow.isHeldBack) scripted.goOn()
  }

  #perform(action: Action): void {
    if (action.kind === 'send') this.#subflows.get(action.subflow)?.take(action.chunks)
    else if (action.kind === 'close') this.#subflows.get(action.subflow)!.closed = action.how
    else if (action.kind === 'subflow') this.changes.push(action)
    else if (action.kind !== 'finished') this.suspensions.push(action)
    else {
      this.isFinished = true
      this.error = action.error
    }
  }
}
