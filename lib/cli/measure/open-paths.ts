// SPDX-License-Identifier: Apache-2.0
/** Opens one connection over all paths, and tells of each whether it came to be. */
import type { MultipathConn, SubflowDialer } from '../../index.js'
import { DialError, MultipathDialer } from '../../index.js'
import { ignore } from '../../ignore.js'
import { MOST_SUBFLOWS } from '../opened.js'
import { isAuthError, tokenError } from '../streams/greet.js'
import type { AskedPeer } from './ask-peer.js'

export interface OpenedPaths {
  /** `undefined` where no path leads to a multipath listener. It may be closed again. */
  readonly conn: MultipathConn | undefined
  /** By label: why a path did not come to be. Those that are missing did. */
  readonly failures: ReadonlyMap<string, Error>
  /** What `ask` found out, or threw; `undefined` without a connection, or without `ask`. */
  readonly asked: AskedPeer | Error | undefined
  /** Without a connection: why. */
  readonly error: DialError | undefined
}

/** Opening a stream, and again its handshake, may take so long, milliseconds. */
const HANDSHAKE_MS = 4000
/** Whatever has not become of a path by then will not, milliseconds: both of the above, and an answer. `serve` waits for no greeting longer. */
const SETTLE_MS = 9000

/**
 * Pings come in quick succession, so that RTTs are known of idle paths, too. A path is dialled once: what fails is
 * what is to be told. A peer that has nothing to say, and says so, may read all the same.
 */
const OPTIONS = {
  allowHalfOpen: true,
  keepAliveMs: 200,
  // What a path owes when it is suspected goes out on the others, and would count as delivered by the one measured.
  suspectMs: 2000,
  handshakeTimeoutMs: HANDSHAKE_MS,
  redialRetries: 0,
  maxSubflows: MOST_SUBFLOWS,
}

/** Asks the other end, while further paths join. */
type Ask = (conn: MultipathConn) => Promise<AskedPeer>

/**
 * Rejects with the reason of `signal`, or what is wrong with the options of the dialers. Labels of `dialers` differ.
 *
 * @param token - proven to a `serve` that has one, too; other peers are asked without
 */
export async function openPaths(
  dialers: readonly SubflowDialer[],
  signal: AbortSignal,
  token: Uint8Array | undefined,
  ask?: Ask,
): Promise<OpenedPaths> {
  let opened = await openOnce(dialers, signal, token, ask)
  if (token !== undefined && isUnproven(opened)) opened = await openOnce(dialers, signal, undefined, ask)
  return isUnproven(opened) ? { ...opened, asked: tokenError('the other end', token) } : opened
}

/** The two ends do not have the same token. */
function isUnproven({ conn, asked }: OpenedPaths): boolean {
  return isAuthError(conn?.errored) || isAuthError(asked)
}

async function openOnce(
  dialers: readonly SubflowDialer[],
  signal: AbortSignal,
  secret: Uint8Array | undefined,
  ask: Ask | undefined,
): Promise<OpenedPaths> {
  const dialer = new MultipathDialer('the peer', dialers, { ...OPTIONS, secret })
  const outcome = new Outcome(dialer, dialers)
  try {
    const conn = await dialer.dial({ signal })
    conn.on('error', ignore) // Its close tells.
    const asking = ask?.(conn).catch((error: unknown) => error as Error)
    await outcome.settled(conn, signal)
    const asked = await asking
    if (signal.aborted) conn.destroy()
    signal.throwIfAborted()
    return { conn, failures: outcome.failures(), asked, error: undefined }
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof DialError)) throw error
    const { failures } = error
    return {
      conn: undefined,
      failures: new Map(failures.map(({ label, error: why }) => [label, why])),
      asked: undefined,
      error,
    }
  }
}

class Outcome {
  readonly #waiting: Set<string>
  readonly #failures = new Map<string, Error>()
  #wake: () => void = ignore

  constructor(dialer: MultipathDialer, paths: readonly SubflowDialer[]) {
    this.#waiting = new Set(paths.map(({ label }) => label))
    dialer.on('subflow-open', ({ label }) => this.#settle(label))
    // While it dials, a path that has failed may still join.
    dialer.on('path-failure', ({ label, error, isDialing }) => {
      if (!isDialing) this.#settle(label, error)
    })
    // A Go listener takes a join before it knows the connection: it may be closed with nothing said on it.
    dialer.on('subflow-close', ({ label, reason, error }) =>
      this.#settle(label, error ?? new Error(`the handshake succeeded, and the path then closed: ${reason}`)),
    )
  }

  /** Resolves once something has become of each path, or time is up, or the connection is gone. */
  async settled(conn: MultipathConn, signal: AbortSignal): Promise<void> {
    if (this.#waiting.size === 0 || conn.destroyed) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, SETTLE_MS)
      this.#wake = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', this.#wake)
        resolve()
      }
      signal.addEventListener('abort', this.#wake)
      conn.once('close', this.#wake)
      if (signal.aborted) this.#wake()
    })
  }

  failures(): ReadonlyMap<string, Error> {
    for (const label of this.#waiting)
      this.#failures.set(label, new Error('the handshake succeeded, and no frame followed'))
    return this.#failures
  }

  #settle(label: string, error?: Error): void {
    if (!this.#waiting.delete(label)) return
    if (error !== undefined) this.#failures.set(label, error)
    if (this.#waiting.size === 0) this.#wake()
  }
}
