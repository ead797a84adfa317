// SPDX-License-Identifier: Apache-2.0
/**
 * The other end of a Go subflow by hand: reads and writes plain bytes, with a codec of its own, so that what is
 * captured with it owes nothing to the library.
 */
import { EventEmitter, once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

export const PING: Buffer = Buffer.of(0, 0)
export const PONG: Buffer = Buffer.of(0, 1)

export interface RawFrame {
  /** All its bytes. */
  readonly wire: Buffer
  /** Bytes of the payload; 0 for acks, ping and pong. */
  readonly size: number
  /** Its number, or that which it acks; 0 is ping, 1 is pong. */
  readonly fn: number
  readonly payload: Buffer
}

/** The QUIC variable-length integer, in its shortest form. */
export function varint(value: number): Buffer {
  if (value < 2 ** 6) return Buffer.of(value)
  const bytes = Buffer.alloc(value < 2 ** 14 ? 2 : value < 2 ** 30 ? 4 : 8)
  if (bytes.length === 2) bytes.writeUInt16BE(value + 0x4000)
  else if (bytes.length === 4) bytes.writeUInt32BE(value + 0x8000_0000)
  else bytes.writeBigUInt64BE(BigInt(value) + 0xc000_0000_0000_0000n)
  return bytes
}

export function dataFrame(fn: number, payload: Uint8Array): Buffer {
  return Buffer.concat([varint(payload.length), varint(fn), payload])
}

export function ackFrame(fn: number): Buffer {
  return Buffer.concat([Buffer.of(0), varint(fn)])
}

/** Version 0 and a connection ID; all zeros without one. */
export function hello(cid: Uint8Array = Buffer.alloc(16)): Buffer {
  return Buffer.concat([Buffer.of(0), cid])
}

export class RawPeer {
  readonly socket: Socket
  #buffered: Buffer = Buffer.alloc(0)
  #hasEnded = false
  readonly #changes = new EventEmitter()

  constructor(socket: Socket) {
    this.socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => {
      this.#buffered = Buffer.concat([this.#buffered, chunk])
      this.#changes.emit('change')
    })
    const onEnd = (): void => {
      this.#hasEnded = true
      this.#changes.emit('change')
    }
    socket.on('end', onEnd).on('error', onEnd)
  }

  static async dial(address: string): Promise<RawPeer> {
    const socket = connect(Number(address.split(':').at(-1)), '127.0.0.1')
    await once(socket, 'connect')
    return new RawPeer(socket)
  }

  send(bytes: Uint8Array): void {
    this.socket.write(bytes)
  }

  /** The next `count` bytes. */
  async take(count: number): Promise<Buffer> {
    await this.#have(count)
    const taken = this.#buffered.subarray(0, count)
    this.#buffered = this.#buffered.subarray(count)
    return taken
  }

  async takeFrame(): Promise<RawFrame> {
    const sizeField = await this.#takeVarint()
    const fnField = await this.#takeVarint()
    const payload = await this.take(sizeField.value)
    return {
      wire: Buffer.concat([sizeField.bytes, fnField.bytes, payload]),
      size: sizeField.value,
      fn: fnField.value,
      payload,
    }
  }

  /** The data frame numbered `fn`, acked; what comes before it is dropped, repeats of earlier ones acked again. */
  async takeData(fn: number): Promise<RawFrame> {
    for (;;) {
      const frame = await this.takeFrame()
      if (frame.size > 0) this.send(ackFrame(frame.fn))
      if (frame.size > 0 && frame.fn === fn) return frame
    }
  }

  /** The next frame that carries no payload and has the number `fn`. */
  async takeControl(fn: number): Promise<RawFrame> {
    for (;;) {
      const frame = await this.takeFrame()
      if (frame.size === 0 && frame.fn === fn) return frame
    }
  }

  /** Resolves once the other side has closed; whatever still comes is dropped. */
  async ended(): Promise<void> {
    while (!this.#hasEnded) await once(this.#changes, 'change')
  }

  close(): void {
    this.socket.destroy()
  }

  async #takeVarint(): Promise<{ value: number; bytes: Buffer }> {
    await this.#have(1)
    const bytes = await this.take(1 << (this.#buffered.readUInt8() >> 6))
    let value = bytes.readUInt8() & 0x3f
    for (const byte of bytes.subarray(1)) value = value * 256 + byte
    return { value, bytes }
  }

  async #have(count: number): Promise<void> {
    while (this.#buffered.length < count) {
      if (this.#hasEnded)
        throw new Error(`closed by the peer with ${this.#buffered.length} of ${count} bytes`)
      await once(this.#changes, 'change')
    }
  }
}

/** Takes connections as plain sockets. */
export class RawListener {
  readonly #server: Server
  readonly #sockets: Socket[] = []

  private constructor() {
    this.#server = createServer((socket) => this.#sockets.push(socket))
  }

  static async open(): Promise<RawListener> {
    const listener = new RawListener()
    listener.#server.listen(0, '127.0.0.1')
    await once(listener.#server, 'listening')
    return listener
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async accept(): Promise<RawPeer> {
    while (this.#sockets.length === 0) await once(this.#server, 'connection')
    return new RawPeer(this.#sockets.shift()!)
  }

  close(): void {
    this.#server.close()
  }
}
