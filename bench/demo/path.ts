// SPDX-License-Identifier: Apache-2.0
/** One path of the demo: a relay with a rate, and what the dialer says of it. */
import type { MultipathDialer, SubflowDialer } from 'multipath-net'
import { tcpDialer } from 'multipath-net'
import { PathRelay } from '../../interop/support/path-relay.js'

export type PathState = 'connecting' | 'open' | 'suspect' | 'redialling' | 'closed'

export class DemoPath implements AsyncDisposable {
  readonly name: string
  readonly dialer: SubflowDialer
  readonly #relay: PathRelay
  readonly #states = new Map<number, PathState>()
  /** Without a subflow. */
  #idleState: PathState = 'connecting'
  #note = ''

  private constructor(name: string, relay: PathRelay) {
    this.name = name
    this.#relay = relay
    this.dialer = tcpDialer({ host: '127.0.0.1', port: relay.port, label: name })
  }

  /** A path to `port` that lets `bytesPerSecond` through, each way. */
  static async open(name: string, port: number, bytesPerSecond: number): Promise<DemoPath> {
    const relay = await PathRelay.open(port)
    relay.limit(bytesPerSecond)
    return new DemoPath(name, relay)
  }

  /** Follows what `dialer` says of this path: it may have a second subflow beside a suspect one. */
  watch(dialer: MultipathDialer): void {
    const set = (state: PathState) => (change: { label: string; id: number }) => {
      if (change.label === this.name) this.#states.set(change.id, state)
    }
    dialer.on('subflow-open', set('open'))
    dialer.on('subflow-recovered', set('open'))
    dialer.on('subflow-suspect', set('suspect'))
    dialer.on('subflow-close', ({ label, id, reason }) => {
      if (label !== this.name) return
      this.#states.delete(id)
      this.#idleState = reason === 'closed' ? 'closed' : 'redialling'
    })
  }

  get state(): PathState {
    const states = [...this.#states.values()]
    if (states.includes('open')) return 'open'
    return states[0] ?? this.#idleState
  }

  /** What has been done to it. */
  get note(): string {
    return this.#note
  }

  /** Bytes that have passed towards the listener. */
  get bytes(): number {
    return this.#relay.bytesUp
  }

  /** Resets it, and each attempt to dial it again. */
  cut(): void {
    this.#note = 'cut'
    this.#relay.refuse(true)
    this.#relay.reset()
  }

  /** Ends what `cut` began. */
  restore(): void {
    this.#note = 'back'
    this.#relay.refuse(false)
  }

  /** Lets nothing through; neither end is told. */
  freeze(): void {
    this.#note = 'frozen'
    this.#relay.freeze()
  }

  thaw(): void {
    this.#note = 'thawed'
    this.#relay.thaw()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#relay[Symbol.asyncDispose]()
  }
}
