// SPDX-License-Identifier: Apache-2.0
/** One path of a soaked connection: a relay of a given rate, and the fault that it has just now. */
import { PathRelay } from '../../interop/support/path-relay.js'

export type Fault =
  | { readonly name: 'freeze' | 'cut'; readonly ms: number }
  | { readonly name: 'rate'; readonly ms: number; readonly bytesPerSecond: number }

export class SoakPath implements AsyncDisposable {
  readonly address: string
  readonly port: number
  readonly #relay: PathRelay
  readonly #bytesPerSecond: number
  #fault: Fault | undefined
  #recovery: NodeJS.Timeout | undefined

  private constructor(relay: PathRelay, bytesPerSecond: number) {
    this.#relay = relay
    this.#bytesPerSecond = bytesPerSecond
    this.address = relay.address
    this.port = relay.port
  }

  static async open(target: string, bytesPerSecond: number): Promise<SoakPath> {
    const relay = await PathRelay.open(target)
    relay.limit(bytesPerSecond)
    return new SoakPath(relay, bytesPerSecond)
  }

  get isNormal(): boolean {
    return this.#fault === undefined
  }

  joined(): Promise<void> {
    return this.#relay.joined()
  }

  /** The path has the fault for its time, and is as before then. */
  suffer(fault: Fault): void {
    this.#fault = fault
    if (fault.name === 'freeze') this.#relay.freeze()
    else if (fault.name === 'rate') this.#relay.limit(fault.bytesPerSecond)
    else {
      this.#relay.refuse(true)
      this.#relay.reset()
    }
    this.#recovery = setTimeout(() => {
      this.#recover()
    }, fault.ms)
  }

  describe(): string {
    const { opened, bytesUp, bytesDown } = this.#relay
    const state = this.#fault === undefined ? 'normal' : describeFault(this.#fault)
    return `${rate(this.#bytesPerSecond)}, ${state}, opened ${opened} times, ${bytesUp} bytes up, ${bytesDown} down`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#recovery)
    await this.#relay[Symbol.asyncDispose]()
  }

  #recover(): void {
    this.#fault = undefined
    this.#relay.thaw()
    this.#relay.refuse(false)
    this.#relay.limit(this.#bytesPerSecond)
  }
}

export function describeFault(fault: Fault): string {
  const limit = fault.name === 'rate' ? ` ${rate(fault.bytesPerSecond)}` : ''
  return `${fault.name}${limit} for ${fault.ms} ms`
}

function rate(bytesPerSecond: number): string {
  return bytesPerSecond === Infinity ? 'unlimited' : `${(bytesPerSecond / 1e6).toFixed(1)} MB/s`
}
