// SPDX-License-Identifier: Apache-2.0
/** The socket of a running command. */
import { chmodSync } from 'node:fs'
import { once } from 'node:events'
import type { Server, Socket } from 'node:net'
import { createServer } from 'node:net'
import { ignore } from '../../ignore.js'
import type { Controlled } from '../live/controlled.js'
import { perform } from './perform.js'
import type { CtlAnswer, CtlRequest } from './protocol.js'
import { MAX_CLIENTS, MAX_REQUEST_BYTES, MAX_WAITING_BYTES, parseRequest } from './protocol.js'
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
    let waiting = ''
    let unsubscribe: () => void = ignore
    socket.setEncoding('utf8')
    socket.on('error', ignore)
    socket.on('close', () => {
      this.#sockets.delete(socket)
      unsubscribe()
    })
    socket.on('data', (text: string) => {
      const lines = `${waiting}${text}`.split('\n')
      waiting = lines.pop()!
      if (waiting.length > MAX_REQUEST_BYTES) socket.destroy()
      for (const line of lines) {
        const answer = this.#answer(line)
        send(socket, answer)
        if (answer.ok && isEvents(line)) {
          unsubscribe()
          unsubscribe = this.#controlled.log.subscribe((event) => sendLine(socket, event))
        }
      }
    })
  }

  #answer(line: string): CtlAnswer {
    let id: CtlRequest['id']
    try {
      const request = parseRequest(line)
      id = request.id
      const result = request.cmd === 'events' ? {} : perform(this.#controlled, request)
      return { ...(id !== undefined && { id }), ok: true, result: result ?? {} }
    } catch (error) {
      return { ...(id !== undefined && { id }), ok: false, error: (error as Error).message }
    }
  }
}

function isEvents(line: string): boolean {
  return parseRequest(line).cmd === 'events'
}

function send(socket: Socket, answer: CtlAnswer): void {
  sendLine(socket, JSON.stringify(answer))
}

/** One that does not read is cut off: it must not fill the memory of the command. */
function sendLine(socket: Socket, line: string): void {
  socket.write(`${line}\n`)
  if (socket.writableLength > MAX_WAITING_BYTES) socket.destroy()
}
