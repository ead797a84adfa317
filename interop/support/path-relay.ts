// SPDX-License-Identifier: Apache-2.0
/**
 * One TCP relay on loopback that stands for a path: it can fall silent, come back, be cut in the middle of a
 * frame, refuse, or be slow, without either peer being touched. "Up" is from the dialling side to the listening side.
 */
import { EventEmitter, once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/**
 * What each side has said at least once it counts the subflow among its own: version and connection ID, then two
 * codes (the dialling side a pong and a ping, the listening side a ping and the answer to one).
 */
const JOINED_BYTES = 17 + 2 * 2

export type Direction = 'up' | 'down'

interface Cut {
  readonly direction: Direction
  left: number
}

class Pair {
  readonly up: Lane
  readonly down: Lane

  constructor(relay: PathRelay, near: Socket, far: Socket) {
    this.up = new Lane(relay, 'up', near, far)
    this.down = new Lane(relay, 'down', far, near)
    for (const socket of [near, far]) {
      socket.setNoDelay(true)
      socket.on('error', () => {
        this.reset()
      })
    }
  }

  get isJoined(): boolean {
    return this.up.bytes >= JOINED_BYTES && this.down.bytes >= JOINED_BYTES
  }

  reset(): void {
    this.up.reset()
    this.down.reset()
  }
}

/** Bytes of one direction of one pair of sockets. */
class Lane {
  readonly from: Socket
  readonly #to: Socket
  readonly #relay: PathRelay
  readonly #direction: Direction
  #isHeld = false
  bytes = 0

  constructor(relay: PathRelay, direction: Direction, from: Socket, to: Socket) {
    this.#relay = relay
    this.#direction = direction
    this.from = from
    this.#to = to
    from.on('data', (chunk: Buffer) => {
      this.#onData(chunk)
    })
    from.on('end', () => to.end())
    to.on('drain', () => {
      this.#isHeld = false
      this.settle()
    })
  }

  /** Reads, or stops reading, as the relay's state and the other socket want. */
  settle(): void {
    if (this.#relay.isFrozen || this.#isHeld) this.from.pause()
    else this.from.resume()
  }

  #onData(chunk: Buffer): void {
    const allowed = this.#relay.takeUntilCut(this.#direction, chunk.length)
    if (allowed < chunk.length) {
      this.from.pause()
      // The part of the frame before the cut has to reach the other side, or the cut is not in its middle.
      this.#forward(chunk.subarray(0, allowed), () => {
        this.#relay.reset()
      })
      return
    }
    if (!this.#forward(chunk)) {
      this.#isHeld = true
      this.settle()
    }
    this.#relay.onForwarded()
    const waitMs = this.#relay.delayFor(chunk.length)
    if (waitMs > 0) this.#holdFor(waitMs)
  }

  reset(): void {
    // A reset beside an end that is on its way fails, and Node leaks the socket.
    if (this.from.writableEnded) this.from.destroy()
    else this.from.resetAndDestroy()
  }

  #forward(bytes: Buffer, done?: () => void): boolean {
    this.bytes += bytes.length
    this.#relay.count(this.#direction, bytes.length)
    return this.#to.write(bytes, done)
  }

  #holdFor(ms: number): void {
    this.#isHeld = true
    this.settle()
    setTimeout(() => {
      this.#isHeld = this.#to.writableNeedDrain
      this.settle()
    }, ms)
  }
}

export class PathRelay implements AsyncDisposable {
  readonly #server: Server
  readonly #targetPort: number
  readonly #pairs = new Set<Pair>()
  readonly #changes = new EventEmitter()
  #isFrozen = false
  #isRefusing = false
  #cut: Cut | undefined
  #bytesPerSecond = Infinity
  #bytesUp = 0
  #bytesDown = 0
  #opened = 0

  private constructor(targetPort: number) {
    this.#targetPort = targetPort
    this.#changes.setMaxListeners(0)
    this.#server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (near) => {
      this.#onConnection(near)
    })
  }

  /** Opens a path to `target`, a `host:port` or a port of this machine. */
  static async open(target: string | number): Promise<PathRelay> {
    const relay = new PathRelay(typeof target === 'number' ? target : Number(target.split(':').at(-1)))
    relay.#server.listen(0, '127.0.0.1')
    await once(relay.#server, 'listening')
    return relay
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  get isFrozen(): boolean {
    return this.#isFrozen
  }

  get bytesUp(): number {
    return this.#bytesUp
  }

  get bytesDown(): number {
    return this.#bytesDown
  }

  /** How many connections have come in since it was opened: 1 when nobody redialled. */
  get opened(): number {
    return this.#opened
  }

  /** Resolves once both sides have taken a subflow over this path into their connection. */
  async joined(): Promise<void> {
    while (![...this.#pairs].some((pair) => pair.isJoined)) await once(this.#changes, 'change')
  }

  /** Resolves once `bytes` more have passed in `direction`. */
  async passed(direction: Direction, bytes: number): Promise<void> {
    const total = (): number => (direction === 'up' ? this.#bytesUp : this.#bytesDown)
    const goal = total() + bytes
    while (total() < goal) await once(this.#changes, 'change')
  }

  /** Falls silent: sockets stay, nothing passes, nobody is told. */
  freeze(): void {
    this.#isFrozen = true
    this.#settle()
  }

  thaw(): void {
    this.#isFrozen = false
    this.#settle()
  }

  /** Resets its connections once `bytes` more have passed in `direction`; new ones are taken again. */
  resetAfter(bytes: number, direction: Direction): void {
    this.#cut = { direction, left: bytes }
  }

  /** Resets its connections now. */
  reset(): void {
    this.#cut = undefined
    for (const pair of this.#pairs) pair.reset()
    this.#pairs.clear()
  }

  /** While true, new connections are reset at once. */
  refuse(isRefusing: boolean): void {
    this.#isRefusing = isRefusing
  }

  /** Limits each direction of each connection to so many bytes a second. */
  limit(bytesPerSecond: number): void {
    this.#bytesPerSecond = bytesPerSecond
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.reset()
    if (!this.#server.listening) return
    this.#server.close()
    await once(this.#server, 'close')
  }

  /** For lanes: how many of `bytes` may pass before the cut. */
  takeUntilCut(direction: Direction, bytes: number): number {
    if (this.#cut?.direction !== direction) return bytes
    const allowed = Math.min(bytes, this.#cut.left)
    this.#cut.left -= allowed
    return allowed
  }

  count(direction: Direction, bytes: number): void {
    if (direction === 'up') this.#bytesUp += bytes
    else this.#bytesDown += bytes
  }

  onForwarded(): void {
    this.#changes.emit('change')
  }

  delayFor(bytes: number): number {
    return (bytes / this.#bytesPerSecond) * 1000
  }

  #settle(): void {
    for (const pair of this.#pairs) {
      pair.up.settle()
      pair.down.settle()
    }
  }

  #onConnection(near: Socket): void {
    near.on('error', () => undefined) // Pair answers it, once there is one
    this.#opened++
    if (this.#isRefusing) {
      near.resetAndDestroy()
      return
    }
    const far = connect({ port: this.#targetPort, host: '127.0.0.1', allowHalfOpen: true })
    const pair = new Pair(this, near, far)
    this.#pairs.add(pair)
    near.on('close', () => this.#pairs.delete(pair))
    far.on('connect', () => {
      pair.up.settle()
      pair.down.settle()
    })
  }
}
