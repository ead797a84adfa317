// SPDX-License-Identifier: Apache-2.0
/** A transfer each way over two links in network namespaces, and what happens to it: both links go for a while, or a process does. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { bundled } from '../../spec/support/bundled.js'
import { LINK_ACTS, PATHS } from './link-acts.js'
import { SERVER, Uplinks } from './uplinks.js'

const PEER = fileURLToPath(new URL('hold-peer.ts', import.meta.url))

/** The links go without a word, or with their addresses; a process is stopped; the clocks of both are set an hour ahead. */
export const WAYS = ['silent', 'addresses', 'stop-dialer', 'stop-listener', 'clock'] as const
export type Way = (typeof WAYS)[number]

export interface Cut {
  readonly way: Way
  readonly seconds: number
  /** Each way. */
  readonly bytes: number
}

export interface Survival {
  /** Bytes that each side got, and where they first differ from what was sent: -1 is nowhere. The dialler first. */
  readonly bytes: readonly number[]
  readonly mismatchAt: readonly number[]
  /** From the return to the first byte at each side, milliseconds; 0 where none was late. */
  readonly firstByteMs: readonly number[]
  readonly exitCodes: readonly (number | null)[]
  /** How often the dialler was suspended. */
  readonly suspensions: number
}

interface Told {
  readonly event: string
  readonly at: number
  readonly bytes?: number
  readonly mismatchAt?: number
  readonly gapMs?: number
}

const PORT = 7190
/** Of the transfer, before the links go. */
const BEFORE_MS = 1500

class Peer implements Disposable {
  readonly told: Told[] = []
  readonly #child: ChildProcess
  readonly #lines: Interface
  readonly #exited: Promise<unknown[]>

  constructor(within: readonly string[], script: string, side: 'listen' | 'dial', bytes: number) {
    const command = [process.execPath, script, side, SERVER, `${PORT}`, `${bytes}`]
    const [program, ...args] = [...within, ...command] as [string, ...string[]]
    this.#child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#exited = once(this.#child, 'exit')
    this.#lines = createInterface(this.#child.stdout!)
    this.#lines.on('line', (line) => this.told.push(JSON.parse(line) as Told))
  }

  /** The first such event, once it has been told. */
  async first(event: string): Promise<Told> {
    for (;;) {
      const found = this.of(event)[0]
      if (found !== undefined) return found
      if (this.#child.exitCode !== null) throw new Error(`the process ended before it told of "${event}"`)
      await Promise.race([once(this.#lines, 'line'), this.#exited])
    }
  }

  of(event: string): Told[] {
    return this.told.filter((told) => told.event === event)
  }

  async exit(): Promise<number | null> {
    await this.#exited
    return this.#child.exitCode
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL')
  }
}

interface Scene {
  readonly uplinks: Uplinks
  readonly dialer: Peer
  readonly listener: Peer
}

/** What is done, and what undoes it. */
const ACTS: Readonly<Record<Way, readonly [(on: Scene) => void, (on: Scene) => void]>> = {
  silent: [({ uplinks }) => LINK_ACTS.silent[0](uplinks), ({ uplinks }) => LINK_ACTS.silent[1](uplinks)],
  addresses: [
    ({ uplinks }) => LINK_ACTS.addresses[0](uplinks),
    ({ uplinks }) => LINK_ACTS.addresses[1](uplinks),
  ],
  'stop-dialer': [({ dialer }) => dialer.kill('SIGSTOP'), ({ dialer }) => dialer.kill('SIGCONT')],
  'stop-listener': [({ listener }) => listener.kill('SIGSTOP'), ({ listener }) => listener.kill('SIGCONT')],
  clock: [({ dialer, listener }) => [dialer, listener].forEach((peer) => peer.kill('SIGUSR2')), () => {}],
}

function longestGap(side: Peer): Told | undefined {
  return side.of('data').sort((a, b) => b.gapMs! - a.gapMs!)[0]
}

/** Runs one transfer and one cut. */
export async function survive({ way, seconds, bytes }: Cut): Promise<Survival> {
  using uplinks = new Uplinks(PATHS.length)
  const script = await bundled(PEER)
  using listener = new Peer(uplinks.within('server'), script, 'listen', bytes)
  await listener.first('listening')
  using dialer = new Peer(uplinks.within('client'), script, 'dial', bytes)
  const sides = [dialer, listener]
  await Promise.all(sides.map((side) => side.first('first')))
  await delay(BEFORE_MS)
  const [act, undo] = ACTS[way]
  act({ uplinks, dialer, listener })
  await delay(seconds * 1000)
  undo({ uplinks, dialer, listener })
  const backAt = Date.now()
  const exitCodes = await Promise.all(sides.map((side) => side.exit()))
  const received = sides.map((side) => side.of('received')[0])
  return {
    bytes: received.map((end) => end?.bytes ?? 0),
    mismatchAt: received.map((end) => end?.mismatchAt ?? 0),
    firstByteMs: sides.map((side) => Math.max(0, (longestGap(side)?.at ?? 0) - backAt)),
    exitCodes,
    suspensions: dialer.of('suspended').length,
  }
}
