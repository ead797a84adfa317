// SPDX-License-Identifier: Apache-2.0
/** A multipath connection as a Duplex with the surface and events of net.Socket. */
import type { Duplex } from 'node:stream'
import type { Clock } from '../clock.js'
import type { ResolvedConnOptions } from '../core/options.js'
import { Path } from '../core/path.js'
import { type JoinKeyring, type JoinSecurity, keyringFor } from './join-keys.js'
import type { OwnFacts } from '../wire/settings.js'
import type { AcceptedPeer } from '../core/peer-profile.js'
import type { Wanted } from '../core/parallel.js'
import type { Scheduler } from '../core/scheduler.js'
import type { Subflow } from '../core/subflow.js'
import type { AbuseLimiter } from '../core/abuse-limiter.js'
import { toldReason, type MultipathError } from '../errors.js'
import { Announcer } from './announcer.js'
import type { AttachInit } from './attach.js'
import { DrainLimit } from './drain-limit.js'
import { Driver } from './driver.js'
import { expectFarewell, needsNoFarewell } from './farewell.js'
import { Inlet } from './inlet.js'
import { closedError, NetConn } from './net-conn.js'
import { nodePorts } from './node-ports.js'
import { Outlet } from './outlet.js'
import { safeTracker } from './safe-tracker.js'
import { PathSurface } from './path-surface.js'
import { callForeign } from '../stream/foreign.js'
import { type Callback, endpointsOf } from '../stream/socket-surface.js'
import type { TraceInit } from './trace-sink.js'

/** What the dialer and the listener give. */
export interface ConnInit {
  readonly options: ResolvedConnOptions
  readonly scheduler: Scheduler
  readonly clock: Clock
  readonly random: () => number
  readonly allowance?: AbuseLimiter
  readonly accepts?: AcceptedPeer
  readonly facts?: OwnFacts | undefined
  readonly joins?: JoinSecurity | undefined
  readonly acceptsPeerPolicy?: boolean | undefined
  readonly allowHalfOpen: boolean
  readonly trace?: TraceInit | undefined
}

/**
 * One ordered byte stream over all subflows, with the surface of `net.Socket`. A buffer given to `write()` belongs to the
 * connection until its bytes are acked. With a callback, the bytes are copied, and the caller may reuse the buffer when the
 * callback is called.
 *
 * Errors (events and callbacks): ERR_MULTIPATH_UNACKED, _INCOMPLETE, _RESET, _HOLD, _RESTARTED, _PEER, _AUTH, _LINGER,
 * _SCHEDULER, _IDLE, _CLOSED.
 */
export class MultipathConn extends PathSurface {
  /** Called once, when no subflow may join any more. @internal */
  onOver: (() => void) | undefined
  /** Called when a path of its dialer is to have more subflows, or fewer. @internal */
  onParallel: ((wanted: Wanted) => void) | undefined
  /** Called once, when it is destroyed and holds nothing any more. A listener, a user could take away. @internal */
  onDestroyed: (() => void) | undefined
  /** @internal */ protected override readonly joinKeys: JoinKeyring | undefined
  readonly #driver: Driver<Duplex>
  readonly #inlet: Inlet
  readonly #outlet: Outlet
  readonly #drainLimit: DrainLimit
  readonly #announcer = new Announcer(this)
  /** Set once no subflow is left. */
  #finish: { readonly error: MultipathError | undefined } | undefined
  #isReset = false
  #netConn: NetConn | undefined

  /** @internal */ constructor(init: ConnInit) {
    const { allowHalfOpen, options } = init
    // Ours says whether there was an error, as net.Socket's does.
    super({ allowHalfOpen, highWaterMark: options.highWaterMark, emitClose: false })
    this.joinKeys = keyringFor(init.joins)
    const auth = this.joinKeys && { isRequired: init.joins!.isRequired, keys: this.joinKeys }
    this.#driver = new Driver({ ...init, auth }, nodePorts(init.clock), {
      onReadable: () => {
        this.#pull()
        this.pullDatagrams()
      },
      onProgress: () => {
        this.#progressed()
        this.datagramsProgressed()
      },
      onSubflow: (change) => {
        if (change.state === 'closed') this.connPaths.left(change.subflow)
        this.#announcer.announce(change)
      },
      onParallel: (wanted) => this.onParallel?.(wanted),
      onSuspension: (resumedAfterMs) => this.suspension.changed(resumedAfterMs),
      onFinished: (error) => this.#finished(error),
    })
    this.#inlet = new Inlet(this, this.#driver)
    this.#outlet = new Outlet(this.#driver)
    this.#drainLimit = new DrainLimit(init.clock, init.options.lingerMs)
  }

  /** Adds a subflow whose hello is done. For the dialer, the listener, and tests. @internal */
  attach({ stream, trackers, head, onChange, ...init }: AttachInit): Subflow {
    if (!this.hasEndpoints) this.setEndpoints(endpointsOf(stream))
    // An accepted connection stands at once; a dialled one once its user has been told.
    if (!init.isDialer && this.connecting) this.#stand()
    const path = init.path ?? new Path()
    const subflow = this.#driver.attach(stream, { ...init, path, tracker: safeTracker(...trackers) }, head)
    if (onChange !== undefined) this.#announcer.watch(subflow, onChange)
    return subflow
  }

  /** Its dialer has given it its first subflow. What has arrived already waits until the user has been told. @internal */
  established(): void {
    if (this.destroyed) return
    this.#stand()
    callForeign(() => this.emit('connect'))
    this.#outlet.sendEarly()
    callForeign(() => this.emit('ready'))
    this.#pull()
  }

  #stand(): void {
    this.stand()
    this.#outlet.open()
    expectFarewell(this.#driver)
  }

  /** Bytes that the reader received. */
  get bytesRead(): number {
    return this.#inlet.bytesRead
  }

  /** Bytes written, including those that are still on their way. */
  get bytesWritten(): number {
    return this.#outlet.bytesDone + this.writableLength
  }

  /** Bytes written that the peer has not acked yet. */
  get unflushedBytes(): number {
    return this.#outlet.unflushedBytes(this.writableLength)
  }

  /** Resets the connection: it closes at once, the peer gets an error, and unacked data is dropped. */
  resetAndDestroy(): this {
    this.#isReset = true
    return this.destroy()
  }

  /**
   * Resolves when the peer has acked all written data, including data that is written while this waits.
   *
   * @throws ERR_MULTIPATH_UNACKED, or what destroyed the connection, when it closes before
   */
  flushed(): Promise<void> {
    return this.#outlet.flushed(this.writableLength)
  }

  /** The same connection in the shape of Go's net.Conn. Read through one of the two only. */
  netConn(): NetConn {
    return (this.#netConn ??= new NetConn(this))
  }

  /** @internal */ override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    this._writev([{ chunk }], callback)
  }

  /** @internal */ override _writev(chunks: { chunk: Buffer }[], callback: Callback): void {
    this.idle.refresh()
    const bytes = chunks.map(({ chunk }) => chunk)
    this.#outlet.writeAll(bytes, callback)
    if (this.#finish !== undefined) this.#checkDrained()
  }

  /** @internal */ override _final(callback: Callback): void {
    // Not at once behind the peer's end, as net's: who writes then is to hear of it.
    this.#outlet.end((error) => {
      if (this.readableEnded) setImmediate(callback, error)
      else callback(error)
    })
    this.#progressed()
  }

  /** @internal */ override _read(): void {
    this.#inlet.want()
    this.#pull()
  }

  override read(size?: number): Buffer | null {
    const chunk = super.read(size) as Buffer | null
    if (this.#finish !== undefined) {
      if (chunk !== null) this.#drainLimit.stop()
      this.#checkDrained()
    }
    return chunk
  }

  /** @internal */ override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#drainLimit.stop()
    this.idle.stop()
    const isCut = this.#isReset || this.isCutBy(error)
    if (!isCut && this.#mayLinger) {
      this.#outlet.linger(this.buffered)
      this.#driver.linger()
    } else {
      this.#outlet.close(this.unflushedBytes > 0)
      this.#driver.destroy(isCut, toldReason(error))
      this.#over()
    }
    // As net's: who wrote before the connection stood hears of it last.
    const { isOpen: hasStood } = this.#outlet
    if (hasStood) this.#outlet.destroy(error ?? closedError())
    callback(error)
    setImmediate(() => {
      callForeign(() => this.emit('close', error !== null))
      if (!hasStood) this.#outlet.destroy(error ?? closedError('ERR_SOCKET_CLOSED_BEFORE_CONNECTION'))
    })
    this.#checkGone()
  }

  /** As a kernel sends what a closed socket has accepted. */
  get #mayLinger(): boolean {
    if (!this.#outlet.isOpen || this.#finish !== undefined) return false
    return this.unflushedBytes > 0 || this.#driver.core.isFinUnderWay
  }

  /** @internal */ protected override get driver(): Driver<Duplex> {
    return this.#driver
  }

  /** @internal */ protected override get sentBytes(): number | undefined {
    return this.unflushedBytes > 0 ? this.bytesWritten - this.unflushedBytes : undefined
  }

  /** @internal */ protected override lend(chunk: Uint8Array): Uint8Array {
    return this.#outlet.lend(chunk)
  }

  /** @internal */ protected override setRef(isRefed: boolean): void {
    this.#driver.setRef(isRefed)
    this.refs.set(isRefed)
    this.suspension.setRef(isRefed)
  }

  #pull(): void {
    if (this.connecting) return
    if (this.#inlet.pull()) {
      this.idle.refresh()
      this.#drainLimit.stop()
    }
    if (this.#driver.core.isReadEnd && this.#finish?.error === undefined) {
      // The ack of our end and the peer's may come together: `finish` is before `end`, as with net.
      this.#outlet.progressed(this.writableLength)
      this.readEnd.come()
    }
    if (this.#finish !== undefined) this.#checkDrained()
  }

  /** Acks may have made room, or completed what was written. */
  #progressed(): void {
    if (this.isSuspended) this.suspension.onHeldChange?.()
    this.idle.progressed()
    if (this.destroyed || this.#finish?.error !== undefined) return
    this.#outlet.progressed(this.writableLength)
    if (this.#driver.core.isReadEnd) this.#pull()
  }

  #finished(error: MultipathError | undefined): void {
    this.#finish = { error }
    this.#outlet.lingered(error)
    const isUnacked = error !== undefined && error.multipathCode !== 'ERR_MULTIPATH_INCOMPLETE'
    this.#outlet.close(isUnacked || this.#outlet.isWaiting)
    this.#over()
    if (this.destroyed) this.#checkGone()
    else this.#pull()
  }

  #checkGone(): void {
    if (this.#finish === undefined) return
    const { onDestroyed } = this
    this.onDestroyed = undefined
    onDestroyed?.()
  }

  #over(): void {
    needsNoFarewell(this.#driver)
    this.connPaths.over()
    this.suspension.over()
    const onOver = this.onOver
    this.onOver = undefined
    onOver?.()
  }

  /** The reader drains what arrived in order; then the error, if any, or the end of a hopeless write. */
  #checkDrained(): void {
    const error = this.#finish?.error ?? (this.#outlet.isWaiting ? closedError() : undefined)
    if (error === undefined || this.destroyed) return
    if (this.#inlet.isDrained) this.destroy(error)
    else this.#drainLimit.start(() => this.destroy(error))
  }
}
