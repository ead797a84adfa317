// SPDX-License-Identifier: Apache-2.0
/** Backends and HAProxies on loopback, with the configuration that deploy/haproxy/ has. Owns their processes. */
import type { ChildProcess } from 'node:child_process'
import { fork, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundled } from '../../spec/support/bundled.js'
import { freePorts } from '../../spec/support/free-ports.js'

const TEMPLATE = fileURLToPath(new URL('../../deploy/haproxy/haproxy.cfg', import.meta.url))
const BACKEND = fileURLToPath(new URL('fleet-backend.ts', import.meta.url))
const DOCUMENTED_HOST = /192\.0\.2\.\d+/g

/** What a backend says of itself. */
export interface BackendReport {
  readonly conns: readonly { name: string; labels: readonly string[] }[]
  /** Codes of the streams that it refused. */
  readonly refused: readonly string[]
}

/** Why there can be no fleet here, or `undefined`. */
export function whyNoFleet(): string | undefined {
  const found = spawnSync('haproxy', ['-v'], { encoding: 'utf8', timeout: 30_000 })
  return found.status === 0 ? undefined : 'HAProxy is not installed (apt-get install haproxy)'
}

export class Backend {
  readonly #child: ChildProcess
  readonly port: number

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.port = port
  }

  static async start(): Promise<Backend> {
    const child = fork(await bundled(BACKEND), { execArgv: [] })
    const [port] = (await once(child, 'message')) as [number]
    return new Backend(child, port)
  }

  /** Empty where it is dead. */
  async report(): Promise<BackendReport> {
    if (!this.#child.connected) return { conns: [], refused: [] }
    const answer = once(this.#child, 'message') as Promise<[BackendReport]>
    this.#child.send('report')
    return (await answer)[0]
  }

  kill(): Promise<void> {
    return end(this.#child)
  }
}

/** One HAProxy; may be started again after its death. */
export class Balancer {
  readonly #args: readonly string[]
  readonly #admin: string
  #child: ChildProcess | undefined
  readonly port: number

  constructor(port: number, args: readonly string[], admin: string) {
    this.port = port
    this.#args = args
    this.#admin = admin
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  /** Resolves when it takes streams and shares its table. */
  async start(): Promise<void> {
    this.#child = spawn('haproxy', [...this.#args, '-db'], { stdio: ['ignore', 'ignore', 'pipe'] })
    let log = ''
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-10_000)))
    for (;;) {
      if (this.#child.exitCode !== null) throw new Error(`haproxy ended: ${log}`)
      const info = await this.command('show info').catch(() => '')
      if (info.includes('Stopping: 0')) return
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  /** A command to its admin socket. */
  async command(line: string): Promise<string> {
    const socket = connect(this.#admin)
    socket.setEncoding('utf8').end(`${line}\n`)
    let text = ''
    for await (const chunk of socket) text += String(chunk)
    return text
  }

  async kill(): Promise<void> {
    if (this.#child !== undefined) await end(this.#child)
  }
}

export class Fleet implements AsyncDisposable {
  readonly backends: readonly Backend[]
  readonly balancers: readonly Balancer[]
  readonly #folder: string

  private constructor(backends: readonly Backend[], balancers: readonly Balancer[], folder: string) {
    this.backends = backends
    this.balancers = balancers
    this.#folder = folder
  }

  /**
   * Three backends behind two balancers.
   *
   * @param peerPort - where one balancer finds the other one that listens for it on this port
   */
  static async start(peerPort: (port: number) => Promise<number> = async (port) => port): Promise<Fleet> {
    const backends = await Promise.all([1, 2, 3].map(() => Backend.start()))
    const folder = mkdtempSync(path.join(tmpdir(), 'fleet-'))
    const ports = await freePorts(4)
    const peerPorts = ports.slice(2)
    const otherPorts = await Promise.all(peerPorts.map(peerPort))
    const balancers = [0, 1].map((index) => {
      const admin = path.join(folder, `admin${index}.sock`)
      const file = path.join(folder, `haproxy${index}.cfg`)
      const seen = otherPorts.with(index, peerPorts[index]!)
      writeFileSync(file, configuration(backends, ports[index]!, seen, admin))
      return new Balancer(ports[index]!, ['-f', file, '-L', `balancer${index + 1}`], admin)
    })
    const fleet = new Fleet(backends, balancers, folder)
    try {
      for (const balancer of balancers) await balancer.start()
    } catch (error) {
      await fleet[Symbol.asyncDispose]()
      throw error
    }
    return fleet
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.backends, ...this.balancers].map((member) => member.kill()))
    rmSync(this.#folder, { recursive: true })
  }
}

/** The template with addresses of loopback in the place of its own, and with nothing else changed. */
function configuration(
  backends: readonly Backend[],
  port: number,
  peerPorts: readonly number[],
  admin: string,
): string {
  return readFileSync(TEMPLATE, 'utf8')
    .replace('/run/haproxy/admin.sock', admin)
    .replace('maxconn 8000', 'maxconn 1500')
    .replace('bind :7000', `bind 127.0.0.1:${port}`)
    .replaceAll(/(peer balancer(\d)) \S+/g, (_, name, n) => `${name} 127.0.0.1:${peerPorts[Number(n) - 1]}`)
    .replaceAll(
      /(server node(\d)) \S+/g,
      (_, name, n) => `${name} 127.0.0.1:${backends[Number(n) - 1]!.port}`,
    )
    .replaceAll(DOCUMENTED_HOST, '127.0.0.1')
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}
