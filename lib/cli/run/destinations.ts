// SPDX-License-Identifier: Apache-2.0
/** Where accepted connections are to go. Those that come at the same time share one look at the kernel's tables. */
import { readFile } from 'node:fs/promises'
import { parseAddress } from '../streams/host.js'
import type { Accepted } from './kernel-table.js'
import { DialledPorts } from './kernel-table.js'
import type { NameTable } from './name-table.js'
import type { Destination } from './protocol.js'

/** The text of the tables as they are now. */
export type ReadTables = () => Promise<readonly string[]>

interface Waiting {
  readonly accepted: Accepted
  readonly tell: (destination: Destination | undefined) => void
}

export class Destinations {
  readonly #names: NameTable
  readonly #read: ReadTables
  #waiting: Waiting[] = []
  #isReading = false

  constructor(names: NameTable, read: ReadTables = readTables) {
    this.#names = names
    this.#read = read
  }

  /** `undefined`: the client has gone. */
  of(accepted: Accepted): Promise<Destination | undefined> {
    return new Promise((resolve) => {
      this.#waiting.push({ accepted, tell: resolve })
      if (!this.#isReading) void this.#answer()
    })
  }

  async #answer(): Promise<void> {
    this.#isReading = true
    while (this.#waiting.length > 0) {
      // Those that come from now on may be too young for what is read.
      const asked = this.#waiting
      this.#waiting = []
      const ports = new DialledPorts(await this.#read())
      for (const { accepted, tell } of asked) tell(this.#destination(accepted, ports.of(accepted)))
    }
    this.#isReading = false
  }

  #destination({ serverAddress }: Accepted, port: number | undefined): Destination | undefined {
    const address = parseAddress(serverAddress)?.address
    if (port === undefined || address === undefined) return undefined
    return { host: this.#names.nameOf(address) ?? address, port }
  }
}

/** A kernel without IPv6 has one table. */
async function readTables(): Promise<string[]> {
  const read = (name: string): Promise<string> => readFile(`/proc/self/net/${name}`, 'latin1').catch(() => '')
  return Promise.all(['tcp', 'tcp6'].map(read))
}
