// SPDX-License-Identifier: Apache-2.0
/** One running `multipath`, the built one, as its users have it. Owns the process. */
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

export interface CliStart {
  /** Standard input: a pipe to write to, the null device, or a file descriptor. Default: the null device. */
  readonly input?: 'pipe' | 'null' | number
  /** Standard output: a pipe whose bytes are kept, a pipe for the spec to read, or a file descriptor. */
  readonly output?: 'keep' | 'pipe' | number
  /** What to put before the command, as for another network namespace. */
  readonly within?: readonly string[]
  /** Beside those of the spec's own process. */
  readonly env?: Readonly<Record<string, string>>
}

/** How a process ended; `out` is empty unless it was kept. */
export interface CliExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: Buffer
  /** Lines of standard error. */
  readonly lines: readonly string[]
}

export class CliProcess implements AsyncDisposable {
  /** Once it has ended and all of its output has been read. */
  readonly exited: Promise<CliExit>
  /** Its exit code, as soon as it has ended. */
  readonly left: Promise<number | null>
  readonly #child: ChildProcess
  readonly #kept: Buffer[] = []
  #stderr = ''

  constructor(args: readonly string[], { input = 'null', output = 'keep', within = [], env }: CliStart = {}) {
    const stdin = input === 'null' ? 'ignore' : input
    const [program, ...words] = [...within, process.execPath, MAIN, ...args]
    this.#child = spawn(program!, words, {
      // No spec needs these certificates, and each Node that is told of them reads them all before anything else.
      env: { ...process.env, NODE_EXTRA_CA_CERTS: undefined, ...env },
      stdio: [stdin, typeof output === 'number' ? output : 'pipe', 'pipe'],
    })
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
    })
    this.#child.stdin?.on('error', () => {}) // The process may end before it has read everything.
    if (output === 'keep') this.#child.stdout!.on('data', (chunk: Buffer) => this.#kept.push(chunk))
    this.left = once(this.#child, 'exit').then(([code]: unknown[]) => code as number | null)
    this.exited = once(this.#child, 'close').then(([code, signal]: unknown[]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      out: Buffer.concat(this.#kept),
      lines: this.lines,
    }))
  }

  get pid(): number {
    return this.#child.pid!
  }

  get stdin(): Writable {
    return this.#child.stdin!
  }

  get stdout(): Readable {
    return this.#child.stdout!
  }

  get lines(): string[] {
    return this.#stderr.split('\n').filter((text) => text !== '')
  }

  /** The first line of standard error that matches. @throws when the process ends without one */
  async line(pattern: RegExp): Promise<RegExpExecArray> {
    const find = (): RegExpExecArray | undefined =>
      this.lines.map((text) => pattern.exec(text)).find((found) => found !== null) ?? undefined
    for (;;) {
      const found = find()
      if (found !== undefined) return found
      const hasMore = await Promise.race([
        once(this.#child.stderr!, 'data').then(() => true),
        this.exited.then(() => false),
      ])
      if (!hasMore && find() === undefined)
        throw new Error(`no line like ${pattern.source}, but: ${this.#stderr}`)
    }
  }

  /** The port that `nc --listen` has picked. */
  async port(): Promise<number> {
    return Number((await this.line(/listening on port (\d+)/))[1])
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    this.#child.stdout?.resume()
    await this.exited
  }
}

/** `multipath nc` with these arguments. */
export function nc(args: readonly string[], start?: CliStart): CliProcess {
  return new CliProcess(['nc', ...args], start)
}

/** SHA-256 in hex. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
