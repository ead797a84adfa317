// SPDX-License-Identifier: Apache-2.0
/** Clients of npm in processes of their own, and a way in for them over three paths. Owns interop/clients/node_modules. */
import type { ChildProcess } from 'node:child_process'
import { execFileSync, spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { MultipathServer } from '../../lib/index.js'
import { createServer } from '../../lib/index.js'
import { pageFolder } from './integrations-page.js'
import { PathRelay } from './path-relay.js'

const HOME = fileURLToPath(new URL('../clients/', import.meta.url))
const PATHS = 3
/** Where clients run, once they are installed. */
let folder = HOME

/** Installs the packages, once, and makes the folder in which they run. */
export async function installClients(): Promise<void> {
  if (!existsSync(`${HOME}node_modules/.package-lock.json`)) {
    const args = ['ci', '--omit=optional', '--ignore-scripts', '--no-audit', '--no-fund']
    execFileSync('npm', args, { cwd: HOME, stdio: ['ignore', 'ignore', 'pipe'] })
  }
  folder = await pageFolder(HOME)
}

/** A multipath listener that forwards to a server of this machine, and a relay in front of each of its places. */
export class Entrance implements AsyncDisposable {
  readonly relays: readonly PathRelay[]
  /** Of its connections, and of those to the server. */
  readonly errors: readonly Error[]
  readonly #server: MultipathServer

  private constructor(server: MultipathServer, relays: PathRelay[], errors: Error[]) {
    this.#server = server
    this.relays = relays
    this.errors = errors
  }

  static open(port: number): Promise<Entrance> {
    const errors: Error[] = []
    const server = createServer({ allowHalfOpen: true }, (conn) => {
      const inner = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
      conn.on('error', (error) => errors.push(error)).on('close', () => inner.destroy())
      inner.on('error', (error) => {
        errors.push(error)
        conn.destroy(error)
      })
      conn.pipe(inner).pipe(conn)
    })
    return Entrance.around(server, errors)
  }

  /** Relays in front of a server that does not listen yet. */
  static async around(server: MultipathServer, errors: Error[] = []): Promise<Entrance> {
    server.listen(Array.from({ length: PATHS }, () => ({ port: 0, host: '127.0.0.1' })))
    await once(server, 'listening')
    const relays = await Promise.all(server.addresses().map((address) => PathRelay.open(address.port)))
    return new Entrance(server, relays, errors)
  }

  get ports(): number[] {
    return this.relays.map((relay) => relay.port)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const relay of this.relays) await relay[Symbol.asyncDispose]()
    await this.#server[Symbol.asyncDispose]()
  }
}

/** What is left of a client's process. */
export interface Ended {
  readonly code: number | null
  /** Warnings and errors. */
  readonly stderr: string
}

/** The gRPC server of the page, which takes connections of ours by itself. */
export async function grpcEntrance(): Promise<Entrance> {
  const { server, entrance } = (await import(`${folder}/page/grpc-server.js`)) as {
    server: object
    entrance: MultipathServer
  }
  const { addEcho } = (await import(`${folder}/servers.js`)) as { addEcho: (server: object) => void }
  addEcho(server)
  return Entrance.around(entrance)
}

/** One client of clients/clients.js. */
export class ClientProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #changes = new EventEmitter()
  /** Resolves when its process is gone, for whatever reason. */
  readonly ended: Promise<Ended>
  #rounds = 0
  #isOver = false

  /** @param settings - what clients/run.js passes on to it, beside the ports */
  constructor(name: string, ports: readonly number[], settings: object = {}) {
    const args = ['run.js', name, JSON.stringify({ ...settings, ports })]
    this.#child = spawn(process.execPath, args, { cwd: folder, stdio: 'pipe' })
    let stderr = ''
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.#rounds += text.split('\n').length - 1
      this.#changes.emit('change')
    })
    this.ended = once(this.#child, 'close').then(([code]) => {
      this.#isOver = true
      this.#changes.emit('change')
      return { code: code as number | null, stderr }
    })
  }

  /** Resolves once it has exchanged `count` payloads more, or has ended. */
  async rounds(count: number): Promise<void> {
    const goal = this.#rounds + count
    while (this.#rounds < goal && !this.#isOver) await once(this.#changes, 'change')
  }

  /** Lets it come to its end, and waits until its process is gone by itself. */
  finish(): Promise<Ended> {
    this.#child.stdin!.on('error', () => undefined).end()
    return this.ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.ended
  }
}
