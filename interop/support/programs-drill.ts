// SPDX-License-Identifier: Apache-2.0
/** An ssh session and an rsync inside `multipath forward`, over two links in network namespaces that both go for a while. */
import { spawnSync } from 'node:child_process'
import { randomFillSync, createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Program } from '../../bench/shared/program.js'
import { CliProcess } from '../../spec/support/cli-process.js'
import { LINK_ACTS, PATHS } from './link-acts.js'
import { whyNoNamespaces } from './namespaces.js'
import { SSHD, writeSshdFiles } from './sshd.js'
import { SERVER, Uplinks } from './uplinks.js'

export interface ProgramsCut {
  readonly way: 'silent' | 'addresses'
  readonly seconds: number
  /** That rsync copies. */
  readonly bytes: number
}

export interface ProgramsSurvival {
  /** What the ssh session sent back is what it was sent, line by line. */
  readonly isEchoWhole: boolean
  readonly echoedLines: number
  readonly isCopyWhole: boolean
  /** Of ssh and of rsync. */
  readonly exitCodes: readonly (number | null)[]
  /** From the return of the links until a line came back, and until the copy grew, milliseconds. */
  readonly firstByteMs: readonly number[]
}

const PORT = 7191
const SSH_PORT = 2222
const LOCAL_PORT = 2022
/** Before the links go. */
const BEFORE_MS = 1500
const LINE_EVERY_MS = 100
const POLL_MS = 10
const MAX_RSYNC_MS = 300_000

/** Why these programs cannot run here, or `undefined`. */
export function whyNoPrograms(): string | undefined {
  if (!existsSync(SSHD)) return 'apt-get install openssh-server'
  for (const [program, name] of [
    ['ssh', 'openssh-client'],
    ['rsync', 'rsync'],
  ] as const)
    if (spawnSync(program, ['-V']).error !== undefined) return `apt-get install ${name}`
  return whyNoNamespaces()
}

/** A session that gets back what it says, one line at a time. */
class Session implements AsyncDisposable {
  readonly #ssh: Program
  readonly #timer: NodeJS.Timeout
  #said = 0

  constructor(command: readonly string[]) {
    this.#ssh = new Program(command)
    this.#timer = setInterval(() => this.#ssh.say(`line ${++this.#said}`), LINE_EVERY_MS)
  }

  get lines(): readonly string[] {
    return this.#ssh.lines
  }

  /** Resolves once a line more has come back. */
  async next(): Promise<void> {
    await this.#ssh.line(/^line /, 60_000, this.lines.length)
  }

  /** Says no more. @returns its exit code */
  async end(): Promise<number | null> {
    clearInterval(this.#timer)
    await this.#ssh.line(new RegExp(`^line ${this.#said}$`))
    await this.#ssh.close()
    return this.#ssh.exitCode
  }

  get isWhole(): boolean {
    return this.lines.length === this.#said && this.lines.every((line, at) => line === `line ${at + 1}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    await this.#ssh[Symbol.asyncDispose]()
  }
}

/** Both ends of the tunnel, and the sshd behind it. */
class Tunnel implements AsyncDisposable {
  /** What to put in front of a command of the client's, and behind `ssh`. */
  readonly within: readonly string[]
  readonly sshWords: readonly string[]
  readonly #running: AsyncDisposable[] = []

  constructor(uplinks: Uplinks, folder: string) {
    this.within = uplinks.within('client')
    const { config, key } = writeSshdFiles(folder, SSH_PORT)
    this.#running.push(new Program([...uplinks.within('server'), SSHD, '-D', '-e', '-f', config]))
    const ssh = [
      'BatchMode=yes',
      'StrictHostKeyChecking=no',
      'UserKnownHostsFile=/dev/null',
      'LogLevel=ERROR',
    ]
    this.sshWords = [
      '-F',
      '/dev/null',
      '-i',
      key,
      '-p',
      `${LOCAL_PORT}`,
      ...ssh.flatMap((word) => ['-o', word]),
    ]
  }

  async open(uplinks: Uplinks, token: string): Promise<void> {
    const allow = ['--allow', `ssh=127.0.0.1:${SSH_PORT}`]
    const common = ['--token-file', token, '--no-ctl']
    const serve = new CliProcess(['serve', '--listen', `${SERVER}:${PORT}`, ...allow, ...common], {
      within: uplinks.within('server'),
    })
    this.#running.push(serve)
    await serve.line(/listening/)
    const to = ['--to', `${SERVER}:${PORT}`, '--all-interfaces']
    const forward = new CliProcess(['forward', ...to, ...common, '--local', `${LOCAL_PORT}=ssh`], {
      within: this.within,
    })
    this.#running.push(forward)
    await forward.line(/connected to/)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#running.toReversed()) await one[Symbol.asyncDispose]()
  }
}

function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex')
}

/** Resolves once the copy has more bytes than now. */
async function grown(file: string): Promise<void> {
  const size = (): number => (existsSync(file) ? statSync(file).size : 0)
  for (const before = size(); size() === before; ) await delay(POLL_MS)
}

/** Runs both programs through one cut. */
export async function surviveWithPrograms({ way, seconds, bytes }: ProgramsCut): Promise<ProgramsSurvival> {
  const folder = mkdtempSync(join(tmpdir(), 'multipath-programs-'))
  try {
    using uplinks = new Uplinks(PATHS.length)
    await using tunnel = new Tunnel(uplinks, folder)
    const [token, from, to] = ['token', 'from', 'to'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ]
    writeFileSync(token, randomFillSync(new Uint8Array(32)), { mode: 0o600 })
    mkdirSync(from)
    mkdirSync(to)
    const [original, copy] = [join(from, 'file'), join(to, 'file')]
    writeFileSync(original, randomFillSync(Buffer.alloc(bytes)))
    await tunnel.open(uplinks, token)
    await using session = new Session([...tunnel.within, 'ssh', ...tunnel.sshWords, '127.0.0.1', 'cat'])
    // At a rate that makes it last longer than what comes before the cut.
    const pace = ['--inplace', '--whole-file', `--bwlimit=${Math.ceil(bytes / 1024 / 6)}`]
    const rsync = new Program([
      ...[...tunnel.within, 'rsync', ...pace],
      ...['--rsh', ['ssh', ...tunnel.sshWords].join(' '), original, `127.0.0.1:${copy}`],
    ])
    await Promise.all([session.next(), grown(copy)])
    await delay(BEFORE_MS)
    const [act, undo] = LINK_ACTS[way]
    act(uplinks)
    await delay(seconds * 1000)
    undo(uplinks)
    const backAt = Date.now()
    const since = async (what: Promise<void>): Promise<number> => {
      await what
      return Date.now() - backAt
    }
    const firstByteMs = await Promise.all([since(session.next()), since(grown(copy))])
    await rsync.ended(MAX_RSYNC_MS)
    const sshCode = await session.end()
    return {
      isEchoWhole: session.isWhole,
      echoedLines: session.lines.length,
      isCopyWhole: existsSync(copy) && sha256(copy) === sha256(original),
      exitCodes: [sshCode, rsync.exitCode],
      firstByteMs,
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
