// SPDX-License-Identifier: Apache-2.0
/** What a connection tells of its paths, and how they and its limits are controlled while it lives. */
import type { Duplex } from 'node:stream'
import type { DatagramOptions } from '../core/datagram-options.js'
import type { CloseReason } from '../core/health.js'
import type { Introduction } from '../wire/settings.js'
import type { ConnLimits } from '../core/options.js'
import type { Path, PathPolicy } from '../core/path.js'
import type { PeerProfile } from '../core/peer-profile.js'
import type { Scheduler } from '../core/scheduler.js'
import type { SchedulerName } from '../core/schedulers/by-name.js'
import { checkSchedulerName, schedulerOf } from '../core/schedulers/by-name.js'
import type { Subflow } from '../core/subflow.js'
import { EventSurface } from './conn-events.js'
import { ConnPaths } from './conn-paths.js'
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
import { subflowStats } from './subflow-stats.js'
import type { JoinKeyring } from './join-keys.js'
import { SuspensionEvents } from './suspension-events.js'
import { UnorderedMessageStream } from './unordered-messages.js'
import type { TraceTarget } from './trace-sink.js'
import { checkTrace, sinkOf } from './trace-sink.js'

export abstract class PathSurface extends EventSurface {
  /** A short name for logs; never enough of the CID to join with. */
  name = ''
  /** Of streams that are being opened. @internal */
  readonly refs: Refs = new Refs((handle) => {
    tellAttempts(handle, this)
  })
  /** Of a connection that is held. @internal */
  readonly suspension: SuspensionEvents = new SuspensionEvents((resumed) => {
    publishSuspension(this, resumed)
    if (resumed === undefined) this.emit('suspended')
    else this.emit('resumed', resumed)
  })
  /** @internal */
  protected readonly connPaths: ConnPaths = new ConnPaths(
    () => this.driver.core.subflows,
    (subflow) => this.#stats(subflow),
    () => {
      this.driver.trace?.settingsChanged()
      this.driver.flushSoon()
    },
  )

  #datagrams: DatagramStream | undefined
  #unordered: UnorderedMessageStream | undefined

  /** Of a connection whose joins are proven. @internal */
  protected abstract readonly joinKeys: JoinKeyring | undefined

  /** @internal */
  protected abstract get driver(): Driver<Duplex>

  /** @internal */
  protected override streams(): readonly Duplex[] {
    return this.driver.streams
  }

  /**
   * Messages of up to 64 KiB beside the bytes of the connection, which may be lost and overtake each other, but wait for nothing:
   * for a peer that does the same. Without options, it returns the ones that are open, if any.
   *
   * @throws {OptionError} for an invalid option, and for options while they are open
   */
  datagrams(options?: DatagramOptions): DatagramStream {
    const open = this.#datagrams
    if (this.#unordered !== undefined) throw new OptionError('messages without an order take all datagrams')
    if (open === undefined || open.destroyed)
      return (this.#datagrams = new DatagramStream(this.#besideBytes, options))
    if (options !== undefined) throw new OptionError('the datagrams of the connection are open already')
    return open
  }

  /** As below, but each message is there once it has come, whatever is missing of others: between two multipath-net peers. */
  messages(options: MessageOptions & { readonly ordered: false }): UnorderedMessageStream
  /**
   * The same connection as messages with their boundaries, for a peer that does the same: it is to be read and
   * written by them alone.
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
    return this.driver.core.subflows.map((subflow) => this.#stats(subflow))
  }

  #stats(subflow: Subflow): SubflowStats {
    const { core, clock } = this.driver
    return subflowStats(subflow, core.eligibility(subflow, clock.now()))
  }

  /**
   * The connection has no subflow, and is held for one (`holdMs`): writes fill the buffer and then wait, and so do reads. The
   * events `suspended` and `resumed` (with `durationMs`) tell of changes.
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
   * Each path: where this side dials, those without a subflow, too, and with what they have carried even once the
   * connection is over.
   */
  paths(): ConnPath[] {
    return this.connPaths.list()
  }

  /**
   * Chooses paths otherwise from the next frame on: for what we send. For the peer, see `setPeerScheduler`.
   *
   * @throws {OptionError} for what is neither a name nor a scheduler
   */
  setScheduler(scheduler: SchedulerName | Scheduler): void {
    this.driver.core.setScheduler(schedulerOf(scheduler))
    this.driver.trace?.settingsChanged()
    this.driver.flushSoon()
  }

  /**
   * Has the peer choose paths otherwise for what it sends, if it is one of ours and accepts that (`acceptPeerPolicy`). For
   * the side that has dialled; the option `peerScheduler`, live.
   *
   * @throws {OptionError} for what is no name of a scheduler
   */
  setPeerScheduler(name: SchedulerName): void {
    this.driver.core.extensions.peerScheduler = checkSchedulerName(name)
    this.driver.flushSoon()
  }

  /**
   * Changes how much memory the connection may take, from now on; what it holds already stays. For a listener that gives
   * little to strangers, and more to those whom it knows. What is not given stays as it is.
   *
   * @throws {OptionError} for what is no such limit, or a value out of range
   */
  setLimits(limits: ConnLimits): void {
    this.driver.setLimits(limits)
  }

  /**
   * Changes the policy of the path called `label`, at once: for what we send and, where we have dialled, for what a peer of ours
   * sends (`acceptPeerPolicy`). Connections of one dialer share it.
   *
   * @throws {OptionError} for a label that no path has, or a value out of range
   */
  setPathPolicy(label: string, policy: PathPolicy): void {
    this.connPaths.set(label, policy)
  }

  /**
   * Sends no more data on the path called `label`, until `resumePath`; acks and signs of life still use it, and what
   * is on its way arrives. With every path paused, data waits. Connections of one dialer share it. Not to be confused
   * with `pause()`, which stops what is read from the connection.
   *
   * @throws {OptionError} for a label that no path has
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
   * Traces the connection from now on (docs/trace.md), in place of what the option `trace` or MULTIPATH_TRACE has asked for;
   * `undefined` ends its trace.
   *
   * @throws {OptionError} for what is neither the name of a file nor a function
   */
  setTrace(target: TraceTarget | undefined): void {
    checkTrace(target)
    this.driver.setTrace(target === undefined ? undefined : sinkOf(target), this.name)
  }

  /** Whether a subflow may still join. @internal */
  get isJoinable(): boolean {
    return !this.driver.core.isOver
  }

  /** Its path was removed: it closes in order, once another carries the connection. @internal */
  retireSubflow(subflow: Subflow): void {
    this.driver.retireSubflow(subflow)
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
   * Whether the peer hears that we end while it goes on writing: one of ours does, Go's does not and closes.
   * `undefined` until its first frame has come.
   */
  get canHalfClose(): boolean | undefined {
    const { endsBy } = this.peer
    return endsBy === 'unknown' ? undefined : endsBy !== 'close'
  }

  /**
   * The name that the dialer has given itself (its option `name`), on the listener's side: at most 64 bytes, with control
   * characters escaped. Anybody may claim any name. `undefined` without one, and until it has arrived.
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
