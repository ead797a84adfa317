/** A multipath connection as a Duplex with the surface and events of net.Socket. */
import type { Duplex } from 'node:stream'
import type { Clock } from '../clock.js'
import type { Action } from '../core/action.js'
import type { CloseReason } from '../core/health.js'
import type { ResolvedConnOptions } from '../core/options.js'
import type { Scheduler } from '../core/scheduler.js'
import type { Subflow } from '../core/subflow.js'
import { MultipathError } from '../errors.js'
import { cidName } from '../wire/hello.js'
import type { AttachInit, SubflowChange } from './attach.js'
import { eventOf } from './attach.js'
import { Driver } from './driver.js'
import { IdleTimeout } from './idle-timeout.js'
import { NetConn } from './net-conn.js'
import { safeTracker } from './safe-tracker.js'
import { endpointsOf, SocketSurface } from './socket-surface.js'
import type { Callback, Finish } from './stream-end.js'
import { PendingCallbacks } from './stream-end.js'
import type { SubflowStats } from './subflow-stats.js'
import { subflowStats } from './subflow-stats.js'

/** What the dialer and the listener give. */
export interface ConnInit {
  readonly options: ResolvedConnOptions
  readonly scheduler: Scheduler
  readonly clock: Clock
  readonly random: () => number
  readonly allowHalfOpen: boolean
}

/** Node's own default since 22, bytes. */
const HIGH_WATER_MARK = 65_536
/** From here on, copying what a caller may reuse beats cutting frames out of it. */
const COPY_BYTES = 4096

/**
 * One byte stream over all subflows. Bytes given to `write()` belong to the connection until they are
 * acked; with a callback they are copied, so that the buffer is the caller's again when it is called.
 *
 * Errors (events and callbacks): ERR_MULTIPATH_UNACKED, _INCOMPLETE, _LINGER, _CLOSED.
 */
export class MultipathConn extends SocketSurface {
  /** A short name for logs; never enough of the CID to join with. */
  name = ''
  /** Called once, when no subflow may join any more. @internal */
  onOver: (() => void) | undefined
  readonly #driver: Driver
  readonly #lingerMs: number
  readonly #pending = new PendingCallbacks()
  readonly #idle = new IdleTimeout(() => this.emit('timeout'))
  readonly #flushWaiters: Callback[] = []
  readonly #watchers = new Map<Subflow, (change: SubflowChange) => void>()
  #wantsBytes = false
  #hasPushedEnd = false
  #bytesRead = 0
  #bytesTaken = 0
  #finish: Finish | undefined
  #drainTimer: NodeJS.Timeout | undefined

  constructor(init: ConnInit) {
    super({
      allowHalfOpen: init.allowHalfOpen,
      readableHighWaterMark: HIGH_WATER_MARK,
      writableHighWaterMark: HIGH_WATER_MARK,
    })
    this.#lingerMs = init.options.lingerMs
    this.#driver = new Driver(init, init.clock, {
      onReadable: () => {
        this.#pull()
      },
      onProgress: () => {
        this.#settle()
      },
      onSubflow: (change) => {
        this.#announce(change)
      },
      onFinished: (error) => {
        this.#finished(error)
      },
    })
  }

  /**
   * Adds a subflow whose hello is done. For the dialer, the listener, and tests.
   *
   * @internal
   */
  attach({ stream, trackers, head, onChange, ...init }: AttachInit): Subflow {
    if (this.pending) this.setEndpoints(endpointsOf(stream))
    const subflow = this.#driver.attach(stream, { ...init, tracker: safeTracker(...trackers) }, head)
    if (onChange !== undefined) this.#watchers.set(subflow, onChange)
    return subflow
  }

  /** @internal */
  setCid(cid: Uint8Array): void {
    this.name = cidName(cid)
  }

  /** @internal */
  get subflowCount(): number {
    return this.#driver.core.subflows.length
  }

  /** Whether a subflow may still join. @internal */
  get isJoinable(): boolean {
    return !this.#driver.core.isOver && !this.destroyed
  }

  /** @internal */
  closeSubflow(subflow: Subflow, reason: CloseReason): void {
    this.#driver.closeSubflow(subflow, reason)
  }

  /** Bytes that the reader got. */
  get bytesRead(): number {
    return this.#bytesRead
  }

  /** Bytes written, those on their way included. */
  get bytesWritten(): number {
    return this.#bytesTaken + this.writableLength
  }

  /** Bytes written and not yet acked by the peer. */
  get unflushedBytes(): number {
    return this.#driver.core.unflushedBytes + this.writableLength
  }

  /**
   * Whether `end()` ends only our direction: true for a peer of ours, false for a Go peer, where it closes the
   * connection once all is acked; `undefined` until the peer has said anything.
   */
  get canHalfClose(): boolean | undefined {
    return this.#driver.core.canHalfClose
  }

  /** Milliseconds of `setTimeout`; 0 where none is set. */
  get timeout(): number {
    return this.#idle.ms
  }

  /** The live subflows. */
  subflows(): SubflowStats[] {
    return this.#driver.core.subflows.map(subflowStats)
  }

  /** Emits `timeout` once nothing was read or written for `ms` milliseconds; 0 turns it off. */
  setTimeout(ms: number, listener?: () => void): this {
    this.#idle.set(ms)
    if (listener !== undefined) {
      if (ms === 0) this.off('timeout', listener)
      else this.once('timeout', listener)
    }
    return this
  }

  /** Closes at once with resets; the peer gets an error unless it has everything. */
  resetAndDestroy(): this {
    this.#driver.destroy(true)
    return this.destroy()
  }

  /** Resolves when all that was written is acked. Rejects when the connection closes before. */
  flushed(): Promise<void> {
    if (this.unflushedBytes === 0) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#flushWaiters.push((error) => {
        if (error) reject(error)
        else resolve()
      })
    })
  }

  /** The same connection in the shape of Go's net.Conn. Use one of the two at a time for reading. */
  netConn(): NetConn {
    return new NetConn(this)
  }

  /** Ends in order: `await using` does not lose what was written. */
  override async [Symbol.asyncDispose](): Promise<void> {
    if (this.closed) return
    const closed = new Promise<void>((resolve) => this.once('close', resolve))
    this.resume()
    this.destroySoon()
    await closed
  }

  override write(
    chunk: unknown,
    encodingOrCallback?: BufferEncoding | Callback,
    callback?: Callback,
  ): boolean {
    const done = typeof encodingOrCallback === 'function' ? encodingOrCallback : callback
    const encoding = typeof encodingOrCallback === 'function' ? undefined : encodingOrCallback
    const isReusable = done !== undefined && chunk instanceof Uint8Array && chunk.length >= COPY_BYTES
    return super.write(isReusable ? Buffer.from(chunk) : chunk, encoding as BufferEncoding, done)
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    this.#accept(chunk)
    this.#accepted(callback)
  }

  override _writev(chunks: { chunk: Buffer }[], callback: Callback): void {
    for (const { chunk } of chunks) this.#accept(chunk)
    this.#accepted(callback)
  }

  override _final(callback: Callback): void {
    this.#pending.final = callback
    this.#driver.end()
    this.#settle()
  }

  override _read(): void {
    this.#wantsBytes = true
    this.#pull()
  }

  override read(size?: number): Buffer | null {
    const chunk = super.read(size) as Buffer | null
    if (this.#finish !== undefined) this.#checkDrained()
    return chunk
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    clearTimeout(this.#drainTimer)
    this.#idle.stop()
    this.#driver.destroy(error !== null)
    this.#over()
    const closed = error ?? new MultipathError('ERR_MULTIPATH_CLOSED', 'the connection is closed')
    this.#pending.settleWrite(closed)
    this.#pending.settleFinal(closed)
    for (const waiter of this.#flushWaiters.splice(0)) waiter(closed)
    callback(error)
  }

  protected override streams(): readonly Duplex[] {
    return this.#driver.streams
  }

  protected override setRef(isRefed: boolean): void {
    this.#driver.setRef(isRefed)
  }

  #accept(chunk: Buffer): void {
    if (this.#driver.core.isOver || chunk.length === 0) return
    this.#bytesTaken += chunk.length
    this.#driver.write(chunk)
  }

  #accepted(callback: Callback): void {
    this.#idle.refresh()
    const { core } = this.#driver
    if (!core.isOver && core.hasRoom) {
      callback()
      return
    }
    this.#pending.write = callback
    core.setHeldBack(true)
    if (core.isOver) this.#checkDrained()
  }

  /** Moves bytes to the reader for as long as it wants them. */
  #pull(): void {
    const { core } = this.#driver
    let hasTaken = false
    while (this.#wantsBytes) {
      const piece = core.take()
      if (piece === undefined) break
      hasTaken = true
      this.#bytesRead += piece.length
      this.#wantsBytes = this.push(asBuffer(piece))
    }
    if (hasTaken) this.#idle.refresh()
    if (hasTaken && (core.isUrgent || this.#driver.isPaused)) this.#driver.flushSoon()
    if (core.isReadEnd && this.#finish?.error === undefined && !this.readableEnded) this.#pushEnd()
    if (this.#finish !== undefined) this.#checkDrained()
  }

  #pushEnd(): void {
    if (this.#hasPushedEnd) return
    this.#hasPushedEnd = true
    this.push(null)
  }

  /** Acks may have made room, or completed what was written. */
  #settle(): void {
    const { core } = this.#driver
    if (core.isOver && this.#finish?.error !== undefined) return
    if (this.#pending.write !== undefined && core.hasRoom && !core.isOver) {
      core.setHeldBack(false)
      this.#pending.settleWrite()
    }
    if (this.#flushWaiters.length > 0 && this.unflushedBytes === 0)
      for (const waiter of this.#flushWaiters.splice(0)) waiter()
    if (this.#pending.final !== undefined && core.isWriteEnd) this.#pending.settleFinal()
    if (core.isReadEnd) this.#pull()
  }

  #finished(error: MultipathError | undefined): void {
    this.#finish = { error }
    this.#over()
    this.#pull()
  }

  #over(): void {
    const onOver = this.onOver
    this.onOver = undefined
    onOver?.()
  }

  /** The reader drains what arrived in order; then the error, if any, or the end of a hopeless write. */
  #checkDrained(): void {
    const isLate = this.#finish?.error ?? (this.#pending.write === undefined ? undefined : CLOSED)
    if (isLate === undefined || this.destroyed) return
    const error =
      isLate === CLOSED
        ? new MultipathError('ERR_MULTIPATH_CLOSED', 'the connection is closed')
        : this.#finish?.error
    if (this.readableLength === 0 && this.#driver.core.unreadBytes === 0) this.destroy(error)
    else
      this.#drainTimer ??= setTimeout(
        () => this.destroy(error),
        Math.min(this.#lingerMs, 2 ** 31 - 1),
      ).unref()
  }

  /** Listeners run apart from the core's work: what they throw must not stop it. */
  #announce({ subflow, from, state, reason, error }: Extract<Action, { kind: 'subflow' }>): void {
    const { id, label } = subflow
    const change: SubflowChange = {
      id,
      label,
      from,
      state,
      ...(reason && { reason }),
      ...(error && { error }),
    }
    process.nextTick(() => {
      const watcher = this.#watchers.get(subflow)
      if (state === 'closed') this.#watchers.delete(subflow)
      watcher?.(change)
      const name = eventOf(change)
      if (name !== undefined) this.emit(name, change)
    })
  }
}

const CLOSED = Symbol('closed')

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}
