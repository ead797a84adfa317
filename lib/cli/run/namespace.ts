// SPDX-License-Identifier: Apache-2.0
/** The network namespace of one program, seen from outside: a helper in it does what can only be done there. */
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import type { Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import type { Server, Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { ignore } from '../../ignore.js'
import { hasCapabilities, NET_ADMIN, SYS_ADMIN } from '../capabilities.js'
import { CliError } from '../cli-error.js'
import { packageFile } from '../package-file.js'
import { withoutSecrets } from '../streams/secrets.js'
import type { Accepted } from './kernel-table.js'
import type { Destination, FromInside, ToInside, UdpMessage } from './protocol.js'
import type { Settleable } from './settleable.js'
import { settleable } from './settleable.js'
import { asUser, LINK, setupWords } from './setup.js'
import { noNamespace } from './why-not.js'

/** How a program ended: one of both is null. */
export interface ProgramEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** The descriptor. */
const SET_UP = 5
const HELPER = 'dist/cli/run/inside.cjs'
const RESOLV_CONF = 'dist/cli/run/resolv.conf'
/** What is kept of what set-up says, for its error. */
const MOST_SAID_BYTES = 4096

/** Gets what a program sends by UDP: the socket for an address first. */
export interface UdpTaker {
  opened(address: string, socket: UdpSocket): void
  leads(message: UdpMessage): void
}

export class Namespace {
  /** Resolves with the socket that listens inside for all connections, once the program may be started. @throws {CliError} */
  readonly server: Promise<Server>
  /** Rejects where the program could not be started, or was left without its namespace. @throws {CliError} */
  readonly ended: Promise<ProgramEnd>
  readonly #child: ChildProcess
  /** Its end is that of the helper. */
  readonly #link: Socket
  readonly #isPrivileged: boolean
  /** Questions that the helper has not answered. */
  readonly #asked = new Map<number, (answer: Destination | Socket | undefined) => void>()
  readonly #ready: Settleable<Server> = settleable()
  readonly #isSetUp: Settleable = settleable()
  readonly #end: Settleable<ProgramEnd> = settleable()
  /** Gets what the program sends by UDP. */
  onUdp: UdpTaker | undefined
  #nextId = 0
  #said = ''
  /** Of the program, while it runs. */
  #pid: number | undefined

  /** Begins to make it. */
  constructor() {
    this.server = Promise.all([this.#ready.promise, this.#isSetUp.promise]).then(([server]) => server)
    this.server.catch(ignore)
    this.ended = this.#end.promise
    this.#isPrivileged = hasCapabilities(SYS_ADMIN, NET_ADMIN)
    const [command, ...words] = setupWords({
      isPrivileged: this.#isPrivileged,
      resolvConf: packageFile(RESOLV_CONF),
      helper: [process.execPath, packageFile(HELPER)],
    })
    // What the set-up says is read here, whether it is done, and nftables' trace; descriptor 4 is the standard error of the program.
    this.#child = spawn(command!, words, {
      stdio: ['inherit', 'inherit', 'pipe', 'ipc', 2, 'pipe', 'pipe'],
      env: helperEnv(process.env),
    })
    const stdio: readonly unknown[] = this.#child.stdio
    void this.#follow(this.#child.stderr!, stdio[SET_UP] as Readable)
    this.#link = stdio[LINK] as Socket
    this.#link.setEncoding('latin1').on('data', (text) => this.#tell({ kind: 'trace', text: String(text) }))
    this.#link.on('error', ignore)
    this.#child.on('error', (error) => this.#lost(noNamespace(error.message)))
    this.#child.once('close', () => this.#lost(noNamespace(this.#said)))
    this.#child.on('message', (message, handle) => this.#hear(message as FromInside, handle))
  }

  /** Once `server` has resolved. */
  start(program: readonly string[]): void {
    const before = this.#isPrivileged ? [] : asUser(process.getuid!(), process.getgid!())
    this.#tell({ kind: 'start', words: [...before, ...program], env: withoutSecrets(process.env) })
  }

  /** Passes a signal on to the program. */
  signal(name: NodeJS.Signals): void {
    this.#tell({ kind: 'signal', name })
  }

  /** Where an accepted connection is to go; `undefined`: its client has gone. */
  async destinationOf(accepted: Accepted): Promise<Destination | undefined> {
    return (await this.#ask((id) => ({ kind: 'destination', id, accepted }))) as Destination | undefined
  }

  /** A connection to a port of the namespace, which may be half open; `undefined` if no program listens on that port. */
  async connect(port: number): Promise<Socket | undefined> {
    const socket = (await this.#ask((id) => ({ kind: 'connect', id, port }))) as Socket | undefined
    if (socket !== undefined) socket.allowHalfOpen = true
    return socket
  }

  /** Ends the helper, and a program that still runs. */
  close(): void {
    this.#link.destroy()
    if (this.#child.connected) this.#child.disconnect()
    // For what is still being set up; a helper takes no notice.
    this.#child.kill()
    // Where the set-up failed, it has no other owner.
    this.#ready.promise.then((server) => server.close(), ignore)
  }

  /** Both end with the set-up. */
  async #follow(said: Readable, done: Readable): Promise<void> {
    said.setEncoding('utf8').on('data', (text: string) => {
      this.#said = (this.#said + text).slice(0, MOST_SAID_BYTES)
    })
    const told: unknown[] = []
    done.on('data', (chunk) => told.push(chunk))
    await Promise.all([once(said, 'close'), once(done, 'close')])
    if (told.length > 0) this.#isSetUp.resolve()
    else this.#isSetUp.reject(noNamespace(this.#said))
  }

  #ask(question: (id: number) => ToInside): Promise<Destination | Socket | undefined> {
    const id = this.#nextId++
    return new Promise((resolve) => {
      if (!this.#child.connected) {
        resolve(undefined)
        return
      }
      this.#asked.set(id, resolve)
      this.#tell(question(id))
    })
  }

  #tell(message: ToInside): void {
    // Whether it has gone is told by its close.
    if (this.#child.connected) this.#child.send(message, ignore)
  }

  /** The socket of an address for UDP is closed. */
  udpClosed(address: string): void {
    this.#tell({ kind: 'udp-closed', address })
  }

  #hear(message: FromInside, handle: Server | Socket | UdpSocket | undefined): void {
    if (message.kind === 'udp') this.onUdp?.leads(message)
    else if (message.kind === 'udp-socket') this.onUdp?.opened(message.address, handle as UdpSocket)
    else if (message.kind === 'ready') this.#ready.resolve(handle as Server)
    else if (message.kind === 'started') this.#pid = message.pid
    else if (message.kind === 'ended') {
      this.#pid = undefined
      this.#end.resolve(message)
    } else if (message.kind === 'not-started')
      this.#end.reject(
        new CliError(`cannot start the program: ${message.message}`, { exitCode: exitCodeOf(message.code) }),
      )
    else this.#answer(message.id, message.kind === 'destination' ? message.destination : (handle as Socket))
  }

  #answer(id: number, answer: Destination | Socket | undefined): void {
    this.#asked.get(id)?.(answer)
    this.#asked.delete(id)
  }

  /** The helper has ended; nothing happens where all had been said before. */
  #lost(why: CliError): void {
    for (const id of this.#asked.keys()) this.#answer(id, undefined)
    this.#ready.reject(why)
    this.#isSetUp.reject(why)
    this.#end.reject(new CliError('the helper that provides the network of the program has ended'))
    if (this.#pid !== undefined) kill(this.#pid)
  }
}

/**
 * What Node reads in its environment is for the command and the program: the helper would load the same modules, wait for
 * the same debugger, and read the certificates of NODE_EXTRA_CA_CERTS, which can take it longer than all the rest of its start.
 */
function helperEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(withoutSecrets(env)).filter(([name]) => !name.startsWith('NODE_')))
}

/** As shells have it: 127 for a program that is not there, 126 for one that cannot be run. */
function exitCodeOf(code: string): number {
  return code === 'ENOENT' ? 127 : 126
}

function kill(pid: number): void {
  try {
    process.kill(pid)
  } catch {
    // It has ended.
  }
}
