// SPDX-License-Identifier: Apache-2.0
/** Asks a running command through its socket. */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { connect } from 'node:net'
import type { Interface } from 'node:readline'
import { createInterface } from 'node:readline'
import { ignore } from '../../ignore.js'
import { CliError } from '../cli-error.js'
import { EXIT_USAGE } from '../exit-codes.js'
import type { CtlAnswer, CtlRequest } from './protocol.js'
import type { SocketPlace } from './socket-place.js'
import { placesIn } from './socket-place.js'

type Env = Readonly<Record<string, string | undefined>>

/**
 * The command that `target` means: its name, its process ID, or the start of its name; without it, the only one.
 *
 * @throws {CliError}
 */
export async function findCommand(target: string | undefined, env: Env): Promise<SocketPlace> {
  const [only, ...others] = await findCommands(target, env)
  if (others.length > 0) {
    const names = [only!, ...others].map(({ name }) => name)
    throw new CliError(`several commands are running: ${names.join(', ')}`, {
      exitCode: EXIT_USAGE,
      hint: 'choose one with --target',
    })
  }
  return only!
}

/** The commands that `target` may mean, at least one; without it, all. @throws {CliError} */
export async function findCommands(target: string | undefined, env: Env): Promise<SocketPlace[]> {
  if (target?.includes('/')) return [{ name: target, path: target }]
  const places = await placesIn(env)
  const names = places.map(({ name }) => name)
  const found =
    target === undefined
      ? places
      : places.filter(({ name }) => name.startsWith(target) || name.endsWith(`-${target}`))
  if (found.length > 0) return found
  throw new CliError(
    target === undefined ? 'no multipath command is running' : `no running command is called ${target}`,
    { hint: names.length > 0 ? `there are ${names.join(', ')}` : 'start forward, socks, serve or nc first' },
  )
}

export class CtlClient {
  readonly #socket: Socket
  readonly #lines: Interface
  readonly #waiting: ((answer: CtlAnswer) => void)[] = []
  /** Told of each event, once `events` was asked for. */
  onEvent: (line: string) => void = ignore
  /** Told when the command has gone. */
  onClose: () => void = ignore

  /** @param socket - connected */
  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('error', ignore)
    this.#lines = createInterface({ input: socket }).on('line', (line) => this.#take(line))
    socket.once('close', () => {
      for (const settle of this.#waiting.splice(0)) settle({ ok: false, error: 'the command has ended' })
      this.onClose()
    })
  }

  /** @throws {CliError} */
  static async connect({ name, path }: SocketPlace): Promise<CtlClient> {
    const socket = connect(path)
    try {
      await once(socket, 'connect')
    } catch (error) {
      throw new CliError(`cannot connect to ${name}: ${(error as Error).message}`, { cause: error })
    }
    return new CtlClient(socket)
  }

  /** The result. @throws {CliError} with what the command says */
  async ask(request: CtlRequest): Promise<unknown> {
    const answer = await new Promise<CtlAnswer>((resolve) => {
      if (this.#socket.destroyed) {
        resolve({ ok: false, error: 'the command has ended' })
        return
      }
      this.#waiting.push(resolve)
      this.#socket.write(`${JSON.stringify(request)}\n`)
    })
    if (!answer.ok) throw new CliError(answer.error)
    return answer.result
  }

  /** Nothing more is read for now. */
  pause(): void {
    this.#lines.pause()
  }

  resume(): void {
    this.#lines.resume()
  }

  close(): void {
    this.#socket.destroy()
  }

  /** Answers come in the order of the requests; events have no `ok`. */
  #take(line: string): void {
    const value = parseLine(line)
    if (value === undefined) {
      this.#socket.destroy()
      return
    }
    if (value.ok === undefined) this.onEvent(line)
    else this.#waiting.shift()?.(value as CtlAnswer)
  }
}

/** `undefined`: a line that the end of the command, or of its patience, has cut short. */
function parseLine(line: string): Partial<CtlAnswer> | undefined {
  try {
    return JSON.parse(line) as Partial<CtlAnswer>
  } catch {
    return undefined
  }
}
