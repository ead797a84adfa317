// SPDX-License-Identifier: Apache-2.0
/** Flows by what tells them apart. The one that was used longest ago makes room for a new one. */
import { setNewest } from '../set-newest.js'

/** Flows of one port, or of one association. */
const MAX_FLOWS = 512

export interface Closable {
  close(): void
}

export class FlowTable<Flow extends Closable> {
  readonly #flows = new Map<string, Flow>()

  get size(): number {
    return this.#flows.size
  }

  /** The flow of `key`, which `make` makes where there is none. It is the newest now. */
  use(key: string, make: () => Flow): Flow {
    const flow = this.#flows.get(key) ?? make()
    const [, oldest] = setNewest(this.#flows, key, flow, MAX_FLOWS) ?? []
    oldest?.close()
    return flow
  }

  /** It is over. */
  delete(key: string, flow: Flow): void {
    if (this.#flows.get(key) === flow) this.#flows.delete(key)
  }

  clear(): void {
    for (const key of [...this.#flows.keys()]) this.#close(key)
  }

  #close(key: string): void {
    const flow = this.#flows.get(key)
    this.#flows.delete(key)
    flow?.close()
  }
}
