// SPDX-License-Identifier: Apache-2.0
/** Somebody on the only path, who changes what the dialer says and cuts it off. */
import type { Socket } from 'node:net'
import { connect } from 'node:net'
import { onTestFinished } from 'vitest'
import { AckWriter, encodeDataHeader } from '../../lib/wire/frame.js'
import { FrameReader } from '../../lib/wire/frame-reader.js'
import { CODE_CAPABLE, CODE_EXTENDS, HELLO_BYTES } from '../../lib/wire/limits.js'
import { Payload } from '../../lib/wire/payload.js'
import { varIntLen, writeVarInt } from '../../lib/wire/varint.js'
import { listening, portOf } from './tcp.js'

const ANNOUNCEMENTS = [CODE_EXTENDS, CODE_CAPABLE]
/** A code that every peer ignores. */
const UNKNOWN_CODE = 9

export interface Deeds {
  /** What the dialer announces itself with becomes a code that means nothing, and extension frames are left out: it passes for a Go peer. */
  readonly isFlipping: boolean
  /** Behind the frame that brings the payload to so many bytes the path ends in order, and nobody comes through again. */
  readonly cutAfterBytes?: number
  /** Until then, the listener gets the first word of the dialer alone. Both may come at once otherwise, or not. */
  readonly firstWordHeard?: Promise<unknown>
}

/** A path to `port` of loopback. @returns its own port */
export async function manInTheMiddle(
  port: number,
  { isFlipping, cutAfterBytes, firstWordHeard }: Deeds,
): Promise<number> {
  const server = await listening()
  server.on('connection', (near) => {
    const far = connect(port, '127.0.0.1')
    for (const socket of [near, far]) socket.on('error', () => {})
    onTestFinished(() => {
      for (const socket of [near, far]) socket.destroy()
    })
    near.once('close', () => far.destroy())
    far.once('close', () => near.destroy())
    far.pipe(near)
    const lane = new Lane(far, isFlipping, cutAfterBytes ?? Infinity)
    if (firstWordHeard !== undefined) lane.holdUntil(firstWordHeard)
    near.on('data', (chunk: Buffer) => {
      if (!lane.isCut) lane.take(chunk)
      if (lane.isCut) server.close()
    })
  })
  return portOf(server)
}

/** From the dialer: frames, each passed on once it is whole. */
class Lane {
  isCut = false
  readonly #far: Socket
  readonly #reader: FrameReader
  #helloLeft = HELLO_BYTES
  #payloadLeft: number
  /** What waits for the first word to be heard. */
  #held: Uint8Array[] | undefined
  #hasSpoken = false

  constructor(far: Socket, isFlipping: boolean, cutAfterBytes: number) {
    this.#far = far
    this.#payloadLeft = cutAfterBytes
    const say = (code: number): void => {
      const writer = new AckWriter()
      writer.add(code)
      this.#pass(writer.take())
      this.#hasSpoken = true
    }
    this.#reader = new FrameReader({
      begin: (_fn, size) => new Payload(size),
      onData: (fn, size, pieces = []) => {
        this.#pass(encodeDataHeader(size, fn), ...pieces)
        this.#payloadLeft -= size
        if (this.#payloadLeft <= 0) this.#cut()
      },
      onAck: say,
      onCode: (code) => say(isFlipping && ANNOUNCEMENTS.includes(code) ? UNKNOWN_CODE : code),
      onExtension: (number, bytes) => {
        if (!isFlipping) this.#pass(extensionHeader(bytes.length, number), bytes)
      },
    })
  }

  /** Passes on nothing but the hello and the first word until then. */
  holdUntil(heard: Promise<unknown>): void {
    this.#held = []
    void heard.then(() => {
      const held = this.#held ?? []
      this.#held = undefined
      this.#pass(...held)
    })
  }

  take(chunk: Buffer): void {
    const hello = chunk.subarray(0, this.#helloLeft)
    this.#helloLeft -= hello.length
    this.#pass(hello)
    this.#reader.push(chunk.subarray(hello.length))
  }

  #pass(...parts: readonly Uint8Array[]): void {
    if (this.isCut) return
    const isHeld = this.#held !== undefined && this.#hasSpoken
    if (isHeld) this.#held!.push(...parts)
    else for (const part of parts) this.#far.write(part)
  }

  #cut(): void {
    if (this.isCut) return
    this.isCut = true
    this.#far.end()
  }
}

function extensionHeader(size: number, number: number): Uint8Array {
  const bytes = new Uint8Array(varIntLen(size) + 1)
  bytes[writeVarInt(bytes, size)] = number
  return bytes
}
