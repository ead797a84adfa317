// SPDX-License-Identifier: Apache-2.0
/** A source of paths on a machine that a spec changes, watched in virtual time. */
import type { InterfacePathsOptions } from '../../lib/paths/interface-paths-options.js'
import { resolveInterfacePathsOptions } from '../../lib/paths/interface-paths-options.js'
import { InterfacePaths } from '../../lib/paths/interface-paths.js'
import type { FoundAddress } from '../../lib/paths/target-addresses.js'
import { ManualClock } from '../../lib/testing/manual-clock.js'
import type { PathSourceListener } from '../../lib/transport/path-source.js'
import type { SubflowDialer } from '../../lib/transport/transport.js'
import { machine } from './interfaces.js'

export class PathWatch {
  readonly clock: ManualClock = new ManualClock()
  readonly source: InterfacePaths
  /** `+label`, `-label` and `!message` in their order. */
  readonly events: string[] = []
  readonly paths: Map<string, SubflowDialer> = new Map()
  interfaces: Readonly<Record<string, readonly string[]>> | Error = { eth0: ['192.0.2.2'] }
  /** Addresses of every name. */
  answer: readonly (string | FoundAddress)[] | Error = ['203.0.113.1']
  /** Times at which the interfaces were looked at. */
  readonly scans: number[] = []
  /** Times at which a name was looked up. */
  readonly lookups: number[] = []
  readonly listener: PathSourceListener
  /** How long a lookup takes, milliseconds. */
  lookupMs = 0

  constructor(options: InterfacePathsOptions = {}) {
    const { clock } = this
    const place = options.targets === undefined ? { host: 'peer.example', port: 80 } : {}
    const settings = resolveInterfacePathsOptions({
      ...place,
      clock,
      lookup: () => this.#lookUp(),
      ...options,
    })
    this.source = new InterfacePaths(settings, () => {
      this.scans.push(clock.now())
      if (this.interfaces instanceof Error) throw this.interfaces
      return machine(this.interfaces)
    })
    this.listener = {
      add: (path) => {
        this.events.push(`+${path.label}`)
        this.paths.set(path.label, path)
      },
      remove: (label) => {
        this.events.push(`-${label}`)
        this.paths.delete(label)
      },
      failed: ({ message }) => this.events.push(`!${message}`),
    }
  }

  /** What has happened since it was asked last. */
  get news(): string[] {
    return this.events.splice(0)
  }

  async #lookUp(): Promise<FoundAddress[]> {
    const { clock } = this
    this.lookups.push(clock.now())
    if (this.lookupMs > 0)
      await new Promise<void>((resolve) => clock.callAt(clock.now() + this.lookupMs, resolve))
    if (this.answer instanceof Error) throw this.answer
    return this.answer.map((one) => (typeof one === 'string' ? { address: one, family: 4 } : one))
  }
}
