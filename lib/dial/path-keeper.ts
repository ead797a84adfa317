/** Keeps one path of one connection in use: joins, watches, opens a twin beside a suspect, redials. */
import type { Duplex } from 'node:stream'
import type { Millis } from '../clock.js'
import type { SubflowChange } from '../conn/attach.js'
import type { MultipathConn } from '../conn/multipath-conn.js'
import type { CloseReason } from '../core/health.js'
import { isWorthRedialling } from '../core/health.js'
import type { Subflow } from '../core/subflow.js'
import type { DialPath } from './dial-path.js'
import type { ClientHello } from './hello-client.js'
import { sayHello } from './hello-client.js'
import type { RedialPolicy } from './redial.js'
import { backoffMs, redial } from './redial.js'
import { sleep } from './timing.js'

export interface PathKeeperInit {
  readonly path: DialPath
  readonly conn: MultipathConn
  readonly cid: Uint8Array
  readonly policy: RedialPolicy
  readonly handshakeTimeoutMs: number
  /** Aborted when the connection is over. */
  readonly signal: AbortSignal
  readonly onChange: (path: DialPath, change: SubflowChange) => void
  /** A redial failed; the next is due in `waitMs`, or never. */
  readonly onFailure: (path: DialPath, error: Error, waitMs: number | undefined) => void
}

/** A subflow that lived so long, milliseconds, was no failure: the path is redialled without waiting. */
const STABLE_MS = 10_000
/** A suspect path is dialled anew so often, milliseconds: the kernel's own retries back off for seconds. */
const BESIDE_MS = 250

/** How a subflow ended, and the twin that took its place. */
interface Outcome {
  readonly reason: CloseReason
  readonly successor: Watched | undefined
}

/** A subflow and the promise of its end. */
interface Watched {
  readonly subflow: Subflow
  readonly openedAt: Millis
  readonly ended: Promise<Outcome>
}

export class PathKeeper {
  readonly #init: PathKeeperInit

  constructor(init: PathKeeperInit) {
    this.#init = init
  }

  /** Starts with a stream whose hello is done. */
  adopt(stream: Duplex, hello: ClientHello): void {
    void this.#run(this.#attach(stream, hello), undefined)
  }

  /** Starts by joining, over a stream that may be opening already. */
  join(opening: Promise<Duplex> | undefined): void {
    void this.#run(undefined, opening)
  }

  async #run(first: Watched | undefined, opening: Promise<Duplex> | undefined): Promise<void> {
    const { signal, policy, path, onFailure } = this.#init
    let watched = first
    let failures = 0
    let stream = opening
    try {
      for (;;) {
        watched ??= await this.#redial(stream)
        stream = undefined
        const { reason, successor } = await watched.ended
        if (successor === undefined && !isWorthRedialling(reason)) return
        failures = policy.clock.now() - watched.openedAt >= STABLE_MS ? 0 : failures + 1
        watched = successor
        if (watched === undefined && failures > 0)
          await sleep(policy.clock, backoffMs(policy, failures), signal)
      }
    } catch (error) {
      if (!signal.aborted) onFailure(path, error as Error, undefined)
    }
  }

  #redial(opening: Promise<Duplex> | undefined): Promise<Watched> {
    const { policy, signal, path, onFailure } = this.#init
    let first = opening
    const attempt = async (): Promise<Watched> => {
      const opened = first ?? path.open(signal)
      first = undefined
      return this.#join(await opened, this.#init.handshakeTimeoutMs)
    }
    return redial(policy, signal, attempt, (error, waitMs) => {
      onFailure(path, error, waitMs)
    })
  }

  async #join(stream: Duplex, timeoutMs: number): Promise<Watched> {
    const { cid, policy, signal } = this.#init
    return this.#attach(stream, await sayHello(stream, cid, { clock: policy.clock, timeoutMs, signal }))
  }

  #attach(stream: Duplex, hello: ClientHello): Watched {
    const { conn, path, policy, onChange } = this.#init
    let finish: (outcome: Outcome) => void = () => {}
    const ended = new Promise<Outcome>((resolve) => {
      finish = resolve
    })
    let beside: Beside | undefined
    const subflow = conn.attach({
      stream,
      label: path.label,
      trackers: [path.record, path.dialer.tracker],
      isDialer: true,
      helloAt: hello.helloAt,
      head: hello.head,
      onChange: (change) => {
        onChange(path, change)
        if (change.state === 'suspect') beside = new Beside(this, subflow)
        else if (change.state === 'up') beside?.stop()
        else if (change.state === 'closed') {
          finish({ reason: change.reason ?? 'closed', successor: beside?.winner })
          beside?.stop()
        }
      },
    })
    return { subflow, openedAt: policy.clock.now(), ended }
  }

  /** Dials beside `suspect` until one of the two shows life. */
  async besides(suspect: Subflow, signal: AbortSignal): Promise<Watched | undefined> {
    const { policy, path, conn } = this.#init
    const { clock } = policy
    const limitMs = Math.max(BESIDE_MS, 2 * (suspect.rtt.smoothed ?? 0))
    await sleep(clock, limitMs / 2, signal)
    for (;;) {
      const startedAt = clock.now()
      try {
        const twin = await this.#join(await path.open(signal, limitMs), limitMs)
        if (signal.aborted) conn.closeSubflow(twin.subflow, 'replaced')
        else return twin
      } catch {
        signal.throwIfAborted()
      }
      await sleep(clock, Math.max(0, startedAt + limitMs - clock.now()), signal)
    }
  }

  /** The twin stands: the suspect makes room for it. */
  replace(suspect: Subflow): void {
    this.#init.conn.closeSubflow(suspect, 'replaced')
  }

  get signal(): AbortSignal {
    return this.#init.signal
  }
}

/** One search for a twin, given up when the suspect recovers. */
class Beside {
  winner: Watched | undefined
  readonly #stop = new AbortController()

  constructor(keeper: PathKeeper, suspect: Subflow) {
    const signal = AbortSignal.any([keeper.signal, this.#stop.signal])
    keeper.besides(suspect, signal).then(
      (twin) => {
        this.winner = twin
        if (twin !== undefined) keeper.replace(suspect)
      },
      () => {}, // Stopped: the suspect recovered, or all is over.
    )
  }

  stop(): void {
    if (this.winner === undefined) this.#stop.abort(STOPPED)
  }
}

const STOPPED = new Error('no longer needed')
