/** Which paths there are: pairs of a local address and a target. */
import type { LocalAddress } from './local-addresses.js'
import { isLinkLocal, isLoopback } from './local-addresses.js'
import { formatHostPort } from './parse.js'

/** A target whose name has been looked up. */
export interface Target {
  readonly address: string
  readonly family: 4 | 6
  readonly port: number
}

export interface PlannedPath {
  readonly label: string
  readonly host: string
  readonly port: number
  /** `undefined`: the system chooses. */
  readonly localAddress: string | undefined
}

/**
 * Paths to each target, from each of `locals` that can reach it, `multiplier` times; from wherever the system
 * chooses where `locals` is `undefined`. A target that no local address can reach has no path.
 */
export function planPaths(
  targets: readonly Target[],
  locals: readonly LocalAddress[] | undefined,
  multiplier: number,
): PlannedPath[] {
  const pairs = targets.flatMap((target) =>
    sourcesFor(target, locals).map((localAddress) => ({ target, localAddress })),
  )
  return pairs.flatMap(({ target, localAddress }) =>
    Array.from({ length: multiplier }, (_, index) => {
      const remote = formatHostPort({ host: target.address, port: target.port })
      const pair = localAddress === undefined ? remote : `${localAddress}|${remote}`
      const label = multiplier === 1 ? pair : `${pair}#${index + 1}`
      return { label, host: target.address, port: target.port, localAddress }
    }),
  )
}

function sourcesFor(target: Target, locals: readonly LocalAddress[] | undefined): (string | undefined)[] {
  // The zone of a link-local target names its interface already.
  if (locals === undefined || isLinkLocal(target.address)) return [undefined]
  return locals
    .filter((local) => local.family === target.family && local.isLoopback === isLoopback(target.address))
    .map(({ address }) => address)
}
