/** Names to addresses: each address is a target of its own. */
import type { LookupAddress } from 'node:dns'
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { CliError } from './cli-error.js'
import type { Family } from './nc-options.js'
import type { HostPort } from './parse.js'
import { formatHostPort } from './parse.js'
import type { Target } from './plan-paths.js'

/** As dns.lookup with `all`. */
export type Lookup = (host: string, options: { all: true; family: Family }) => Promise<LookupAddress[]>

/**
 * The addresses of all `targets` in their order, each once for each time it was asked for.
 *
 * @param report - told of each name that was left out, while others are left
 * @throws {CliError} when nothing is left
 */
export async function resolveTargets(
  targets: readonly HostPort[],
  family: Family,
  report: (line: string) => void,
  resolve: Lookup = lookup,
): Promise<Target[]> {
  const failures: string[] = []
  const found = await Promise.all(
    targets.map(async (target) => {
      try {
        return await resolveOne(target, family, resolve)
      } catch (error) {
        failures.push(`${formatHostPort(target)}: ${(error as Error).message}`)
        return []
      }
    }),
  )
  const resolved = found.flat()
  if (resolved.length === 0)
    throw new CliError(`no address to connect to: ${failures.join('; ')}`, {
      hint: family === 0 ? 'check the name' : `only IPv${family} was asked for`,
    })
  for (const failure of failures) report(`multipath: left out ${failure}`)
  return resolved
}

async function resolveOne({ host, port }: HostPort, family: Family, resolve: Lookup): Promise<Target[]> {
  const literal = isIP(host.replace(/%.*$/, ''))
  if (literal !== 0) {
    if (family !== 0 && literal !== family) throw new Error(`is no IPv${family} address`)
    return [{ address: host, family: literal as 4 | 6, port }]
  }
  const addresses = await resolve(host, { all: true, family })
  const unique = new Map(addresses.map((one) => [one.address, one.family as 4 | 6]))
  return [...unique].map(([address, of]) => ({ address, family: of, port }))
}
