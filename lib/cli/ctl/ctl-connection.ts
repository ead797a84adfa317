// SPDX-License-Identifier: Apache-2.0
/** One connection to the socket of a command: requests, answers in their order, and what it follows. */
import type { Socket } from 'node:net'
import { ignore } from '../../ignore.js'
import type { Controlled } from '../live/controlled.js'
import { refuseSecondTrace, setTrace, traceOf } from './actions.js'
import { perform } from './perform.js'
import type { CtlRequest } from './protocol.js'
import { MAX_REQUEST_BYTES, MAX_WAITING_BYTES, parseRequest } from './protocol.js'

/** Lines that go to `tell` from then on. @returns what ends that */
type Follow = (tell: (line: string) => void) => () => void

/** By `cmd`. @throws {Error} with what is wrong */
const FOLLOWED: Readonly<Record<string, (controlled: Controlled) => Follow>> = {
  events:
    ({ log }) =>
    (tell) =>
      log.subscribe(tell),
  trace: ({ parts }) => {
    refuseSecondTrace(parts)
    return (tell) => {
      setTrace(parts, tell)
      return () => {
        if (traceOf(parts) === tell) setTrace(parts, undefined)
      }
    }
  },
}

export class CtlConnection {
  readonly #socket: Socket
  readonly #controlled: Controlled
  /** By `cmd`: what ends it. */
  readonly #followed = new Map<string, () => void>()
  #waiting = ''

  /** Serves `socket` until it closes. */
  constructor(socket: Socket, controlled: Controlled) {
    this.#socket = socket
    this.#controlled = controlled
    socket.setEncoding('utf8')
    socket.on('error', ignore)
    socket.on('data', (text: string) => this.#take(text))
    socket.once('close', () => {
      for (const end of this.#followed.values()) end()
    })
  }

  #take(text: string): void {
    const lines = `${this.#waiting}${text}`.split('\n')
    this.#waiting = lines.pop()!
    if (this.#waiting.length > MAX_REQUEST_BYTES) this.#socket.destroy()
    for (const line of lines) this.#answer(line)
  }

  #answer(line: string): void {
    let named: Pick<CtlRequest, 'id'> = {}
    try {
      const request = parseRequest(line)
      const { cmd, id } = request
      if (id !== undefined) named = { id }
      const follow = Object.hasOwn(FOLLOWED, cmd) ? FOLLOWED[cmd]!(this.#controlled) : undefined
      const result = follow === undefined ? perform(this.#controlled, request) : {}
      this.#tell(JSON.stringify({ ...named, ok: true, result: result ?? {} }))
      if (follow === undefined) return
      this.#followed.get(cmd)?.()
      this.#followed.set(cmd, follow(this.#tell))
    } catch (error) {
      this.#tell(JSON.stringify({ ...named, ok: false, error: (error as Error).message }))
    }
  }

  /** One that does not read is cut off: it must not fill the memory of the command. */
  readonly #tell = (line: string): void => {
    this.#socket.write(`${line}\n`)
    if (this.#socket.writableLength > MAX_WAITING_BYTES) this.#socket.destroy()
  }
}
