// SPDX-License-Identifier: Apache-2.0
/** What a session has to send, as frames: first what is small and urgent, then data, a frame of each stream in turn. */
import type { Millis } from '../clock.js'
import { encodeHeader, Flag, FrameType, HEADER_BYTES } from './frame.js'
import type { Growth } from './receive-window.js'
import type { StreamCore } from './stream-core.js'
import { Turns } from './turns.js'

/** Chunks under this many bytes are copied together. */
const SMALL_BYTES = 4096

/** While others wait for their turn, a turn is so many bytes at most: what a small message waits for. */
const TURN_BYTES = 16_384

/** `stream` has sent something, and granted the peer so many bytes. */
type OnSent = (stream: StreamCore, credit: number) => void

export class Output {
  readonly #maxFrameBytes: number
  /** What only has to be sent. */
  #frames: Uint8Array[] = []
  #bytes = 0
  /** Streams with something to tell that is no data. */
  readonly #notices = new Set<StreamCore>()
  readonly #turns = new Turns<StreamCore>()
  #waitingAnswers = 0

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes
  }

  /** Frames that the peer has made us send and that wait for the connection below. */
  get waitingAnswers(): number {
    return this.#waitingAnswers
  }

  /** Nothing waits, neither frames nor streams. */
  get isEmpty(): boolean {
    return this.#frames.length === 0 && this.#notices.size === 0 && this.#turns.isEmpty
  }

  /** `stream` may have something to send. */
  touch(stream: StreamCore): void {
    if (stream.hasNotice) this.#notices.add(stream)
    if (stream.sendableBytes > 0) this.#turns.add(stream)
  }

  forget(stream: StreamCore): void {
    this.#notices.delete(stream)
    this.#turns.delete(stream)
  }

  ping(id: number): void {
    this.#append(FrameType.ping, Flag.syn, 0, id)
  }

  /** The peer must read it, or {@link waitingAnswers} grows. */
  pong(id: number): void {
    this.#waitingAnswers++
    this.#append(FrameType.ping, Flag.ack, 0, id)
  }

  /** @param isAnswer - the peer may make us send as many of these as it likes */
  reset(streamId: number, isAnswer: boolean): void {
    if (isAnswer) this.#waitingAnswers++
    this.#append(FrameType.window, Flag.rst, streamId, 0)
  }

  goAway(code: number): void {
    this.#append(FrameType.goAway, 0, 0, code)
  }

  /**
   * The next frames: all that is urgent, and up to `bytes` bytes of data, or a frame more.
   *
   * @param onSent - called for each stream that has sent something
   */
  poll(bytes: number, now: Millis, growth: Growth, onSent: OnSent): readonly Uint8Array[] {
    for (const stream of this.#notices) {
      this.#notices.delete(stream)
      if (!stream.hasNotice) continue
      const { flags, credit } = stream.takeNotice(now, growth)
      this.#append(FrameType.window, flags, stream.id, credit)
      onSent(stream, credit)
    }
    while (this.#bytes < bytes) {
      const stream = this.#turns.next(hasBytes)
      if (stream === undefined) break
      this.#data(stream)
      onSent(stream, 0)
    }
    const frames = this.#frames
    this.#waitingAnswers = 0
    this.#frames = []
    this.#bytes = 0
    return together(frames)
  }

  #data(stream: StreamCore): void {
    const most = this.#turns.isAlone ? this.#maxFrameBytes : Math.min(this.#maxFrameBytes, TURN_BYTES)
    const length = Math.min(stream.sendableBytes, most)
    this.#append(FrameType.data, 0, stream.id, length)
    for (const piece of stream.takeOutgoing(length)) this.#frames.push(piece)
    this.#bytes += length
    this.touch(stream)
  }

  #append(type: number, flags: number, streamId: number, length: number): void {
    this.#frames.push(encodeHeader({ type, flags, streamId, length }))
    this.#bytes += HEADER_BYTES
  }
}

/** Runs of small chunks in one each, since each one has its price below; a large one stays as it is. */
function together(chunks: readonly Uint8Array[]): readonly Uint8Array[] {
  if (!chunks.some(isSecondSmall)) return chunks
  const out: Uint8Array[] = []
  let run: Uint8Array[] = []
  const endRun = (): void => {
    if (run.length > 0) out.push(run.length === 1 ? run[0]! : Buffer.concat(run))
    run = []
  }
  for (const chunk of chunks) {
    if (chunk.length < SMALL_BYTES) run.push(chunk)
    else {
      endRun()
      out.push(chunk)
    }
  }
  endRun()
  return out
}

function isSecondSmall(chunk: Uint8Array, index: number, chunks: readonly Uint8Array[]): boolean {
  return index > 0 && chunk.length < SMALL_BYTES && chunks[index - 1]!.length < SMALL_BYTES
}

function hasBytes(stream: StreamCore): boolean {
  return stream.sendableBytes > 0
}
