// SPDX-License-Identifier: Apache-2.0
/** The sessions of a gateway: one for each policy of its rules. */
import type { CliIo } from '../cli-io.js'
import { CliError } from '../cli-error.js'
import { ClientPart } from '../streams/client-part.js'
import type { PathPlace } from '../streams/path-place.js'
import { labelOf } from '../streams/path-place.js'
import type { Client } from '../streams/run-client.js'
import { runTogether } from '../streams/run-together.js'
import type { Stage } from '../streams/stage.js'
import { usage } from '../streams/usage.js'
import type { GatewayFlags } from './gateway-flags.js'
import type { MatchPolicy, MatchRule } from './match-rule.js'

interface Profile {
  readonly part: ClientPart
  /** While it runs. */
  client: Client | undefined
}

export class Profiles {
  readonly #byName = new Map<string, Profile>()

  /** @throws {CliError} EXIT_USAGE for flags that do not go together */
  constructor(flags: GatewayFlags, rules: readonly MatchRule[], env: CliIo['env']) {
    for (const { policy } of rules) {
      const name = nameOf(policy)
      if (!this.#byName.has(name)) this.#byName.set(name, profileOf(flags, policy, env))
    }
  }

  /** `undefined`: it does not run. */
  clientFor(policy: MatchPolicy): Client | undefined {
    return this.#byName.get(nameOf(policy))?.client
  }

  /**
   * Runs all of them until a signal, or until one fails.
   *
   * @param whenReady - all can take connections. It may reject, which ends all
   * @throws {CliError} what went wrong first
   */
  async run(stage: Stage, whenReady: () => Promise<void>): Promise<void> {
    const runs = [...this.#byName].map(
      ([name, { part }]) =>
        (signal: AbortSignal, onReady: () => void) =>
          part.run(this.#stageOf(name, stage, signal), onReady),
    )
    const otherFailed = new CliError('another session has failed')
    const errors = await runTogether(runs, { signal: stage.signal, whenReady, otherFailed })
    if (errors[0] !== undefined) throw errors[0]
  }

  /** @see Part.change */
  async change(next: Profiles): Promise<string[]> {
    const left: string[] = []
    for (const [name, { part }] of this.#byName) {
      const to = next.#byName.get(name)
      if (to !== undefined) left.push(...(await part.change(to.part)))
    }
    return [...new Set(left)]
  }

  /** As that of the gateway; where there are several, they have names. */
  #stageOf(name: string, stage: Stage, signal: AbortSignal): Stage {
    if (this.#byName.size === 1) return { ...stage, signal }
    return {
      ...{ io: stage.io, log: stage.log.ofPart(name), signal },
      offer: (controlled) => stage.offer({ ...controlled, part: name }),
    }
  }
}

/** `redundant via dsl`. */
function nameOf({ scheduler, paths }: MatchPolicy): string {
  const words = [scheduler ?? [], paths === undefined ? [] : `via ${paths.join('/')}`].flat()
  return words.length === 0 ? 'default' : words.join(' ')
}

/** @throws {CliError} EXIT_USAGE */
function profileOf(flags: GatewayFlags, { scheduler, paths }: MatchPolicy, env: CliIo['env']): Profile {
  const own: GatewayFlags = {
    ...flags,
    ...(scheduler !== undefined && { scheduler, peerScheduler: scheduler }),
    ...(paths !== undefined && { to: pathsOf(flags, paths) }),
  }
  const open = async (client: Client): Promise<() => void> => {
    profile.client = client
    return () => {
      profile.client = undefined
    }
  }
  const profile: Profile = {
    part: new ClientPart(own, { ports: [], more: { key: '', open } }, env),
    client: undefined,
  }
  return profile
}

/** @throws {CliError} EXIT_USAGE for a label that no path has */
function pathsOf({ to = [], allInterfaces }: GatewayFlags, labels: readonly string[]): PathPlace[] {
  if (allInterfaces !== undefined)
    throw usage('paths= of --match does not go with --all-interfaces', 'give --to HOST:PORT@INTERFACE')
  const placesOf = (label: string): PathPlace[] =>
    to.filter((place) => [labelOf(place), place.interfaceName, place.source].includes(label))
  const unknown = labels.find((label) => placesOf(label).length === 0)
  if (unknown !== undefined)
    throw usage(
      `no --to is called ${unknown}`,
      `paths= takes ${to.map(labelOf).join(', ') || 'labels of --to'}`,
    )
  return to.filter((place) => labels.some((label) => placesOf(label).includes(place)))
}
