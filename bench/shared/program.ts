// SPDX-License-Identifier: Apache-2.0
/** A program that runs beside ours, and the lines that it says on either stream. */
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

const LINE_MS = 60_000
const GRACE_MS = 5000

/** An interrupted run leaves none behind. */
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

export class Program implements AsyncDisposable {
  readonly lines: string[] = []
  readonly #child: ChildProcess
  readonly #over: Promise<void>
  readonly #wakes = new Set<() => void>()
  #isOver = false

  constructor(command: readonly string[], env: Readonly<Record<string, string>> = {}, cwd?: string) {
    const [program = '', ...args] = command
    const child = spawn(program, args, { stdio: 'pipe', env: { ...process.env, ...env }, cwd })
    this.#child = child
    running.add(child)
    for (const input of [child.stdout, child.stderr])
      createInterface({ input }).on('line', (line) => this.#heard(line))
    this.#over = new Promise((resolve) => {
      child.on('error', (error) => this.#heard(error.message))
      child.on('close', () => resolve())
    })
    void this.#over.then(() => this.#ended())
    child.stdin.on('error', () => {})
  }

  get exitCode(): number | null {
    return this.#child.exitCode
  }

  #heard(line: string): void {
    this.lines.push(line)
    this.#wake()
  }

  #ended(): void {
    running.delete(this.#child)
    this.#isOver = true
    this.#wake()
  }

  #wake(): void {
    for (const wake of this.#wakes) wake()
    this.#wakes.clear()
  }

  count(pattern: RegExp): number {
    return this.lines.filter((line) => pattern.test(line)).length
  }

  /** A line for its standard input. */
  say(line: string): void {
    this.#child.stdin?.write(`${line}\n`)
  }

  /** Ends its standard input, and waits until it has ended. */
  async close(): Promise<void> {
    this.#child.stdin?.end()
    await this.ended(LINE_MS)
  }

  /** The first line like that, or the one after `skip` of them, within the time or with an error. */
  async line(pattern: RegExp, withinMs: number = LINE_MS, skip = 0): Promise<string> {
    const give = AbortSignal.timeout(withinMs)
    const wake = (): void => this.#wake()
    give.addEventListener('abort', wake)
    try {
      for (;;) {
        const found = this.lines.filter((line) => pattern.test(line))[skip]
        if (found !== undefined) return found
        if (this.#isOver || give.aborted)
          throw new Error(`no line like ${pattern}: ${this.lines.slice(-20).join('\n')}`)
        await new Promise<void>((resolve) => this.#wakes.add(resolve))
      }
    } finally {
      give.removeEventListener('abort', wake)
    }
  }

  /** When it ends by itself. */
  async ended(withinMs: number): Promise<void> {
    if (this.#isOver) return
    const late = setTimeout(() => this.#child.kill('SIGKILL'), withinMs)
    await this.#over
    clearTimeout(late)
  }

  /** Asks it to end, and makes it end where it does not. */
  async stop(signal: 'SIGINT' | 'SIGTERM' = 'SIGTERM'): Promise<void> {
    if (this.#isOver) return
    this.#child.kill(signal)
    await this.ended(GRACE_MS)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin?.end()
    await this.stop()
  }
}
