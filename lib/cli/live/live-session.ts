// SPDX-License-Identifier: Apache-2.0
/** One connection of a running command, and the lines that its paths are worth. */
import type { MultipathConn } from '../../index.js'
import type { Fields } from '../json-line.js'
import type { Log } from '../streams/log.js'
import type { PathEnds } from './change-text.js'
import { changeLine, duration, nameOf } from './change-text.js'
import type { EventName } from './event-schema.js'
import type { Change } from './path-journal.js'
import { PathTotals } from './path-totals.js'
import { bytes } from './units.js'
import { ConnWatch } from './watch-conn.js'

/** Paths that come up within this time are told together, milliseconds, and named up to a number. */
const GATHER_MS = 500
const NAMED = 4
/** How often counters of subflows are read, milliseconds: they go with them. */
const SAMPLE_MS = 1000

export interface LiveSessionInit {
  readonly conn: MultipathConn
  readonly log: Log
  /** Of a server: whose connection it is. */
  readonly client?: string | undefined
  readonly endsOf: (label: string) => PathEnds | undefined
  readonly nameOf?: (label: string) => string
}

/** What a session came to. */
export interface Summary {
  readonly text: string
  readonly fields: Fields
}

export class LiveSession {
  /** The same at both ends; too short to join with. */
  readonly id: string
  readonly conn: MultipathConn
  readonly client: string | undefined
  readonly watch: ConnWatch
  readonly totals: PathTotals = new PathTotals()
  readonly #init: LiveSessionInit
  /** Until the session is open, nothing is told of it. */
  #early: Change[] | undefined = []
  readonly #newcomers: string[] = []

  constructor(init: LiveSessionInit) {
    this.#init = init
    this.conn = init.conn
    this.client = init.client
    this.id = init.conn.name.replace('…', '')
    this.watch = new ConnWatch(init.conn, {
      onChange: (change) => {
        if (this.#early === undefined) this.#tell(change)
        else this.#early.push(change)
      },
      ...(init.nameOf && { nameOf: init.nameOf }),
    })
    const timer = setInterval(() => this.totals.sample(this.conn.subflows()), SAMPLE_MS)
    timer.unref()
    init.conn.once('close', () => clearInterval(timer))
  }

  get isOpen(): boolean {
    return this.#early === undefined
  }

  endsOf(label: string): PathEnds | undefined {
    return this.#init.endsOf(label)
  }

  /** The labels that the connection has for the path that is called `name` here. */
  labelsOf(name: string): string[] {
    return this.conn.paths().flatMap(({ label }) => (this.watch.nameOf(label) === name ? [label] : []))
  }

  /** It stands. @param intro - as in `connected to gw:7000` */
  open(intro: string): void {
    const paths = this.watch.paths()
    const up = paths.filter(({ state }) => state === 'up').map(({ label }) => label)
    const names = up.length === 0 ? '' : `: ${up.join(', ')}`
    this.#init.log.info(
      'session',
      `${intro} (session ${this.id}); ${up.length} of ${countOf(paths.length)} up${names}`,
      { ...this.#who, paths: up.join(','), upCount: up.length, count: paths.length },
    )
    const early = this.#early ?? []
    this.#early = undefined
    // Counts are those of now: paths have come up since.
    const counts = { upCount: up.length, count: paths.length }
    for (const change of early)
      if (change.kind !== 'up') this.#tell('label' in change ? { ...change, ...counts } : change)
  }

  /** To be asked for when it ends. */
  summary(): Summary {
    const { bytesRead: receivedBytes, bytesWritten: sentBytes } = this.conn
    const durationMs = Math.round(this.watch.ageMs)
    return {
      text: `after ${duration(durationMs)}, ${bytes(receivedBytes)} received, ${bytes(sentBytes)} sent`,
      fields: { ...this.#who, durationMs, receivedBytes, sentBytes },
    }
  }

  get #who(): Fields {
    return { session: this.id, ...(this.client !== undefined && { client: this.client }) }
  }

  #tell(change: Change): void {
    const { log } = this.#init
    if (change.kind === 'up' && !log.isJson) {
      this.#gather(change.label)
      return
    }
    const ends = 'label' in change ? this.endsOf(change.label) : undefined
    const { event, isWarning, message, fields } = changeLine(change, ends)
    this.#say(isWarning ? 'warn' : 'info', event, message, fields)
  }

  /** Paths come up at the same time: one line for people, one event each for programs. */
  #gather(label: string): void {
    this.#newcomers.push(label)
    if (this.#newcomers.length > 1) return
    const timer = setTimeout(() => {
      const labels = this.#newcomers.splice(0)
      if (this.conn.destroyed) return
      const more = labels.length > NAMED ? ` and ${labels.length - NAMED} more` : ''
      const names = labels.slice(0, NAMED).map((one) => nameOf(one, this.endsOf(one)))
      const paths = this.watch.paths()
      const up = paths.filter(({ state }) => state === 'up').length
      this.#say('info', 'path', `${up} of ${countOf(paths.length)} up; ${names.join(', ')}${more} up`, {})
    }, GATHER_MS)
    timer.unref()
  }

  #say(level: 'info' | 'warn', event: EventName, message: string, fields: Fields): void {
    const prefix = this.client === undefined ? '' : `${this.client} (session ${this.id}): `
    this.#init.log[level](event, prefix + message, { ...this.#who, ...fields })
  }
}

function countOf(count: number): string {
  return `${count} path${count === 1 ? '' : 's'}`
}
