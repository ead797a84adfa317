// SPDX-License-Identifier: Apache-2.0
/** Where the tour takes place: two machines joined by links, a folder for each, and what was installed. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Network } from '../links/network.js'
import { Program } from '../shared/program.js'
import type { Said } from './transcript.js'
import { Transcript } from './transcript.js'

export type Side = 'client' | 'server'

const COMMAND_MS = 180_000

export class Stage implements AsyncDisposable {
  readonly scratch: string
  readonly transcript: Transcript
  readonly network: Network
  readonly #programs: Program[] = []

  constructor(network: Network) {
    this.network = network
    this.scratch = mkdtempSync(join(tmpdir(), 'tour-'))
    for (const side of ['client', 'server']) mkdirSync(join(this.scratch, side))
    process.once('exit', () => this.#clear())
    this.transcript = new Transcript([
      [this.scratch, '~'],
      [network.client, 'client'],
      [network.server, 'server'],
    ])
  }

  folder(side: Side): string {
    return join(this.scratch, side)
  }

  get prefix(): string {
    return join(this.scratch, 'installed')
  }

  get #env(): Record<string, string> {
    const path = [join(this.prefix, 'bin'), dirname(process.execPath), process.env['PATH'] ?? '']
    return {
      ...{ PATH: path.join(':'), SERVER: this.folder('server'), HOME: this.scratch, LC_ALL: 'C.UTF-8' },
      XDG_RUNTIME_DIR: this.scratch,
    }
  }

  /** Runs a command line to its end. @throws {Error} where it fails */
  async run(side: Side, command: string, expectedCode = 0): Promise<Said> {
    const program = this.#start(side, ['sh', '-c', command])
    await program.ended(COMMAND_MS)
    const output = program.lines
    if (program.exitCode !== expectedCode)
      throw new Error(`${side}: ${command}\nended with ${program.exitCode}\n${output.join('\n')}`)
    return { prompt: side, command, output }
  }

  /** Starts a command line that goes on in the background. */
  background(side: Side, command: string): { readonly program: Program; readonly said: Said } {
    const program = this.#start(side, ['sh', '-c', `exec ${command}`])
    return { program, said: { prompt: side, command: `${command} &`, output: program.lines } }
  }

  /** Props of the stage, which the transcript doesn't show. */
  async prop(side: Side, command: readonly string[], ready?: RegExp): Promise<Program> {
    const program = this.#start(side, command)
    if (ready) await program.line(ready)
    return program
  }

  #start(side: Side, command: readonly string[]): Program {
    const program = new Program(
      [...this.network.inside(side), ...command],
      { ...process.env, ...this.#env } as Record<string, string>,
      this.folder(side),
    )
    this.#programs.push(program)
    return program
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const program of this.#programs.toReversed()) await program[Symbol.asyncDispose]()
    this.#clear()
  }

  /** Also when the tour is interrupted, hence without waiting. What is left in the namespaces is of the tour. */
  #clear(): void {
    for (const side of ['client', 'server'] as const) killAll(this.network[side])
    rmSync(this.scratch, { recursive: true, force: true, maxRetries: 5 })
  }
}

function killAll(namespace: string): void {
  // Without an error where the namespace is gone, or one of them has ended by itself.
  const { stdout } = spawnSync('ip', ['netns', 'pids', namespace], { encoding: 'utf8' })
  const pids = stdout.split('\n').filter((pid) => pid !== '' && !isLinksim(pid))
  if (pids.length > 0) spawnSync('kill', ['-KILL', ...pids])
}

/** It counts as there when its first thread is the one that opened the devices; it has to take the namespaces down. */
function isLinksim(pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8') === 'linksim\n'
  } catch {
    return false
  }
}
