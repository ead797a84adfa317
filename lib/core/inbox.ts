/** What comes in on the subflows of a connection, handed to the parts that it concerns. */
import type { Millis } from '../clock.js'
import { RemoteProtocolError } from '../errors.js'
import { FrameReader } from '../wire/frame-reader.js'
import { CODE_CAPABLE, CODE_FIN, CODE_GO, CODE_HOLD, CODE_PING, CODE_PONG } from '../wire/limits.js'
import type { Ending } from './ending.js'
import type { Receiver } from './receiver.js'
import type { Sender } from './sender.js'
import type { Subflow } from './subflow.js'

export interface InboxParts {
  readonly sender: Sender
  readonly receiver: Receiver
  readonly ending: Ending
}

export class Inbox {
  readonly #parts: InboxParts
  readonly #readers = new Map<Subflow, FrameReader>()
  #now: Millis = 0

  constructor(parts: InboxParts) {
    this.#parts = parts
  }

  add(subflow: Subflow): void {
    this.#readers.set(subflow, this.#newReader(subflow))
  }

  /**
   * Takes bytes that a subflow brought. They are kept where they hold payload.
   *
   * @returns what is wrong with them, where they are no frames: the subflow cannot be read any further
   */
  push(subflow: Subflow, bytes: Uint8Array, now: Millis): RemoteProtocolError | undefined {
    this.#now = now
    try {
      this.#readers.get(subflow)?.push(bytes)
      return undefined
    } catch (error) {
      if (error instanceof RemoteProtocolError) return error
      throw error
    }
  }

  /**
   * The subflow is gone. A data frame that it has begun is missing unless a copy comes.
   *
   * @returns whether it ended inside a header of one, so that nobody knows which
   */
  remove(subflow: Subflow): boolean {
    const reader = this.#readers.get(subflow)
    this.#readers.delete(subflow)
    this.#parts.receiver.cut(reader?.unfinishedFrame)
    return reader?.isInDataHeader === true
  }

  clear(): void {
    this.#readers.clear()
  }

  #newReader(subflow: Subflow): FrameReader {
    const { sender, receiver, ending } = this.#parts
    return new FrameReader({
      wantsData: (fn, size) => receiver.window.judge(fn, size) === 'store',
      onData: (fn, size, pieces) => {
        ending.isCapable ??= false
        receiver.data(subflow, fn, size, pieces)
      },
      onAck: (fn) => {
        ending.isCapable ??= false
        sender.acked(subflow, fn, this.#now)
      },
      onCode: (code) => {
        this.#code(subflow, code)
      },
    })
  }

  #code(subflow: Subflow, code: number): void {
    const { sender, ending } = this.#parts
    if (code === CODE_PING) {
      ending.isCapable ??= false
      subflow.acks.add(CODE_PONG)
    } else if (code === CODE_PONG) subflow.ponged(this.#now)
    else if (code === CODE_CAPABLE) ending.isCapable = true
    else if (code === CODE_FIN) ending.hasPeerFin = true
    else if (code === CODE_HOLD) sender.peerWindow.hold(this.#now)
    else if (code === CODE_GO) sender.peerWindow.go()
  }
}
