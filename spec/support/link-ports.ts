// SPDX-License-Identifier: Apache-2.0
/** A driver's ports in virtual time: raw ends of simulated links as sockets, and moments of the clock as turns. */
import type { DriverPorts, ReadStop, SocketHandler, SocketPort } from '../../lib/conn/driver-ports.js'
import type { LinkEnd } from '../../lib/testing/link-end.js'
import type { ManualClock } from '../../lib/testing/manual-clock.js'

/**
 * Whatever was armed for this moment before runs first.
 *
 * @param onWrite - gets how many bytes each write hands to a link
 * @param hasCount - the kernel tells how many segments it has sent again
 */
export function linkPorts(
  clock: ManualClock,
  onWrite: (bytes: number) => void,
  hasCount = true,
): DriverPorts<LinkEnd> {
  const soon = (run: () => void): void => {
    clock.callAt(clock.now(), run)
  }
  return {
    clock,
    turn: { atTickEnd: soon, atTurnEnd: soon },
    open: (stream, handler) => new LinkSocket(stream, handler, { soon, onWrite }),
    kernelOf: ({ kernel }) => (hasCount ? kernel : { ...kernel, retransmits: () => undefined }),
  }
}

interface Circumstances {
  readonly soon: (run: () => void) => void
  readonly onWrite: (bytes: number) => void
}

class LinkSocket implements SocketPort<LinkEnd> {
  readonly stream: LinkEnd
  readonly #handler: SocketHandler
  readonly #around: Circumstances
  /** Came, and was not taken. */
  #kept: Uint8Array[] = []
  #readStops = 0
  #hasEnded = false
  #isOver = false

  constructor(stream: LinkEnd, handler: SocketHandler, around: Circumstances) {
    this.stream = stream
    this.#handler = handler
    this.#around = around
    around.soon(() => {
      if (!this.#isOver) this.#handle()
    })
  }

  #handle(): void {
    const closed = (error?: Error): void => {
      this.#isOver = true
      this.#handler.onClosed(error)
    }
    this.stream.handle({
      onBytes: (bytes) => {
        this.take(bytes)
      },
      onRoom: () => {
        this.#handler.onDrain()
      },
      onEnd: () => {
        closed()
      },
      onReset: () => {
        closed(new Error('reset'))
      },
    })
  }

  get bufferedBytes(): number {
    return this.stream.bufferedBytes
  }

  setRef(_isRefed: boolean): void {}

  take(bytes: Uint8Array): void {
    this.#kept.push(bytes)
    this.#deliver()
  }

  write(chunks: Uint8Array[]): boolean {
    for (const chunk of chunks) this.#around.onWrite(chunk.length)
    return !this.stream.writeAll(chunks)
  }

  stopReading(who: ReadStop): void {
    this.#readStops |= who
    this.stream.pause()
  }

  resumeReading(who: ReadStop): void {
    if (this.#readStops === 0) return
    this.#readStops &= ~who
    if (this.#readStops > 0) return
    this.#around.soon(() => {
      this.#deliver()
      if (this.#readStops === 0 && !this.#isOver) this.stream.resume()
    })
  }

  endHalf(): void {
    this.#hasEnded = true
    this.stream.end()
  }

  end(): void {
    this.#isOver = true
    this.stream.close()
  }

  /** After an end that is on its way, as of a socket of Node's, there is no reset. */
  destroy(): void {
    this.#isOver = true
    if (this.#hasEnded) this.stream.close()
    else this.stream.reset()
  }

  #deliver(): void {
    while (this.#readStops === 0 && !this.#isOver) {
      const bytes = this.#kept.shift()
      if (bytes === undefined) return
      const taken = this.#handler.onBytes(bytes)
      if (taken < bytes.length) this.#kept.unshift(bytes.subarray(taken))
    }
  }
}
