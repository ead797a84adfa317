// SPDX-License-Identifier: Apache-2.0
/** The clients of an HTTP server that does not listen: Node's own timeouts begin with `listening`. */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** For the head of the first request, milliseconds. */
const FIRST_HEAD_MS = 10_000
/** From an answer to the head of the next request, milliseconds. */
export const NEXT_HEAD_MS = 60_000
/** Requests that a client may send ahead of their answers. */
const MOST_PENDING = 64

interface Client {
  /** Of the requests that are not answered yet. */
  readonly pending: Set<ServerResponse>
  /** Resolves when the newest of them is answered. */
  answered: Promise<void>
  /** Ends it when its next request is late. */
  timer: NodeJS.Timeout | undefined
}

export class HttpClients {
  readonly #onLate: (socket: Socket) => void
  readonly #clients = new Map<Socket, Client>()
  #isClosing = false

  /** @param onLate - told of a client whose first request did not come in time */
  constructor(onLate: (socket: Socket) => void) {
    this.#onLate = onLate
  }

  add(socket: Socket): void {
    const late = (): void => {
      // Otherwise it has been told that its request is no good.
      if (socket.writable) this.#onLate(socket)
      socket.destroy()
    }
    const client: Client = {
      pending: new Set(),
      answered: Promise.resolve(),
      timer: setTimeout(late, FIRST_HEAD_MS),
    }
    this.#clients.set(socket, client)
    socket.once('close', () => {
      clearTimeout(client.timer)
      this.#clients.delete(socket)
    })
  }

  /** The head of a request has come. @returns what resolves when those before it are answered: each has a stream of its own */
  async asked(socket: Socket, response: ServerResponse): Promise<void> {
    const client = this.#clients.get(socket)
    if (client === undefined) return
    clearTimeout(client.timer)
    client.pending.add(response)
    if (client.pending.size > MOST_PENDING) socket.destroy()
    const turn = client.answered
    client.answered = new Promise((resolve) => response.once('close', resolve))
    response.shouldKeepAlive &&= !this.#isClosing
    response.once('close', () => {
      client.pending.delete(response)
      if (client.pending.size > 0 || !this.#clients.has(socket)) return
      if (this.#isClosing) socket.destroySoon()
      else client.timer = setTimeout(() => socket.destroySoon(), NEXT_HEAD_MS)
    })
    await turn
  }

  /** Each is closed behind the answers that are under way. */
  close(): void {
    this.#isClosing = true
    for (const [socket, { pending }] of this.#clients) {
      // Where its head has left, it has said otherwise, and the socket is closed behind it all the same.
      for (const response of pending) response.shouldKeepAlive = false
      if (pending.size === 0) socket.destroySoon()
    }
  }
}
