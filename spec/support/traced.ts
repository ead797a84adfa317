// SPDX-License-Identifier: Apache-2.0
/** A dialer and a listener over simulated links, and the lines that traces of them would write. */
import { onTestFinished } from 'vitest'
import type { DialerOptions, ListenerOptions, MultipathConn } from '../../lib/index.js'
import { MultipathDialer, MultipathListener } from '../../lib/index.js'
import type { Link, LinkOptions, ManualClock } from '../../lib/testing/index.js'
import { SimulatedNetwork } from '../../lib/testing/index.js'

export interface Line {
  readonly t: number
  readonly c: number
  readonly ev?: string
  readonly [key: string]: unknown
}

/** The numbers of a sample, or of one of its subflows; what is left out is 0. */
export type Numbers = Readonly<Record<string, number>>

export interface Traced {
  readonly clock: ManualClock
  readonly links: readonly Link[]
  readonly dialer: MultipathDialer
  readonly near: MultipathConn
  readonly far: MultipathConn
}

export interface TracedInit {
  readonly links: readonly LinkOptions[]
  readonly dialer?: DialerOptions
  readonly listener?: ListenerOptions
}

/** A connection with its first subflow up at both ends. */
export async function connected({
  links: shapes,
  dialer: ours,
  listener: theirs,
}: TracedInit): Promise<Traced> {
  const network = new SimulatedNetwork()
  const { clock } = network
  const links = shapes.map((shape) => network.link(shape))
  const servers = links.map(({ server }) => server)
  const listener = new MultipathListener(servers, [], { ...theirs, clock })
  const dialers = links.map((link, index) => link.dialer(`link ${index}`))
  const dialer = new MultipathDialer('there', dialers, { ...ours, clock })
  const [near, far] = await clock.until(Promise.all([dialer.dial(), listener.accept()]))
  onTestFinished(async () => {
    near.on('error', () => {}).destroy()
    far.on('error', () => {}).destroy()
    await listener.close()
  })
  return { clock, links, dialer, near, far }
}

/** Keeps lines; `write` is the option `trace`. */
export class Lines {
  readonly all: Line[] = []
  readonly write = (line: string): void => {
    this.all.push(JSON.parse(line) as Line)
  }

  events(name: string): Line[] {
    return this.all.filter(({ ev }) => ev === name)
  }

  get samples(): Line[] {
    return this.all.filter(({ ev }) => ev === undefined)
  }

  /** `subs` of all samples, with the time of each. */
  get subs(): (Numbers & { readonly t: number })[] {
    return this.samples.flatMap(({ t, subs }) => ((subs ?? []) as Numbers[]).map((sub) => ({ ...sub, t })))
  }

  /** What the samples have counted of a subflow. */
  sum(key: string, id: number): number {
    return this.subs.filter((sub) => sub['id'] === id).reduce((sum, sub) => sum + (sub[key] ?? 0), 0)
  }
}
