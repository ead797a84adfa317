// SPDX-License-Identifier: Apache-2.0
/** Cores joined by links of a simulated network: two of ours, or one of ours and a Go-like peer. */
import type { ConnOptions } from '../../lib/core/options.js'
import type { PathPolicy } from '../../lib/core/path.js'
import { Path } from '../../lib/core/path.js'
import type { Scheduler } from '../../lib/core/scheduler.js'
import type { Subflow } from '../../lib/core/subflow.js'
import type { Link, LinkOptions } from '../../lib/testing/link.js'
import type { ManualClock } from '../../lib/testing/manual-clock.js'
import { SimulatedNetwork } from '../../lib/testing/simulated-network.js'
import { CoreHost } from './core-host.js'
import { FakeJoinKeys } from './fake-join-keys.js'
import { GoLikePeer } from './go-like-peer.js'

export interface CorePairInit {
  readonly links: readonly LinkOptions[]
  readonly seed?: number
  readonly options?: ConnOptions
  /** Options of the listening side; default: the same. */
  readonly farOptions?: ConnOptions
  /** Of our side, which dialled. */
  readonly scheduler?: Scheduler
  /** Subflows prove that they belong to the connection. Default: they do not. */
  readonly hasProofs?: boolean
  /** Of our side, one for each link. */
  readonly policies?: readonly PathPolicy[]
  /** Kernels tell how many segments they have sent again. Default: they do. */
  readonly hasCount?: boolean
}

interface Joined {
  readonly network: SimulatedNetwork
  readonly clock: ManualClock
  readonly links: readonly Link[]
  /** Our side, which dialled. */
  readonly near: CoreHost
  advance(ms: number): void
  /** Moves time until `isDone`; fails after `limitMs`. */
  advanceUntil(isDone: () => boolean, limitMs?: number): void
}

export interface CorePair extends Joined {
  readonly far: CoreHost
  /** Adds a subflow over `links[index]`, as a dialer does once the hello is done. */
  join(index: number): { readonly near: Subflow; readonly far: Subflow }
}

export interface GoPair extends Joined {
  readonly go: GoLikePeer
  join(index: number): Subflow
}

function joined({ links, seed = 1, options, scheduler, hasProofs, hasCount = true }: CorePairInit): Joined {
  const network = new SimulatedNetwork({ seed })
  const { clock } = network
  const random = network.random.random
  const given = { ...(options && { options }), ...(scheduler && { scheduler }), ...authOf(hasProofs, 1) }
  const near = new CoreHost({ clock, random, hasCount, writes: 1, reads: 2, ...given })
  return {
    network,
    clock,
    links: links.map((shape) => network.link(shape)),
    near,
    advance: (ms) => {
      clock.advance(ms)
    },
    advanceUntil(isDone, limitMs = 120_000) {
      const end = clock.now() + limitMs
      while (!isDone()) {
        if (clock.nextTimerAt > end)
          throw new Error(`not there after ${limitMs} ms: our side is ${describeHost(near)}`)
        clock.advance(clock.nextTimerAt - clock.now())
      }
    },
  }
}

/** Two of ours; a subflow over each link, in order. */
export function corePair(init: CorePairInit): CorePair {
  const base = joined(init)
  const { clock, network, near, links } = base
  const options = init.farOptions ?? init.options
  const random = network.random.random
  const far = new CoreHost({
    ...{ clock, random, hasCount: init.hasCount ?? true, writes: 2, reads: 1 },
    ...(options && { options }),
    ...authOf(init.hasProofs, 2),
  })
  const paths = pathsOf(init)
  const join = (index: number): { near: Subflow; far: Subflow } => {
    const [nearEnd, farEnd] = links[index]!.openRaw()
    const label = `link ${index}`
    const delayMs = init.links[index]?.delayMs ?? 10
    const atFar = far.join(farEnd, { label, isDialer: false, helloAt: clock.now() - delayMs })
    const helloAt = clock.now() - 2 * delayMs
    return { near: near.join(nearEnd, { label, path: paths[index]!, isDialer: true, helloAt }), far: atFar }
  }
  links.forEach((_link, index) => join(index))
  return { ...base, far, join }
}

/** One of ours, which dialled, and a Go-like peer. */
export function goPair(init: CorePairInit): GoPair {
  const base = joined(init)
  const { clock, near, links } = base
  const go = new GoLikePeer(clock)
  const paths = pathsOf(init)
  const join = (index: number): Subflow => {
    const [nearEnd, farEnd] = links[index]!.openRaw()
    go.join(farEnd)
    const helloAt = clock.now() - 2 * (init.links[index]?.delayMs ?? 10)
    return near.join(nearEnd, { label: `link ${index}`, path: paths[index]!, isDialer: true, helloAt })
  }
  links.forEach((_link, index) => join(index))
  return { ...base, go, join }
}

function authOf(hasProofs: boolean | undefined, side: number) {
  return hasProofs === true && { auth: { isRequired: false, keys: new FakeJoinKeys(side) } }
}

/** One for each link, which its subflows share. */
function pathsOf({ links, policies = [] }: CorePairInit): Path[] {
  return links.map((_link, index) => new Path(policies[index]))
}

function describeHost(host: CoreHost): string {
  const { core, received } = host
  const states = host.states().join(' ')
  return `[${states}] read ${received.bytes}, unread ${core.unreadBytes}, held ${core.metrics.outOfOrderBytes}, unflushed ${core.unflushedBytes}`
}
