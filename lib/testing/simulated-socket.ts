// SPDX-License-Identifier: Apache-2.0
/** One end of a simulated stream as a Duplex with the few things of net.Socket that are asked of a subflow. */
import { Duplex } from 'node:stream'
import type { KernelView } from '../core/congestion/kernel-view.js'
import type { LinkEnd } from './link-end.js'

type Callback = (error?: Error | null) => void

/** As Node reports a broken TCP connection. */
function brokenError(): Error {
  return Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', errno: -104, syscall: 'read' })
}

/** A stream over a link: back-pressure both ways, `end` for FIN, ECONNRESET for RST. */
export class SimulatedSocket extends Duplex {
  readonly #end: LinkEnd
  #pending: Callback | undefined
  #hasRoom = true

  /** @internal */
  constructor(end: LinkEnd) {
    super({ allowHalfOpen: false })
    this.#end = end
    end.handle({
      onBytes: (bytes) => {
        if (!this.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))) end.pause()
      },
      onRoom: () => {
        this.#hasRoom = true
        this.#settle()
      },
      onEnd: () => {
        this.push(null)
      },
      onReset: () => {
        this.destroy(brokenError())
      },
    })
  }

  /** The TCP that sends from here. @internal */
  get kernel(): KernelView {
    return this.#end.kernel
  }

  /** Does nothing: segments are never held back to fill them. */
  setNoDelay(_noDelay?: boolean): this {
    return this
  }

  /** Resets the stream; unsent bytes are dropped. */
  resetAndDestroy(): this {
    this.#end.reset()
    return this.destroy()
  }

  /** @internal */ override _read(): void {
    this.#end.resume()
  }

  /** @internal */ override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    this.#send([chunk], callback)
  }

  /** @internal */ override _writev(chunks: { chunk: Buffer }[], callback: Callback): void {
    this.#send(
      chunks.map(({ chunk }) => chunk),
      callback,
    )
  }

  /** As from a kernel: the bytes are taken at once while the send buffer has room for any of them. */
  #send(chunks: readonly Buffer[], callback: Callback): void {
    this.#hasRoom = this.#end.writeAll(chunks)
    this.#pending = callback
    if (this.#hasRoom) this.#settle()
  }

  #settle(error?: Error | null): void {
    const callback = this.#pending
    this.#pending = undefined
    callback?.(error)
  }

  /** @internal */ override _final(callback: Callback): void {
    this.#end.end()
    callback()
  }

  /** @internal */ override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#end.close()
    this.#settle(error ?? new Error('the stream is closed'))
    callback(error)
  }
}
