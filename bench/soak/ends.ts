// SPDX-License-Identifier: Apache-2.0
/** The two ends of a soaked connection, ours and Go's, with the same things to do. */
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { MultipathConn } from 'multipath-net'
import type { GoConn } from '../../interop/support/go-peer.js'
import { receive, send } from '../../interop/support/node-side.js'
import type { Slice } from './plan.js'

export interface End {
  /** Bytes that the application has got, as far as it can be seen from here. */
  readonly bytesRead: number
  /** Writes all of the slice and gives its SHA-256. */
  send(slice: Slice): Promise<string>
  /** Reads all of the slice and gives its SHA-256. @throws when it is not what was to come */
  receive(slice: Slice): Promise<string>
  /** Writes no more. Go cannot say so, and does nothing. */
  end(): void
  /** Reads the end and waits until the connection is over. @throws when it ends otherwise than in order */
  finish(): Promise<void>
}

const LOOK_MS = 10

/** What the module's Read says at the end of a connection. */
const GO_END = 'closed connection'

export class OurEnd implements End {
  readonly #conn: MultipathConn

  constructor(conn: MultipathConn) {
    this.#conn = conn
    conn.on('error', () => undefined) // `errored` keeps it, and the next step tells it
  }

  get bytesRead(): number {
    return this.#conn.bytesRead
  }

  async send(slice: Slice): Promise<string> {
    return (await send(this.#conn, slice)).sha256
  }

  async receive({ bytes, seed }: Slice): Promise<string> {
    const got = await receive(this.#conn, { bytes, seed })
    assertWhole(got, bytes, `${got.state}, ${got.error?.message ?? 'no error'}`)
    return got.sha256
  }

  end(): void {
    if (!this.#conn.writableEnded) this.#conn.end()
  }

  async finish(): Promise<void> {
    const conn = this.#conn
    this.end()
    const rest = await receive(conn, { seed: 0 })
    if (rest.bytes > 0) throw new Error(`${rest.bytes} bytes came beyond the last that was sent`)
    if (rest.state !== 'ended') throw new Error(`no end in order: ${rest.error?.message ?? rest.state}`)
    if (!conn.closed) await once(conn, 'close')
    if (conn.errored) throw conn.errored
    // Closed for its user, it still tells the peer so: without its paths it would be held for that.
    while (conn.subflows().length > 0 || conn.isSuspended) await delay(LOOK_MS)
  }
}

export class GoEnd implements End {
  readonly #conn: GoConn
  #bytesRead = 0

  constructor(conn: GoConn) {
    this.#conn = conn
  }

  get bytesRead(): number {
    return this.#bytesRead
  }

  async send({ bytes, seed, sizes }: Slice): Promise<string> {
    return (await this.#conn.send({ bytes, seed, sizes })).sha256
  }

  async receive({ bytes, seed }: Slice): Promise<string> {
    const got = await this.#conn.receive({ bytes, seed })
    this.#bytesRead += got.bytes
    assertWhole(got, bytes, got.end)
    return got.sha256
  }

  end(): void {
    // ours ends the connection
  }

  async finish(): Promise<void> {
    const rest = await this.#conn.receive({ seed: 0 })
    if (rest.bytes > 0) throw new Error(`${rest.bytes} bytes came to Go beyond the last that was sent`)
    if (rest.end !== GO_END) throw new Error(`Go read no end in order: ${rest.end}`)
    await this.#conn.close()
  }
}

function assertWhole(got: { bytes: number; mismatchAt: number }, bytes: number, end: string): void {
  if (got.mismatchAt >= 0) throw new Error(`a wrong byte at ${got.mismatchAt} of a slice of ${bytes}`)
  if (got.bytes !== bytes) throw new Error(`${got.bytes} of ${bytes} bytes of a slice came: ${end}`)
}
