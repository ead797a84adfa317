// SPDX-License-Identifier: Apache-2.0
/** Moves bytes between a connection and our end of it, and decides when all is over, and how. */
import { finished } from 'node:stream/promises'
import type { MultipathConn } from '../index.js'
import { CliError } from './cli-error.js'
import { EXIT_IDLE } from './exit-codes.js'
import { explain } from './explain.js'
import type { LocalEnd } from './local-end.js'

export interface BridgeOptions {
  /** 0: no limit. */
  readonly idleMs: number
  readonly quietMs: number
}

/** How often a Go peer is looked at, milliseconds: nothing tells that it has gone quiet. */
const LOOK_MS = 50

/**
 * Resolves once everything has been passed on both ways and the connection is closed.
 *
 * @throws {CliError} for whatever was lost or cut short, and the reason of `signal`
 */
export function bridge(
  conn: MultipathConn,
  local: LocalEnd,
  options: BridgeOptions,
  signal: AbortSignal,
): Promise<void> {
  return new Bridge(conn, local, options, signal).run()
}

class Bridge {
  readonly #conn: MultipathConn
  readonly #local: LocalEnd
  readonly #options: BridgeOptions
  readonly #signal: AbortSignal
  /** The first thing that went wrong: what comes after it is its consequence. */
  #fault: CliError | undefined
  #hasInputEnded = false
  #isPeerGone = false
  #looking: NodeJS.Timeout | undefined
  #cutting: NodeJS.Timeout | undefined

  constructor(conn: MultipathConn, local: LocalEnd, options: BridgeOptions, signal: AbortSignal) {
    this.#conn = conn
    this.#local = local
    this.#options = options
    this.#signal = signal
  }

  async run(): Promise<void> {
    const { input, output } = this.#local
    const closed = new Promise<void>((resolve) => this.#conn.once('close', () => resolve()))
    this.#listen()
    if (this.#signal.aborted) this.#signalOnAbort()
    input.pipe(this.#conn, { end: false })
    this.#conn.pipe(output)
    // After the pipe's own listener, which pauses the connection.
    output.on('close', this.#outputOnClose)
    this.#connOnSubflowClose()
    if (!this.#conn.closed) await closed
    clearInterval(this.#looking)
    clearTimeout(this.#cutting)
    input.unpipe(this.#conn)
    await this.#closeLocal()
    this.#signal.removeEventListener('abort', this.#signalOnAbort)
    if (this.#fault !== undefined) throw this.#fault
  }

  #listen(): void {
    const conn = this.#conn
    const { input, output } = this.#local
    conn.on('error', this.#connOnError)
    conn.on('end', this.#connOnSubflowClose)
    conn.on('subflow-close', this.#connOnSubflowClose)
    conn.on('timeout', this.#connOnTimeout)
    conn.setTimeout(this.#options.idleMs)
    input.on('end', this.#inputOnEnd)
    input.on('error', this.#inputOnError)
    output.on('error', this.#outputOnError)
    this.#signal.addEventListener('abort', this.#signalOnAbort)
  }

  /** Lets our end take what has come, also from a connection that failed; gives up an end that failed itself. */
  async #closeLocal(): Promise<void> {
    const local = this.#local
    if (!local.output.writableEnded) local.output.end()
    const isOurFault = this.#fault !== undefined && this.#fault.cause !== this.#conn.errored
    if (isOurFault) local.abort()
    else await this.#orAborted(finished(local.output, { readable: false })).catch(() => {})
    if (!this.#hasInputEnded || this.#fault !== undefined) local.abort()
    try {
      await this.#orAborted(local.finished())
    } catch (error) {
      this.#fault ??= error as CliError
    }
  }

  /** Waits no longer than until the signal: whoever should take the rest may never do it. */
  #orAborted(work: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const signalOnAbort = (): void => {
        this.#local.abort()
        reject(this.#signal.reason as Error)
      }
      if (this.#signal.aborted) signalOnAbort()
      this.#signal.addEventListener('abort', signalOnAbort)
      work.then(resolve, reject).finally(() => {
        this.#signal.removeEventListener('abort', signalOnAbort)
      })
    })
  }

  /** Ends the connection so that the peer, where it can tell, sees that it did not end well. */
  #fail(fault: CliError): void {
    this.#fault ??= fault
    this.#conn.resetAndDestroy()
  }

  readonly #inputOnEnd = (): void => {
    this.#hasInputEnded = true
    if (this.#isPeerGone) this.#conn.end()
    else this.#endWhenQuiet()
  }

  /**
   * Ends our direction. To a peer of ours that is all; towards a Go peer it closes both, so it has to be
   * quiet first, with nothing of it unread.
   */
  #endWhenQuiet(): void {
    const conn = this.#conn
    let quietSince = performance.now()
    let bytesRead = -1
    const look = (): void => {
      const isBusy = conn.bytesRead !== bytesRead || conn.unflushedBytes > 0 || conn.readableLength > 0
      if (isBusy) quietSince = performance.now()
      bytesRead = conn.bytesRead
      const isQuiet = !this.#local.isMute && performance.now() - quietSince >= this.#options.quietMs
      if (conn.canHalfClose !== true && !isQuiet && !this.#local.isGone()) return
      clearInterval(this.#looking)
      conn.end()
    }
    this.#looking = setInterval(look, LOOK_MS)
    look()
  }

  readonly #inputOnError = (error: Error): void => {
    const message = `cannot read ${this.#local.inputName}: ${error.message}`
    this.#fail(new CliError(message, { cause: error }))
  }

  readonly #outputOnError = (error: NodeJS.ErrnoException): void => {
    if (this.#local.mayStopReading) {
      this.#conn.resume()
      return
    }
    const isClosed = error.code === 'EPIPE' || error.code === 'ECONNRESET'
    const message = isClosed
      ? `${this.#local.outputName} was closed before all received data was written to it`
      : `cannot write to ${this.#local.outputName}: ${error.message}`
    this.#fail(new CliError(message, { cause: error }))
  }

  /** A program that ends takes its input with it, at times without an error on it. */
  readonly #outputOnClose = (): void => {
    if (!this.#local.output.writableFinished && !this.#conn.destroyed)
      this.#outputOnError(Object.assign(new Error('closed'), { code: 'EPIPE' }))
  }

  readonly #connOnError = (error: Error): void => {
    this.#fault ??= explain(error, this.#local.inputName)
  }

  /**
   * With its last subflow the connection is over, whatever we may still have to say. What is being read then
   * becomes an error of the connection: it would be lost.
   */
  readonly #connOnSubflowClose = (): void => {
    if (this.#isPeerGone || !this.#conn.readableEnded || this.#conn.subflows().length > 0) return
    this.#isPeerGone = true
    if (this.#hasInputEnded) {
      this.#conn.end()
      return
    }
    this.#cutting = setTimeout(() => this.#conn.destroy(), this.#local.graceMs)
  }

  readonly #connOnTimeout = (): void => {
    const unacked = this.#conn.unflushedBytes
    const seconds = this.#options.idleMs / 1000
    if (unacked > 0)
      this.#fail(
        new CliError(`no data was transferred for ${seconds} s, with ${unacked} bytes unacknowledged`),
      )
    else this.#fault ??= new CliError(`no data was transferred for ${seconds} s`, { exitCode: EXIT_IDLE })
    // The peer may think that all is well only where all of the input has been sent.
    if (this.#hasInputEnded) this.#conn.destroy()
    else this.#conn.resetAndDestroy()
  }

  readonly #signalOnAbort = (): void => {
    this.#fail(this.#signal.reason as CliError)
  }
}
