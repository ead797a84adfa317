// SPDX-License-Identifier: Apache-2.0
/** What a connection tells of its paths, and how they and its limits are controlled while it lives. */
import type { Duplex } from 'node:stream'
import type { DatagramOptions } from '../core/datagrams/datagram-options.js'
import type { CloseReason, GracefulClose } from '../core/health.js'
import type { Introduction } from '../wire/settings.js'
import type { ConnLimits } from '../core/options.js'
import type { Path, PathPolicy } from '../core/path.js'
import type { PeerProfile } from '../core/peer-profile.js'
import type { Scheduler } from '../core/scheduler.js'
import type { SchedulerName } from '../core/schedulers/by-name.js'
import { checkSchedulerName, schedulerOf } from '../core/schedulers/by-name.js'
import type { Subflow } from '../core/subflow.js'
import { EventSurface } from './conn-events.js'
import { ConnPaths, statsOf } from './conn-paths.js'
import { type DatagramStreamInit, DatagramStream } from './datagram-stream.js'
import { publishSuspension } from './diagnostics.js'
import type { Driver } from './driver.js'
import { OptionError } from '../errors.js'
import { type MessageOptions, MessageStream } from '../messages/messages.js'
import { checkBoolean } from '../options.js'
import type { ConnPath } from './path-view.js'
import { tellAttempts } from '../stream/attempts.js'
import { Refs } from '../stream/refs.js'
import { cidName } from '../wire/hello.js'
import type { SubflowStats } from './subflow-stats.js'
import type { JoinKeyring } from './join-keys.js'
import { SuspensionEvents } from './suspension-events.js'
import { UnorderedMessageStream } from './unordered-messages.js'
import type { TraceTarget } from './trace-sink.js'
import { checkTrace, sinkOf } from './trace-sink.js'

export abstract class PathSurface extends EventSurface {
  /** A short name for logs. It shows too little of the CID to join with it. */
  name = ''
  /** Of a connection that is held. @internal */
  readonly suspension: SuspensionEvents = new SuspensionEvents((resumed) => {
    publishSuspension(this, resumed)
    if (resumed === undefined) this.emit('suspended')
    else this.emit('resumed', resumed)
  })
  // Made when they are used first: most connections of a listener need none of them.
  #refs: Refs | undefined
  #connPaths: ConnPaths | undefined
  #datagrams: DatagramStream | undefined
  #unordered: UnorderedMessageStream | undefined

  /** Of a connection whose joins are proven. @internal */
  protected abstract readonly joinKeys: JoinKeyring | undefined

  /** @internal */
  protected abstract get driver(): Driver<Duplex>

  /** Subflows that live, as the core has them. @internal */
  get live(): readonly Subflow[] {
    return this.driver.core.subflows
  }

  /** Of streams that are being opened. @internal */
  get refs(): Refs {
    return (this.#refs ??= new Refs((handle) => tellAttempts(handle, this)))
  }

  /** @internal */
  protected get connPaths(): ConnPaths {
    return (this.#connPaths ??= new ConnPaths(this.driver))
  }

  /** @internal */
  protected override streams(): readonly Duplex[] {
    return this.driver.streams
  }

  /**
   * Messages of up to 64 KiB beside the bytes of the connection, for a peer that calls this too. They may be lost and may
   * overtake each other, but never wait for each other. Without options, an open stream of them is returned again.
   *
   * @throws {OptionError} for an invalid option, and for options while such a stream is open
   */
  datagrams(options?: DatagramOptions): DatagramStream {
    const open = this.#datagrams
    if (this.#unordered !== undefined) throw new OptionError('messages without an order take all datagrams')
    if (open === undefined || open.destroyed)
      return (this.#datagrams = new DatagramStream(this.#besideBytes, options))
    if (options !== undefined) throw new OptionError('the datagrams of the connection are open already')
    return open
  }

  /**
   * As below, but each message is delivered when it arrives, even if earlier ones are missing. Between two multipath-net
   * peers.
   */
  messages(options: MessageOptions & { readonly ordered: false }): UnorderedMessageStream
  /**
   * The connection as a stream of messages that keep their boundaries, for a peer that calls this too. Read and write the
   * connection through it only.
   *
   * @throws {OptionError}
   */
  messages(options?: MessageOptions & { readonly ordered?: true | undefined }): MessageStream
  messages(
    options?: MessageOptions & { readonly ordered?: boolean | undefined },
  ): MessageStream | UnorderedMessageStream {
    const { ordered, ...others } = options ?? {}
    if (checkBoolean('ordered', ordered) !== false)
      return new MessageStream(this, ordered === undefined ? options : others)
    if (this.#datagrams !== undefined || this.#unordered !== undefined)
      throw new OptionError(
        'the datagrams of the connection, which messages without an order need, are in use',
      )
    return (this.#unordered = new UnorderedMessageStream(this.#besideBytes, others))
  }

  get #besideBytes(): DatagramStreamInit {
    return { conn: this, driver: this.driver, onUse: () => this.idle.refresh() }
  }

  /** Something has come. @internal */
  protected pullDatagrams(): void {
    this.#datagrams?.pull()
    this.#unordered?.pull()
  }

  /** There may be room to send, or an ack has come. @internal */
  protected datagramsProgressed(): void {
    this.#unordered?.progressed()
  }

  /** The live subflows. */
  subflows(): SubflowStats[] {
    return this.driver.core.subflows.map((subflow) => statsOf(subflow, this.driver))
  }

  /**
   * Whether the connection has no subflow, and is held for one (`holdMs`). Reads wait, and so do writes once the buffer is
   * full. The events `suspended` and `resumed` (with `durationMs`) report changes.
   */
  get isSuspended(): boolean {
    return this.driver.core.isSuspended
  }

  /** What a dialer may say behind the hello of a subflow that joins, before it is answered. @internal */
  introduce(): Introduction | undefined {
    return this.driver.core.extensions.introduce(true)
  }

  /** Bytes that it keeps: unread, ahead of a missing frame, and not yet acked. @internal */
  get heldBytes(): number {
    const { core } = this.driver
    const { queuedBytes, unackedBytes, unreadBytes, outOfOrderBytes } = core.metrics
    const bytes = queuedBytes + unackedBytes + unreadBytes + outOfOrderBytes + core.datagrams.heldBytes
    return bytes + (this.#unordered?.keptBytes ?? 0) + this.writableLength + this.readableLength
  }

  /** Gives a connection up that is suspended. @param why - as the beginning of a sentence @internal */
  endHold(why: string): void {
    this.driver.endHold(why)
  }

  /** No subflow can come any more: nothing is held from now on. @internal */
  forbidHold(): void {
    this.driver.forbidHold()
  }

  /**
   * The state of each path. The side that dials also lists paths without a subflow, and keeps the counters after the end of
   * the connection.
   */
  paths(): ConnPath[] {
    return this.connPaths.list()
  }

  /**
   * Sets the scheduler for the data that this side sends, from the next frame on. For the peer, see `setPeerScheduler`.
   *
   * @throws {OptionError} for what is neither a name nor a scheduler
   */
  setScheduler(scheduler: SchedulerName | Scheduler): void {
    this.driver.core.setScheduler(schedulerOf(scheduler))
    this.driver.trace?.settingsChanged()
    this.driver.flushSoon()
  }

  /**
   * Asks a multipath-net peer to use this scheduler for the data that it sends (`acceptPeerPolicy`). Only the side that
   * dialled can ask; the option `peerScheduler` sets the first value.
   *
   * @throws {OptionError} for an unknown name
   */
  setPeerScheduler(name: SchedulerName): void {
    this.driver.core.extensions.peerScheduler = checkSchedulerName(name)
    this.driver.flushSoon()
  }

  /**
   * Changes the given memory limits of the connection. Data that it already holds stays. A listener can give little to
   * unknown clients, and more once they have logged in.
   *
   * @throws {OptionError} for an unknown limit, or a value out of range
   */
  setLimits(limits: ConnLimits): void {
    this.driver.setLimits(limits)
  }

  /**
   * Changes the policy of the path called `label` at once, for the data that this side sends. If this side dialled, it also
   * applies to the data of a multipath-net peer that accepts it (`acceptPeerPolicy`). All connections of a dialer share it.
   *
   * @throws {OptionError} for an unknown label, or a value out of range
   */
  setPathPolicy(label: string, policy: PathPolicy): void {
    this.connPaths.set(label, policy)
  }

  /**
   * Sends no more data on the path called `label` until `resumePath`. Acks and pings still use it, and data that is on its
   * way arrives. If every path is paused, data waits. All connections of a dialer share it. `pause()` is different: it
   * stops reading.
   *
   * @throws {OptionError} for an unknown label
   */
  pausePath(label: string): void {
    this.connPaths.setPaused(label, true)
  }

  /**
   * Sends data on the path again.
   *
   * @throws {OptionError} for a label that no path has
   */
  resumePath(label: string): void {
    this.connPaths.setPaused(label, false)
  }

  /**
   * Traces the connection from now on (docs/trace.md), instead of the trace of the option `trace` or of MULTIPATH_TRACE.
   * `undefined` ends the trace.
   *
   * @throws {OptionError} unless it is the name of a file or a function
   */
  setTrace(target: TraceTarget | undefined): void {
    checkTrace(target)
    this.driver.setTrace(target === undefined ? undefined : sinkOf(target), this.name)
  }

  /** Whether a subflow may still join. @internal */
  get isJoinable(): boolean {
    return !this.driver.core.isOver
  }

  /** It closes in order, once another carries the connection. @internal */
  retireSubflow(subflow: Subflow, reason: GracefulClose['reason']): void {
    this.driver.retireSubflow(subflow, reason)
  }

  /** A path of the dialer, with or without a subflow. @internal */
  addPath(path: Path, label: string): void {
    if (this.isJoinable) this.connPaths.add(path, label)
  }

  /** @internal */
  removePath(path: Path): void {
    this.connPaths.remove(path)
  }

  /** @internal */
  closeSubflow(subflow: Subflow, reason: CloseReason): void {
    this.driver.closeSubflow(subflow, reason)
  }

  /**
   * Whether this side can end its data while the peer continues to write. It can towards a multipath-net peer; a Go peer
   * closes instead. `undefined` until the first frame of the peer has arrived.
   */
  get canHalfClose(): boolean | undefined {
    const { endsBy } = this.peer
    return endsBy === 'unknown' ? undefined : endsBy !== 'close'
  }

  /**
   * On the listener's side, the name that the dialer has given itself (its option `name`): at most 64 bytes, with control
   * characters escaped. It proves nothing. `undefined` without a name, and until it has arrived.
   */
  get peerName(): string | undefined {
    return this.driver.core.peerSettings?.name
  }

  /** What is known of the peer. @internal */
  get peer(): PeerProfile {
    return this.driver.core.peer
  }

  /** @internal */
  setCid(cid: Uint8Array): void {
    this.joinKeys?.setCid(cid)
    this.name = cidName(cid)
    this.driver.trace?.begin(this.name)
  }
}
