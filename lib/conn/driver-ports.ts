// SPDX-License-Identifier: Apache-2.0
/** What a driver runs on: sockets, a clock, and the turns of the event loop. */
import type { Clock } from '../clock.js'
import type { KernelView } from '../core/congestion/kernel-view.js'

/** Gets what happens on a socket; never from inside a call of {@link SocketPort} or of {@link DriverPorts.open}. */
export interface SocketHandler {
  /** @returns how many of them were taken; the socket keeps the rest and brings it again */
  onBytes(bytes: Uint8Array): number
  /** The socket takes more after it was blocked. */
  onDrain(): void
  /** The socket is over: in order, or by `error`. Called once, last. */
  onClosed(error: Error | undefined): void
}

/** Who may want a socket unread, as bits. */
export const READ_STOP = { reader: 1, abuse: 2, turn: 4 } as const
export type ReadStop = (typeof READ_STOP)[keyof typeof READ_STOP]

/** The socket of one subflow. */
export interface SocketPort<Stream> {
  readonly stream: Stream
  /** Bytes written that it has not handed on. */
  readonly bufferedBytes: number
  /** Whether it keeps the process up. */
  setRef(isRefed: boolean): void
  /** Bytes of the stream, as if they had just come. */
  take(bytes: Uint8Array): void
  /** Writes `chunks` in one go. @returns whether it is blocked now and will call `onDrain` */
  write(chunks: Uint8Array[]): boolean
  /** Reads no more until all who want that have released it. */
  stopReading(who: ReadStop): void
  resumeReading(who: ReadStop): void
  /** Closes our half after what was written; the peer's is read on, to its end. */
  endHalf(): void
  /** Closes in order after what was written; later input is ignored. */
  end(): void
  /** Closes at once; what has not left is dropped. */
  destroy(): void
}

/** The turns of the event loop. */
export interface TurnPort {
  /** Calls `run` once the code that runs now has returned. */
  atTickEnd(run: () => void): void
  /** Calls `run` once all sockets have been read that had something to read. */
  atTurnEnd(run: () => void): void
}

export interface DriverPorts<Stream> {
  readonly clock: Clock
  readonly turn: TurnPort
  /** Takes a stream over, whose bytes and end go to `handler` from now on. */
  open(stream: Stream, handler: SocketHandler): SocketPort<Stream>
  /** What is known of the TCP below a stream: of it alone, or of all in its network namespace. */
  kernelOf(stream: Stream): KernelView | undefined
}
