// SPDX-License-Identifier: Apache-2.0
/** A started worker process, and talking with it in JSON lines. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { GO_PEER, NODE_WORKER } from './build.js'

/** One line of a worker. `at` is the wall clock in milliseconds. */
export interface WorkerEvent {
  readonly event: string
  readonly at: number
  readonly [more: string]: unknown
}

export type Language = 'node' | 'go'

export interface WorkerCommand {
  readonly language: Language
  readonly args: readonly string[]
  /** A command that runs its arguments elsewhere, as `ip netns exec NAME` does. */
  readonly wrap?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

const GRACE_MS = 20_000

export class Worker {
  readonly events: WorkerEvent[] = []
  readonly #child: ChildProcess
  readonly #waiting = new Set<() => void>()
  #ended = false
  #errors = ''

  constructor(command: WorkerCommand) {
    const program = command.language === 'go' ? [GO_PEER] : [process.execPath, '--expose-gc', NODE_WORKER]
    const [file = '', ...args] = [...(command.wrap ?? []), ...program, ...command.args]
    this.#child = spawn(file, args, { stdio: 'pipe', env: { ...process.env, ...command.env } })
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.#heard(line))
    this.#child.stderr!.on('data', (text: Buffer) => (this.#errors += text.toString()))
    this.#child.on('close', () => this.#over())
    this.#child.on('error', (error) => {
      this.#errors += error.message
      this.#over()
    })
    // The worker may be gone when it is asked for something; its end is told by 'close'.
    this.#child.stdin!.on('error', () => {})
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  #heard(line: string): void {
    this.events.push(JSON.parse(line) as WorkerEvent)
    for (const wake of this.#waiting) wake()
  }

  #over(): void {
    this.#ended = true
    for (const wake of this.#waiting) wake()
  }

  /** The first event of that name after `from` events, within the time or with an error. */
  async event(name: string, withinMs: number = GRACE_MS, from = 0): Promise<WorkerEvent> {
    const give = AbortSignal.timeout(withinMs)
    for (;;) {
      const found = this.events.slice(from).find((event) => event.event === name)
      if (found) return found
      if (this.#ended) throw new Error(`worker ended before '${name}': ${this.#errors.slice(-2000)}`)
      if (give.aborted) throw new Error(`no '${name}' within ${withinMs} ms: ${this.#errors.slice(-2000)}`)
      await this.#next(give)
    }
  }

  #next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      this.#waiting.add(wake)
      signal.addEventListener('abort', wake)
    })
  }

  /** Asks for a `report` or for `memory`. */
  async ask(what: 'report' | 'memory'): Promise<WorkerEvent> {
    const from = this.events.length
    this.#child.stdin!.write(`${what}\n`)
    return this.event(what, GRACE_MS, from)
  }

  /** Processor seconds used so far, of user and kernel. */
  cpuSeconds(): number {
    return cpuSeconds(this.pid)
  }

  /** Ends the process: by the end of its input, by force where that does not do. */
  async end(): Promise<void> {
    if (this.#ended) return
    const over = new Promise<void>((resolve) => this.#child.once('close', () => resolve()))
    this.#child.stdin!.end()
    const force = setTimeout(() => this.#child.kill('SIGKILL'), 1000)
    await over
    clearTimeout(force)
  }
}

/** Nanoseconds that each thread was on a processor, which /proc/PID/stat has in steps of 10 ms only. */
export function cpuSeconds(pid: number): number {
  try {
    const threads = readdirSync(`/proc/${pid}/task`)
    const times = threads.map((id) =>
      Number(readFileSync(`/proc/${pid}/task/${id}/schedstat`, 'utf8').split(' ')[0]),
    )
    return times.reduce((total, time) => total + time, 0) / 1e9
  } catch {
    return Number.NaN
  }
}
