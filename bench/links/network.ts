// SPDX-License-Identifier: Apache-2.0
/** Two network namespaces joined by emulated links, by bench/linksim. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { LINKSIM } from '../shared/build.js'

export interface LinkCounters {
  /** With headers, as delivered. */
  readonly bytes: number
  /** With headers, as sent: dropped ones too. */
  readonly offered: number
  /** Payload of TCP and UDP as sent: dropped and resent ones too. */
  readonly payload: number
  /** Payload of TCP and UDP that the link delivered. */
  readonly arrived: number
  readonly lost: number
  readonly overflown: number
  /** Packets delivered more than 2 ms past their time: the emulation's own error. */
  readonly late: number
  readonly packets: number
}

/** A line of linksim: counters of all links at a moment, and what happened then. */
export interface NetworkEvent {
  readonly event: 'sample' | 'change' | 'end'
  /** Wall clock in milliseconds. */
  readonly at: number
  readonly links: readonly { readonly up: LinkCounters; readonly down: LinkCounters }[]
  readonly link?: number
  readonly words?: string
}

export interface NetworkSetting {
  readonly links: readonly string[]
  readonly changes: readonly string[]
  readonly congestionControl: string
}

/** How often the links' counters are noted. */
const SAMPLE = '50ms'
/** Late packets are the emulation's error, so it goes before what it measures. */
const PRIORITY = ['nice', '-n', '-10']

/** The link that an address, or a label with one in it, belongs to: 10.77.LINK.1 and .2; 0 for any other. */
export function linkOf(address: string): number {
  return Number(/10\.77\.(\d+)/.exec(address)?.[1] ?? 0)
}

export class Network implements AsyncDisposable {
  readonly events: NetworkEvent[] = []
  readonly links: number
  readonly client: string
  readonly server: string
  readonly #mark: string
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, links: number, names: readonly string[]) {
    this.#child = child
    this.links = links
    this.client = names[0] ?? ''
    this.server = names[1] ?? ''
    this.#mark = names[2] ?? ''
  }

  static async start(setting: NetworkSetting): Promise<Network> {
    const flags = ['-congctl', setting.congestionControl, '-marked', '-sample', SAMPLE]
    for (const link of setting.links) flags.push('-link', link)
    for (const change of setting.changes) flags.push('-at', change)
    // The namespaces live until cat's input ends.
    const [program, ...args] = [
      ...PRIORITY,
      LINKSIM,
      ...flags,
      '--',
      'sh',
      '-c',
      'echo $CNS $SNS $LINKSIM_MARK; exec cat',
    ]
    const child = spawn(program, args, { stdio: 'pipe' })
    const said: string[] = []
    const errors = createInterface({ input: child.stderr })
    let hear = (line: string): unknown => said.push(line)
    errors.on('line', (line) => hear(line))
    const names = createInterface({ input: child.stdout })
    const failed = once(child, 'close').then(() => {
      throw new Error(`linksim ended: ${said.join('\n')}`)
    })
    failed.catch(() => {})
    const [line] = (await Promise.race([once(names, 'line'), failed])) as [string]
    const network = new Network(child, setting.links.length, line.split(' '))
    hear = (text) => network.#heard(text)
    return network
  }

  #heard(line: string): void {
    if (line.startsWith('{')) this.events.push(JSON.parse(line) as NetworkEvent)
    else console.error(line)
  }

  /** Starts the clock of the changes. */
  mark(): void {
    writeFileSync(this.#mark, '')
  }

  /** The wall clock at which the link changed to that, where it did. */
  changedAt(link: number, words: string): number | undefined {
    return this.events.find(
      (event) => event.event === 'change' && event.link === link && event.words === words,
    )?.at
  }

  ip(where: 'client' | 'server', ...args: string[]): void {
    execFileSync('ip', ['-n', this[where], ...args], { stdio: ['ignore', 'ignore', 'inherit'] })
  }

  /** What to put before a command that is to run on that side. */
  inside(where: 'client' | 'server'): string[] {
    return ['ip', 'netns', 'exec', this[where]]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const over = once(this.#child, 'close')
    this.#child.stdin?.end()
    await over
  }
}
