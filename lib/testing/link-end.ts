// SPDX-License-Identifier: Apache-2.0
/** One end of a byte stream over a simulated link, without Node's streams: callbacks in virtual time. */
import type { Pipe } from './pipe.js'

/** Gets what happens at one end. Nothing is called after {@link LinkEnd.close}, `reset` or `onReset`. */
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

  /** The stream is over: broken, or ended from both sides. */
  get isClosed(): boolean {
    return this.#isBroken || (this.#hasEnded && this.#hasOtherEnded)
  }

  /** Bytes in the send buffer. */
  get bufferedBytes(): number {
    return this.#out.bufferedBytes
  }

  /** Starts to hand out what arrives; what came before is handed out at once. */
  handle(handler: LinkEndHandler): void {
    this.#handler = handler
    this.#out.onRoom = () => this.#handler?.onRoom()
    this.#in.handle({
      onBytes: (bytes) => {
        // Nobody listens any more: TCP answers with a reset.
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

  /** As {@link write}, all of them in one go. */
  writeAll(chunks: readonly Uint8Array[]): boolean {
    return this.#isBroken || this.#hasEnded || this.#out.write(chunks)
  }

  /** Sends no more. The other direction goes on. */
  end(): void {
    if (this.#isBroken || this.#hasEnded) return
    this.#hasEnded = true
    this.#out.end()
  }

  /** Ends, and takes nothing more: bytes that still come are answered with a reset. */
  close(): void {
    this.end()
    this.#handler = undefined
    this.#in.resume()
  }

  /** Breaks the stream: what has not left is dropped, and the other end gets `onReset`. */
  reset(): void {
    if (this.#isBroken) return
    this.#isBroken = true
    this.#handler = undefined
    this.#out.reset()
    this.#in.kill()
  }

  /** Takes no bytes off the stream: what arrives fills the receive buffer, then the sender has to wait. */
  pause(): void {
    this.#in.pause()
  }

  /** Goes on reading after a pause. */
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
