// SPDX-License-Identifier: Apache-2.0
/** The socket of a running command. */
import { chmodSync } from 'node:fs'
import { once } from 'node:events'
import type { Server, Socket } from 'node:net'
import { createServer } from 'node:net'
import { ignore } from '../../ignore.js'
import type { Controlled } from '../live/controlled.js'
import { CtlConnection } from './ctl-connection.js'
import { MAX_CLIENTS } from './protocol.js'
import { removeSocket } from './socket-place.js'

/** Only the owner of the socket may connect. */
const MODE = 0o600

export class CtlServer {
  readonly #controlled: Controlled
  readonly #path: string
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  /** It does not listen yet: see {@link listen}. */
  constructor(controlled: Controlled, path: string) {
    this.#controlled = controlled
    this.#path = path
    this.#server = createServer((socket) => this.#take(socket))
    this.#server.on('error', ignore)
    process.once('exit', this.#processOnExit)
  }

  /** Rejects with the error of the system. */
  static async listen(controlled: Controlled, path: string): Promise<CtlServer> {
    const made = new CtlServer(controlled, path)
    // Of a process that had the same number.
    removeSocket(path)
    const umask = process.umask(0o777 & ~MODE)
    try {
      made.#server.listen(path)
    } finally {
      process.umask(umask)
    }
    try {
      await once(made.#server, 'listening')
      if (process.platform !== 'win32') chmodSync(path, MODE)
    } catch (error) {
      made.close()
      throw error
    }
    return made
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    removeSocket(this.#path)
    process.off('exit', this.#processOnExit)
  }

  readonly #processOnExit = (): void => removeSocket(this.#path)

  #take(socket: Socket): void {
    if (this.#sockets.size >= MAX_CLIENTS) {
      socket.destroy()
      return
    }
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    new CtlConnection(socket, this.#controlled)
  }
}
