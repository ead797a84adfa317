// SPDX-License-Identifier: Apache-2.0
/** `multipath run` on a machine with two uplinks, and servers that only `multipath serve` can reach and knows by name. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { Program } from '../../bench/shared/program.js'
import type { CliExit, CliStart } from '../../spec/support/cli-process.js'
import { CliProcess } from '../../spec/support/cli-process.js'
import { ip, whyNoNamespaces } from './namespaces.js'
import { SERVER_SOURCE } from './run-server.js'
import { SERVER, Uplinks } from './uplinks.js'

/** Who runs a program: root needs no user namespace, and everybody else does. */
export type User = 'root' | 'an ordinary user'

const AS: Readonly<Record<User, readonly string[]>> = {
  root: [],
  'an ordinary user': ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'],
}
export interface RunStart extends Omit<CliStart, 'within'> {
  /** Of `multipath run`. */
  readonly options?: readonly string[]
  /** Whether it leads a process group of its own, and a session. */
  readonly isGroup?: boolean
}

const PORT = 7391
const TOKEN = 'a token that only specs know'
export const IPV4 = '203.0.113.7'
export const IPV6 = '2001:db8::7'
export const NAME = 'web.example'

/** Why it cannot run here; `undefined`: it can. */
export function whyNoRun(): string | undefined {
  const missing = ['nft', 'unshare', 'setpriv'].find(
    (name) => spawnSync(name, ['--version']).error !== undefined,
  )
  return missing === undefined
    ? whyNoNamespaces()
    : `apt-get install ${missing === 'nft' ? 'nftables' : 'util-linux'}`
}

/** Why `user` cannot run it where it lies. */
export function whyNot(user: User): string | undefined {
  const [program, ...words] = [...AS[user], process.execPath, '-e', `fs.accessSync('${process.cwd()}/dist')`]
  return spawnSync(program, words).status === 0 ? undefined : 'this folder is closed to other users'
}

/** Opens a stage with its server for the specs of a file, unless there is a reason why they cannot run. */
export function useRunStage(why: string | undefined, take: (stage: RunStage) => void): void {
  let stage: RunStage | undefined
  beforeAll(async () => {
    if (why !== undefined) return
    stage = new RunStage()
    take(stage)
    await stage.open()
    await stage.server([process.execPath, '-e', SERVER_SOURCE], /ready/)
  })
  afterAll(() => stage?.[Symbol.asyncDispose]())
}

export class RunStage implements AsyncDisposable {
  readonly uplinks: Uplinks
  /** Everybody can write there. */
  readonly folder: string = mkdtempSync(join(tmpdir(), 'multipath-run-'))
  readonly #running: AsyncDisposable[] = []

  constructor() {
    execFileSync('chmod', ['777', this.folder])
    this.uplinks = new Uplinks(2)
    const [, , , server] = this.uplinks.within('server')
    for (const address of [`${IPV4}/32`, `${IPV6}/128`])
      ip('-n', server!, 'address', 'add', address, 'dev', 'lo')
    writeFileSync(join(this.folder, 'hosts'), `127.0.0.1 localhost\n${IPV4} ${NAME}\n`)
  }

  /** Starts the far end, and resolves when it listens. */
  async open(): Promise<void> {
    const rules = ['--allow-socks', '*:*', '--allow-private', '203.0.113.0/24']
    const places = [`${IPV4}:*`, `[${IPV6}]:*`, `udp:${IPV4}:*`, `udp:[${IPV6}]:*`, 'udp:*:*']
    const exact = places.flatMap((place) => ['--allow-socks', place])
    const serve = new CliProcess(['serve', '--listen', `${SERVER}:${PORT}`, ...rules, ...exact], {
      within: this.#withNames(),
      env: { MULTIPATH_TOKEN: TOKEN },
    })
    this.#running.push(serve)
    await serve.line(/listening/)
  }

  /** A program beside `serve`, once it has said `ready`. */
  async server(command: readonly string[], ready: RegExp): Promise<void> {
    const program = new Program([...this.#withNames(), ...command])
    this.#running.push(program)
    await program.line(ready)
  }

  /** `multipath run` of a program. */
  run(user: User, program: readonly string[], start: RunStart = {}): CliProcess {
    const { options = [], isGroup = false, ...others } = start
    const to = ['--to', `${SERVER}:${PORT}`, '--all-interfaces']
    const cli = new CliProcess(['run', ...to, ...options, '--', ...program], {
      ...others,
      within: [...this.within, ...(isGroup ? ['setsid'] : []), ...AS[user]],
      env: { MULTIPATH_TOKEN: TOKEN, HOME: this.folder, ...others.env },
    })
    this.#running.push(cli)
    return cli
  }

  /** What to put before a command of the client's machine. */
  get within(): string[] {
    return this.uplinks.within('client')
  }

  /** Runs it to its end. */
  exit(user: User, program: readonly string[], options: readonly string[] = []): Promise<CliExit> {
    return this.run(user, program, { options }).exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#running.toReversed()) await one[Symbol.asyncDispose]()
    this.uplinks[Symbol.dispose]()
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** Names that this side alone knows: `ip netns exec` gives each command mounts of its own. */
  #withNames(): string[] {
    const mount = 'mount --bind "$0" /etc/hosts; exec "$@"'
    return [...this.uplinks.within('server'), 'sh', '-ec', mount, join(this.folder, 'hosts')]
  }
}
