// SPDX-License-Identifier: Apache-2.0
/** One running Go peer: requests and answers over its standard streams. Owns the process. */
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { CERTIFICATE } from '../../spec/support/certificate.js'
import { buildPeer } from './build-peer.js'
import type { Kind } from './kinds.js'
import type {
  AcceptedEvent,
  DialerPathCounters,
  Operations,
  PathCounters,
  Reception,
  ReceiveOptions,
  SendOptions,
  ServedEvent,
  Transfer,
} from './peer-protocol.js'

/** An operation failed on the Go side; `message` is Go's error text. */
class GoError extends Error {}

interface Pending {
  resolve(answer: unknown): void
  reject(error: Error): void
}

const STDERR_KEPT = 1_000_000

export class GoPeer implements AsyncDisposable {
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>
  readonly #pending = new Map<number, Pending>()
  readonly #events = new EventEmitter()
  #lastId = 0
  #stderr = ''
  #ended: Error | undefined

  private constructor(binary: string) {
    this.#process = spawn(binary, { stdio: ['pipe', 'pipe', 'pipe'] })
    this.#events.setMaxListeners(0)
    this.#process.stdin.on('error', () => undefined) // told by 'close', which comes as well
    this.#process.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (process.env['PEER_LOG']) process.stderr.write(text)
      this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT)
    })
    createInterface(this.#process.stdout).on('line', (line) => {
      this.#onLine(line)
    })
    this.#process.on('close', (code, signal) => {
      this.#fail(new Error(`the Go peer ended (${code ?? signal}): ${this.#stderr}`))
    })
    this.#process.on('error', (error) => {
      this.#fail(error)
    })
  }

  /** Builds it where needed, and starts it. */
  static async start(): Promise<GoPeer> {
    return new GoPeer(await buildPeer())
  }

  /** What it wrote to standard error lately: a panic's trace, or the module's log with PEER_LOG=1. */
  get stderr(): string {
    return this.#stderr
  }

  request<Op extends keyof Operations>(op: Op, fields: Operations[Op][0]): Promise<Operations[Op][1]> {
    if (this.#ended) return Promise.reject(this.#ended)
    const id = ++this.#lastId
    return new Promise<Operations[Op][1]>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject })
      this.#process.stdin.write(`${JSON.stringify({ id, op, ...fields })}\n`)
    })
  }

  /** @param kinds - what carries the ports, used in turn */
  async listen(paths: number, serve = 'manual', kinds: readonly Kind[] = ['tcp']): Promise<GoListener> {
    const { listener, addrs } = await this.request('listen', { paths, serve, kinds, ...CERTIFICATE })
    return new GoListener(this, this.#events, listener, addrs)
  }

  /** @param kinds - what carries the paths, used in turn */
  async dialer(addrs: readonly string[], kinds: readonly Kind[] = ['tcp']): Promise<GoDialer> {
    const { dialer, label } = await this.request('dialer', { addrs, kinds, cert: CERTIFICATE.cert })
    return new GoDialer(this, dialer, label)
  }

  /** Ends it with a trace of what each of its goroutines does, for when it stands still. */
  async traces(): Promise<string> {
    if (this.#ended) return this.#stderr
    const closed = once(this.#process, 'close')
    this.#process.kill('SIGQUIT')
    await closed
    return this.#stderr
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return
    const closed = once(this.#process, 'close')
    this.#process.kill('SIGKILL')
    await closed
  }

  #onLine(line: string): void {
    const { id, ok, error, event, ...rest } = JSON.parse(line) as Record<string, unknown>
    if (typeof event === 'string') {
      this.#events.emit(`${event} ${String(rest['listener'] ?? rest['conn'])}`, { event, error, ...rest })
      return
    }
    const pending = this.#pending.get(Number(id))
    this.#pending.delete(Number(id))
    if (ok === true) pending?.resolve(rest)
    else pending?.reject(new GoError(String(error)))
  }

  #fail(error: Error): void {
    this.#ended ??= error
    for (const pending of this.#pending.values()) pending.reject(this.#ended)
    this.#pending.clear()
  }
}

export class GoListener {
  readonly addrs: readonly string[]
  readonly #peer: GoPeer
  readonly #events: EventEmitter
  readonly #id: number
  readonly #accepted: GoConn[] = []
  readonly #waiting: Array<(conn: GoConn) => void> = []

  constructor(peer: GoPeer, events: EventEmitter, id: number, addrs: readonly string[]) {
    this.#peer = peer
    this.#events = events
    this.#id = id
    this.addrs = addrs
    events.on(`accepted ${id}`, (event: AcceptedEvent) => {
      const conn = new GoConn(peer, event.conn)
      const waiting = this.#waiting.shift()
      if (waiting) waiting(conn)
      else this.#accepted.push(conn)
    })
  }

  accept(): Promise<GoConn> {
    const conn = this.#accepted.shift()
    if (conn) return Promise.resolve(conn)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Resolves when the `serve` job of `conn` has ended; ask before it can. */
  async served(conn: GoConn): Promise<ServedEvent> {
    const [event] = (await once(this.#events, `served ${conn.id}`)) as [ServedEvent]
    return event
  }

  async stats(): Promise<PathCounters[]> {
    return (await this.#peer.request('listenerStats', { listener: this.#id })).paths
  }

  async close(): Promise<void> {
    await this.#peer.request('closeListener', { listener: this.#id })
  }
}

export class GoDialer {
  readonly label: string
  readonly #peer: GoPeer
  readonly #id: number

  constructor(peer: GoPeer, id: number, label: string) {
    this.#peer = peer
    this.#id = id
    this.label = label
  }

  async dial(): Promise<GoConn> {
    const { conn } = await this.#peer.request('dial', { dialer: this.#id })
    return new GoConn(this.#peer, conn)
  }

  stats(): Promise<{ formatStats: string[]; paths: DialerPathCounters[] }> {
    return this.#peer.request('dialerStats', { dialer: this.#id })
  }
}

export class GoConn {
  readonly id: number
  readonly #peer: GoPeer

  constructor(peer: GoPeer, id: number) {
    this.#peer = peer
    this.id = id
  }

  send(options: SendOptions): Promise<Transfer> {
    return this.#peer.request('send', { conn: this.id, ...options })
  }

  /** One Write of exactly these bytes. */
  async write(bytes: Uint8Array): Promise<void> {
    await this.#peer.request('write', { conn: this.id, hex: Buffer.from(bytes).toString('hex') })
  }

  receive(options: ReceiveOptions): Promise<Reception> {
    return this.#peer.request('receive', { conn: this.id, ...options })
  }

  /** Writes back what it reads until the connection ends. */
  echo(): Promise<Transfer> {
    return this.#peer.request('echo', { conn: this.id })
  }

  async close(): Promise<void> {
    await this.#peer.request('close', { conn: this.id })
  }

  /** Closes it and keeps its number: of a stream of a mux session, the other direction stays open. */
  async finish(): Promise<void> {
    await this.#peer.request('finish', { conn: this.id })
  }
}
