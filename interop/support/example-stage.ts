// SPDX-License-Identifier: Apache-2.0
/** One example of the documents in the world of all: its lines, what runs of it, and how it ends. */
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExampleWorld, Side } from './example-world.js'

const GRACE_MS = 10_000

/** Commands of a block: comments are gone, and continued lines are one. */
export function commandsOf(code: string): string[] {
  const lines = code.replaceAll(/ *\\\n\s*/g, ' ').split('\n')
  return lines.map((line) => line.replace(/(^|\s+)# .*$/, '').trim()).filter((line) => line !== '')
}

export interface Started {
  readonly child: ChildProcess
  /** All that it has said so far, on both streams. */
  said: string
}

export class ExampleStage implements AsyncDisposable {
  readonly #world: ExampleWorld
  readonly #folders: Readonly<Record<Side, string>>
  readonly #runtime: string
  readonly #started: Started[] = []

  constructor(world: ExampleWorld, name: string) {
    this.#world = world
    this.#folders = { here: world.folderFor(name, 'here'), there: world.folderFor(name, 'there') }
    this.#runtime = join(this.#folders.here, '..')
  }

  /** Puts a file into the folder of a machine. */
  write(name: string, content: string, side: Side = 'here'): void {
    writeFileSync(join(this.#folders[side], name), content, { mode: 0o600 })
  }

  read(name: string, side: Side = 'here'): string {
    return readFileSync(join(this.#folders[side], name), 'utf8')
  }

  /** Copies a file of the world, such as the certificate. */
  take(name: string, as: string, side: Side = 'here'): void {
    copyFileSync(join(this.#world.folder, name), join(this.#folders[side], as))
  }

  /** Copies what one machine made to the other. */
  carry(name: string): void {
    this.write(name, this.read(name), 'there')
  }

  /** Runs a line to its end. @returns what it said. @throws unless it ends with 0 */
  async run(line: string, side: Side = 'here'): Promise<string> {
    const started = this.#spawn(line, side)
    const [code] = (await once(started.child, 'close')) as [number | null]
    if (code !== 0) throw new Error(`${line} ended with ${code}: ${started.said}`)
    return started.said
  }

  /** Starts a line, and waits until it has said so. */
  async start(line: string, ready: RegExp, side: Side = 'here'): Promise<Started> {
    const started = this.#spawn(line, side)
    this.#started.push(started)
    await this.until(started, ready, line)
    return started
  }

  /** Waits until it has said so. */
  async until(started: Started, ready: RegExp, line = 'it'): Promise<void> {
    while (!ready.test(started.said)) {
      const { child } = started
      const isOver = await Promise.race([
        once(child, 'heard').then(() => false),
        once(child, 'close').then(() => true),
      ])
      if (isOver && !ready.test(started.said)) throw new Error(`${line} has ended: ${started.said}`)
    }
  }

  /** Waits for its end. @throws unless it ends with 0 */
  async ended({ child, said }: Started): Promise<void> {
    if (child.exitCode === null && child.signalCode === null) await once(child, 'close')
    if (child.exitCode !== 0) throw new Error(`ended with ${child.exitCode}: ${said}`)
  }

  /** Runs a line on a terminal until it shows that, and presses `q`. */
  async watch(line: string, shown: RegExp): Promise<void> {
    const started = this.#spawn(`script --quiet --return --command '${line}' /dev/null`, 'here', 'pipe')
    await this.until(started, shown, line)
    started.child.stdin!.write('q')
    await this.ended(started)
  }

  /** Ends it, as a service manager would unless told otherwise. @returns its exit code */
  async stop({ child }: Started, signal: 'SIGTERM' | 'SIGINT' = 'SIGTERM'): Promise<number | null> {
    if (child.exitCode === null && child.signalCode === null) {
      const over = once(child, 'close')
      process.kill(-child.pid!, signal)
      const late = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), GRACE_MS)
      await over
      clearTimeout(late)
    }
    return child.exitCode
  }

  #spawn(line: string, side: Side, input: 'pipe' | 'ignore' = 'ignore'): Started {
    // Another mount namespace is entered at its root.
    const shell = ['sh', '-c', 'cd "$0" && eval "$1"', this.#folders[side], line]
    const [program, ...args] = [...this.#world.within(side), ...shell]
    const child = spawn(program!, args, {
      env: this.#world.env(side, this.#runtime),
      stdio: [input, 'pipe', 'pipe'],
      detached: true,
    })
    const started: Started = { child, said: '' }
    child.stdin?.on('error', () => {}) // It may have ended.
    for (const stream of [child.stdout, child.stderr])
      stream!.setEncoding('utf8').on('data', (text: string) => {
        started.said += text
        child.emit('heard')
      })
    return started
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#started.map((started) => this.stop(started)))
  }
}
