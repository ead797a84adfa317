// SPDX-License-Identifier: Apache-2.0
/** The streams that a command leads somewhere. */
export interface StreamStatus {
  readonly target: string
  readonly ageMs: number
  readonly sentBytes: number
  readonly receivedBytes: number
}

/** What is counted of a stream: bytes that it read and wrote, as of a socket. */
export interface Counted {
  readonly bytesRead: number
  readonly bytesWritten: number
}

export interface OpenStream {
  status(): StreamStatus
}

export class OpenStreams {
  readonly #all = new Set<OpenStream>()

  get all(): OpenStream[] {
    return [...this.#all]
  }

  /** @param socket - at this side. @returns what is to be called at its end */
  add(target: string, socket: Counted): () => void {
    const startedAt = performance.now()
    const stream: OpenStream = {
      status: () => ({
        target,
        ageMs: Math.round(performance.now() - startedAt),
        sentBytes: socket.bytesRead,
        receivedBytes: socket.bytesWritten,
      }),
    }
    this.#all.add(stream)
    return () => void this.#all.delete(stream)
  }
}
