// SPDX-License-Identifier: Apache-2.0
/** Follows the paths of one connection, and tells its journal's changes for as long as it lives. */
import type { CloseReason, ConnPath, MultipathConn, SubflowChange } from '../../index.js'
import type { Change, SeenPath } from './path-journal.js'
import { PathJournal } from './path-journal.js'

export interface WatchConnInit {
  /** Paths that one name stands for are one path: where one side does not know when the other dials again. */
  readonly nameOf?: (label: string) => string
  readonly onChange: (change: Change) => void
}

const WORDS: Readonly<Record<CloseReason, string>> = {
  ended: 'closed by the peer',
  failed: 'failed',
  silent: 'no answer',
  protocol: 'the peer broke the protocol',
  unproven: 'the peer did not prove that it belongs to the connection',
  limit: 'the peer acknowledged nothing',
  replaced: 'replaced',
  removed: 'removed',
  surplus: 'not needed',
  closed: 'closed',
}

export class ConnWatch {
  readonly journal: PathJournal = new PathJournal()
  readonly #conn: MultipathConn
  readonly #init: WatchConnInit
  readonly #startedAt = performance.now()
  #timer: NodeJS.Timeout | undefined
  #isOver = false

  constructor(conn: MultipathConn, init: WatchConnInit) {
    this.#conn = conn
    this.#init = init
    for (const event of ['subflow-open', 'subflow-suspect', 'subflow-recovered'] as const)
      conn.on(event, this.look)
    conn.on('subflow-close', this.#connOnSubflowClose)
    conn.once('close', () => {
      this.#isOver = true
      clearTimeout(this.#timer)
    })
    this.look()
  }

  /** Milliseconds since it began. */
  get ageMs(): number {
    return performance.now() - this.#startedAt
  }

  /** For changes that no event tells of, such as a pause. */
  readonly look = (): void => {
    if (this.#isOver) return
    this.#tell(this.journal.look(this.paths(), performance.now()))
  }

  /** A path could not be dialled. */
  failed(label: string, message: string, waitMs: number | undefined): void {
    this.look()
    this.#tell(this.journal.because(this.nameOf(label), message, waitMs, performance.now()))
  }

  /** The paths as they are now, by the names that they have here. */
  paths(): SeenPath[] {
    const seen = new Map<string, SeenPath>()
    // It is over.
    if (this.#conn.subflows().length === 0 && !this.#conn.isSuspended) return []
    for (const path of this.#conn.paths()) {
      const label = this.nameOf(path.label)
      const other = seen.get(label)
      if (other === undefined || rank(path) < rank(other)) seen.set(label, { ...path, label })
    }
    return [...seen.values()]
  }

  readonly #connOnSubflowClose = ({ label, reason = 'closed', error }: SubflowChange): void => {
    if (this.#isOver || reason === 'replaced' || reason === 'surplus' || reason === 'closed') return
    const name = this.nameOf(label)
    const paths = this.paths()
    if (reason === 'removed') {
      if (!paths.some((path) => path.label === name)) this.#tell(this.journal.remove(name))
      return
    }
    this.look()
    const why = error === undefined ? WORDS[reason] : plain(error)
    this.#tell(this.journal.because(name, why, undefined, performance.now()))
  }

  /** What the path of this label is called here. */
  nameOf(label: string): string {
    return this.#init.nameOf?.(label) ?? label
  }

  #tell(changes: readonly Change[]): void {
    for (const change of changes) this.#init.onChange(change)
    clearTimeout(this.#timer)
    const { dueAt } = this.journal
    if (dueAt === Infinity || this.#isOver) return
    this.#timer = setTimeout(
      () => this.#tell(this.journal.tick(performance.now())),
      Math.max(0, dueAt - performance.now()) + 1,
    )
    this.#timer.unref()
  }
}

const ORDER: readonly ConnPath['state'][] = ['up', 'suspect', 'probing', 'leaving', 'down']

function rank({ state }: Pick<ConnPath, 'state'>): number {
  return ORDER.indexOf(state)
}

/** Errors of the system in words: `connect ECONNREFUSED 127.0.0.1:1` repeats what the label says. */
export function plain(error: Error): string {
  const { code } = error as NodeJS.ErrnoException
  return (code === undefined ? undefined : SYSTEM_WORDS[code]) ?? error.message
}

const SYSTEM_WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection reset',
  ETIMEDOUT: 'timed out',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ENETDOWN: 'network down',
  EADDRNOTAVAIL: 'no interface has the source address',
  ENOTFOUND: 'name not found',
}
