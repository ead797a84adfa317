/** Two cores joined by links of a simulated network. */
import type { ConnOptions } from '../../lib/core/options.js'
import type { Subflow } from '../../lib/core/subflow.js'
import type { Link, LinkOptions } from '../../lib/testing/link.js'
import { SimulatedNetwork } from '../../lib/testing/simulated-network.js'
import { CoreHost } from './core-host.js'

export interface CorePairInit {
  readonly links: readonly LinkOptions[]
  readonly seed?: number
  readonly options?: ConnOptions
  /** Options of the listening side; default: the same. */
  readonly farOptions?: ConnOptions
}

export interface CorePair {
  readonly network: SimulatedNetwork
  readonly links: readonly Link[]
  /** The dialling side. */
  readonly near: CoreHost
  readonly far: CoreHost
  /** Adds a subflow over `links[index]`, as a dialer does once the hello is done. */
  join(index: number): { readonly near: Subflow; readonly far: Subflow }
  advance(ms: number): void
  /** Moves time until `isDone`; fails after `limitMs`. */
  advanceUntil(isDone: () => boolean, limitMs?: number): void
}

/** Joins a subflow over each link, in order. */
export function corePair({ links: shapes, seed = 1, options, farOptions = options }: CorePairInit): CorePair {
  const network = new SimulatedNetwork({ seed })
  const { clock } = network
  const random = network.random.random
  const links = shapes.map((shape) => network.link(shape))
  const near = new CoreHost({ clock, random, writes: 1, reads: 2, ...(options && { options }) })
  const far = new CoreHost({
    clock,
    random,
    writes: 2,
    reads: 1,
    ...(farOptions && { options: farOptions }),
  })
  const pair: CorePair = {
    network,
    links,
    near,
    far,
    join(index) {
      const [nearEnd, farEnd] = links[index]!.openRaw()
      const label = `link ${index}`
      const helloAt = clock.now() - 2 * (shapes[index]?.delayMs ?? 10)
      const atFar = far.join(farEnd, { label, isDialer: false, helloAt: clock.now() })
      return { near: near.join(nearEnd, { label, isDialer: true, helloAt }), far: atFar }
    },
    advance: (ms) => {
      clock.advance(ms)
    },
    advanceUntil(isDone, limitMs = 120_000) {
      const end = clock.now() + limitMs
      while (!isDone()) {
        if (clock.nextTimerAt > end)
          throw new Error(`not there after ${limitMs} ms: ${describeHosts(near, far)}`)
        clock.advance(clock.nextTimerAt - clock.now())
      }
    },
  }
  for (let index = 0; index < links.length; index++) pair.join(index)
  return pair
}

/** Both hosts in a line, for messages of failures. */
function describeHosts(...hosts: readonly CoreHost[]): string {
  return hosts
    .map(
      (host) =>
        `[${host.states().join(' ')}] read ${host.received.bytes}, unread ${host.core.unreadBytes}, held ${host.core.heldBytes}, unflushed ${host.core.unflushedBytes}`,
    )
    .join('; ')
}
