// SPDX-License-Identifier: Apache-2.0
/** One run: a listening worker and whoever dials it, each a process of its own. */
import { setTimeout as delay } from 'node:timers/promises'
import { CERTIFICATE } from '../../spec/support/certificate.js'
import type { Carrier } from '../node/options.js'
import { Worker } from '../shared/worker.js'
import type { Pairing } from './pairings.js'

export interface ListenSetting {
  readonly paths: number
  /** What carries them; Node alone knows it. Default: tcp. */
  readonly over?: Carrier
  readonly mode?: string
  /** Streams of mux sessions are accepted; Node alone knows them. */
  readonly mux?: boolean
  /** More than 1: no timeline is kept. */
  readonly count?: number
}

export interface DialSetting {
  readonly size?: number
  readonly seconds?: number
  readonly count?: number
  readonly settle?: number
  /** A file for the library's own trace. */
  readonly trace?: string
  readonly over?: Carrier
  /** Streams of one mux session are opened. */
  readonly mux?: boolean
}

/** Time for joins, garbage and buffers to settle before memory is read, in milliseconds. */
const SETTLE_MS = 1500

export class Session implements AsyncDisposable {
  readonly listener: Worker
  readonly #pairing: Pairing
  readonly #addrs: string
  readonly #dialers: Worker[] = []

  private constructor(pairing: Pairing, listener: Worker, addrs: string) {
    this.#pairing = pairing
    this.listener = listener
    this.#addrs = addrs
  }

  static async start(pairing: Pairing, setting: ListenSetting): Promise<Session> {
    const { paths, mode = 'sink', count = 1, over, mux = false } = setting
    const anyPort = Array.from({ length: paths }, () => '127.0.0.1:0').join(',')
    const args = [
      'serve',
      '--kind',
      pairing.kind,
      '--mode',
      mode,
      '--addrs',
      anyPort,
      '--count',
      String(count),
    ]
    if (over !== undefined) args.push('--over', over)
    if (mux) args.push('--mux')
    if (over === 'tls' || over === 'wss') args.push(`--cert=${CERTIFICATE.cert}`, `--key=${CERTIFICATE.key}`)
    const listener = new Worker({ language: pairing.listens, args })
    const { addrs } = await listener.event('listening')
    return new Session(pairing, listener, (addrs as string[]).join(','))
  }

  dial(mode: string, setting: DialSetting): Worker {
    const { kind, dials } = this.#pairing
    const args = ['dial', '--kind', kind, '--mode', mode, '--addrs', this.#addrs]
    for (const [name, value] of Object.entries(setting)) {
      args.push(`--${name}`)
      if (typeof value !== 'boolean') args.push(String(value))
    }
    const dialer = new Worker({ language: dials, args })
    this.#dialers.push(dialer)
    return dialer
  }

  /** KiB of the listener with that many more connections. */
  async memoryWith(mode: string, count: number): Promise<number> {
    await this.dial(mode, { count }).event('done', 60_000)
    await delay(SETTLE_MS)
    return (await this.listener.ask('memory')).rssKb as number
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#dialers, this.listener].map((worker) => worker.end()))
  }
}
