// SPDX-License-Identifier: Apache-2.0
/** One end of a byte stream over a simulated link, without Node's streams: callbacks in virtual time. */
import type { KernelView } from '../core/congestion/kernel-view.js'
import type { Pipe } from './pipe.js'

/** Called for the events at one end, but never after {@link LinkEnd.close}, `reset` or `onReset`. */
export interface LinkEndHandler {
  /** Bytes have arrived. */
  onBytes(bytes: Uint8Array): void
  /** The send buffer takes bytes again after `write` returned false. */
  onRoom(): void
  /** The other end will send no more. */
  onEnd(): void
  /** The stream broke: the link was cut, or the other end reset it. */
  onReset(): void
}

/** One end of a stream over a simulated link. */
export class LinkEnd {
  readonly #out: Pipe
  readonly #in: Pipe
  #handler: LinkEndHandler | undefined
  #isBroken = false
  #hasEnded = false
  #hasOtherEnded = false

  /** @internal */
  constructor(out: Pipe, incoming: Pipe) {
    this.#out = out
    this.#in = incoming
  }

  /** Whether the stream is over: reset, or ended by both sides. */
  get isClosed(): boolean {
    return this.#isBroken || (this.#hasEnded && this.#hasOtherEnded)
  }

  /** Bytes in the send buffer. */
  get bufferedBytes(): number {
    return this.#out.bufferedBytes
  }

  /** The TCP that sends from here. @internal */
  get kernel(): KernelView {
    const out = this.#out
    return { isModelBased: () => out.isModelBased, retransmits: () => out.retransmits }
  }

  /** Sets the handler. Bytes that arrived before are delivered at once. */
  handle(handler: LinkEndHandler): void {
    this.#handler = handler
    this.#out.onRoom = () => this.#handler?.onRoom()
    this.#in.handle({
      onBytes: (bytes) => {
        // The socket is closed: TCP answers with a reset.
        if (this.#handler === undefined) this.reset()
        else this.#handler.onBytes(bytes)
      },
      onEnd: () => {
        this.#hasOtherEnded = true
        this.#handler?.onEnd()
      },
      onReset: () => {
        this.break()
      },
    })
  }

  /** Sends a copy of `bytes`. @returns whether the send buffer takes more */
  write(bytes: Uint8Array): boolean {
    return this.writeAll([bytes])
  }

  /** As {@link write}, all of them at once. */
  writeAll(chunks: readonly Uint8Array[]): boolean {
    return this.#isBroken || this.#hasEnded || this.#out.write(chunks)
  }

  /** Ends this direction. The other direction continues. */
  end(): void {
    if (this.#isBroken || this.#hasEnded) return
    this.#hasEnded = true
    this.#out.end()
  }

  /** Ends both directions. Bytes that still arrive are answered with a reset. */
  close(): void {
    this.end()
    this.#handler = undefined
    this.#in.resume()
  }

  /** Resets the stream: unsent bytes are dropped, and the other end gets `onReset`. */
  reset(): void {
    if (this.#isBroken) return
    this.#isBroken = true
    this.#handler = undefined
    this.#out.reset()
    this.#in.kill()
  }

  /** Stops reading: arriving bytes fill the receive buffer, then the sender has to wait. */
  pause(): void {
    this.#in.pause()
  }

  /** Continues to read after a pause. */
  resume(): void {
    this.#in.resume()
  }

  /** The stream broke. @internal */
  break(): void {
    if (this.#isBroken) return
    this.#isBroken = true
    this.#out.kill()
    this.#in.kill()
    const handler = this.#handler
    this.#handler = undefined
    handler?.onReset()
  }
}
