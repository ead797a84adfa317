// SPDX-License-Identifier: Apache-2.0
/** Paths in memory: streams that behave like sockets of a link that can freeze, reset, refuse or stay mute. */
import { Server } from 'node:net'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { StatsTracker, SubflowDialer } from '../../lib/index.js'

type Callback = (error?: Error | null) => void

/** What travels: bytes, the end of them (`undefined`), or a reset. */
interface Parcel {
  readonly bytes?: Buffer | undefined
  readonly isReset?: boolean
  readonly done?: Callback
}

/** One end of a link. */
export class MemoryStream extends Duplex {
  readonly #link: { isFrozen: boolean }
  readonly #dispatcher: Parcel[] = []
  #peer: MemoryStream | undefined
  #wantsBytes = false
  #isPumping = false
  #hasSentEnd = false

  private constructor(link: { isFrozen: boolean }) {
    super({ allowHalfOpen: false })
    this.#link = link
  }

  static pair(): [MemoryStream, MemoryStream] {
    const link = { isFrozen: false }
    const near = new MemoryStream(link)
    const far = new MemoryStream(link)
    near.#peer = far
    far.#peer = near
    return [near, far]
  }

  /** The other end. */
  get peer(): MemoryStream {
    return this.#peer!
  }

  /** From now on nothing arrives, either way, and nothing is lost. */
  freeze(): void {
    this.#link.isFrozen = true
  }

  thaw(): void {
    this.#link.isFrozen = false
    this.#pumpSoon()
    this.peer.#pumpSoon()
  }

  /** As when a router forgets the connection: both ends see a reset. */
  cut(): void {
    this.#deliver({ isReset: true })
    this.peer.#deliver({ isReset: true })
  }

  resetAndDestroy(): this {
    if (!this.#hasSentEnd || !this.destroyed) this.peer.#deliver({ isReset: true })
    this.#hasSentEnd = true
    return this.destroy()
  }

  setNoDelay(): this {
    return this
  }

  override _read(): void {
    this.#wantsBytes = true
    this.#pumpSoon()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Callback): void {
    this.peer.#deliver({ bytes: Buffer.from(chunk), done })
  }

  override _final(done: Callback): void {
    this.#sendEnd()
    done()
  }

  override _destroy(error: Error | null, done: Callback): void {
    this.#sendEnd()
    for (const parcel of this.#dispatcher.splice(0)) parcel.done?.()
    done(error)
  }

  #sendEnd(): void {
    if (!this.#hasSentEnd) this.peer.#deliver({})
    this.#hasSentEnd = true
  }

  #deliver(parcel: Parcel): void {
    if (this.destroyed) parcel.done?.()
    else this.#dispatcher.push(parcel)
    this.#pumpSoon()
  }

  /** Everything arrives in a turn of its own, as from a real socket. */
  #pumpSoon(): void {
    if (this.#isPumping) return
    this.#isPumping = true
    setImmediate(() => {
      this.#isPumping = false
      this.#pump()
    })
  }

  #pump(): void {
    while (!this.destroyed && !this.#link.isFrozen) {
      const parcel = this.#dispatcher[0]
      if (parcel === undefined || (parcel.bytes !== undefined && !this.#wantsBytes)) return
      this.#dispatcher.shift()
      if (parcel.isReset === true) {
        this.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }))
      } else if (parcel.bytes === undefined) this.push(null)
      else this.#wantsBytes = this.push(parcel.bytes)
      parcel.done?.()
    }
  }
}

/**
 * - open: dials succeed, and the server gets the other end
 * - refuse: dials fail at once
 * - hang: dials never settle, unless they are aborted
 * - mute: dials succeed, and nobody is at the other end
 */
export type PathMode = 'open' | 'refuse' | 'hang' | 'mute'

/** A dialer whose far ends go to a server. */
export class MemoryPath implements SubflowDialer {
  readonly label: string
  readonly tracker: StatsTracker | undefined
  readonly server: Server
  mode: PathMode = 'open'
  /** Waited for by each dial that succeeds. */
  delay: () => Promise<void> = () => Promise.resolve()
  /** Near ends, in the order they were dialled. */
  readonly streams: MemoryStream[] = []
  /** Dials begun, and those that were aborted before they succeeded. */
  dials = 0
  aborts = 0

  constructor(server: Server, label: string, tracker?: StatsTracker) {
    this.server = server
    this.label = label
    this.tracker = tracker
  }

  async dial({ signal }: { signal: AbortSignal }): Promise<Duplex> {
    this.dials++
    if (this.mode === 'refuse') throw new Error(`${this.label} refused`)
    if (this.mode === 'hang') return this.#hang(signal)
    await this.delay()
    return new Promise((resolve) => {
      setImmediate(() => {
        const [near, far] = MemoryStream.pair()
        this.streams.push(near)
        if (this.mode === 'open') this.server.emit('connection', far as unknown as Socket)
        else far.on('error', () => {})
        resolve(near)
      })
    })
  }

  /** The stream dialled last. */
  get last(): MemoryStream {
    return this.streams.at(-1)!
  }

  /** Streams that are not closed. */
  get live(): MemoryStream[] {
    return this.streams.filter((stream) => !stream.destroyed)
  }

  #hang(signal: AbortSignal): Promise<never> {
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        this.aborts++
        reject(signal.reason as Error)
      })
    })
  }
}

/** As many paths to one server that listens nowhere. */
export function memoryPaths(count: number, tracker?: StatsTracker): MemoryPath[] {
  const server = new Server()
  return Array.from({ length: count }, (_, index) => new MemoryPath(server, `path ${index}`, tracker))
}
