// SPDX-License-Identifier: Apache-2.0
/** Brings changes of the file into parts that run. */
import { oneLine } from '../cli-error.js'
import type { CliIo } from '../cli-io.js'
import { formatHostPort } from '../parse.js'
import type { Log } from '../streams/log.js'
import type { Part } from '../streams/part.js'
import type { Config, ConfigPart } from './read-config.js'
import { ConfigError, readConfig } from './read-config.js'
import type { Value, Values } from './sections.js'

export interface ReloaderInit {
  readonly file: string
  /** What runs. */
  readonly config: Config
  readonly env: CliIo['env']
  readonly log: Log
}

/** A part that runs, and the values that it runs with. */
interface Running {
  readonly made: ConfigPart
  readonly values: Map<string, Value>
  /** Where it listens. */
  places: readonly string[]
}

export class Reloader {
  readonly #init: ReloaderInit
  readonly #running: readonly Running[]
  #last: Promise<void> = Promise.resolve()

  constructor(init: ReloaderInit) {
    this.#init = init
    this.#running = init.config.parts.map((made) => ({
      ...{ made, values: new Map(made.values), places: placesOf(made.part) },
    }))
  }

  /** Once those that were asked for before are done. */
  reload(): void {
    this.#last = this.#last.then(() => this.#reload())
  }

  /** Never rejects. */
  async #reload(): Promise<void> {
    const { file, config, env, log } = this.#init
    const place = file
    let next: Config
    try {
      next = readConfig(file, env)
    } catch (error) {
      const problems = error instanceof ConfigError ? error.problems : [oneLine(error)]
      for (const problem of problems) log.warn('reload-failed', `nothing is changed: ${problem}`, { place })
      return
    }
    const left = changedKeys(config.values, next.values)
    const coming = new Set(next.parts)
    const pairs = pairsOf(this.#running, coming)
    for (const running of this.#running) {
      const { name } = running.made
      const to = pairs.get(running)
      if (to === undefined) left.push(`${name} is missing`)
      else left.push(...(await change(running, to)).map((key) => `${name}: ${key}`))
    }
    left.push(...[...coming].map(({ name }) => `${name} is new`))
    log.info('reloaded', `${file} is read again`, { place })
    if (left.length > 0)
      log.warn('restart-needed', `changes that need a new start: ${left.join(', ')}`, { place })
  }
}

/**
 * Options that decide who can connect, and with which credentials. When a change to one of them needs a new start, the
 * rest of the part waits for it, too: half of a change may grant more than either version of the file.
 */
const DECISIVE: readonly string[] = ['listen', 'port', 'token-file']
/** Whether a part of the file may be what runs: each is looked for by these, in turn. */
const KINSHIPS: readonly ((running: Running, part: ConfigPart) => boolean)[] = [
  ({ values }, part) => changedKeys(values, part.values).length === 0,
  ({ places }, { part }) => placesOf(part).some((place) => places.includes(place)),
  ({ made }, { name }) => made.name === name,
]

/** Ports by which a part is known again, wherever in the file it stands. */
function placesOf({ places }: ConfigPart['part']): string[] {
  return places.filter(({ port }) => port !== 0).map(formatHostPort)
}

/** @param coming - without those that have been found, afterwards */
function pairsOf(all: readonly Running[], coming: Set<ConfigPart>): Map<Running, ConfigPart> {
  const pairs = new Map<Running, ConfigPart>()
  const pair = (running: Running, part: ConfigPart): void => {
    pairs.set(running, part)
    coming.delete(part)
  }
  const partsFor = ({ made }: Running): ConfigPart[] =>
    [...coming].filter(({ section }) => section.name === made.section.name)
  for (const isKin of KINSHIPS)
    for (const running of all) {
      const found = pairs.has(running) ? undefined : partsFor(running).find((part) => isKin(running, part))
      if (found !== undefined) pair(running, found)
    }
  // The only one of its kind that is left on both sides.
  const left = all.filter((running) => !pairs.has(running))
  for (const running of left) {
    const parts = partsFor(running)
    const isOnly = left.filter(({ made }) => made.section.name === running.made.section.name).length === 1
    if (isOnly && parts.length === 1) pair(running, parts[0]!)
  }
  return pairs
}

/** @returns the keys whose changes need a new start */
async function change(running: Running, next: ConfigPart): Promise<string[]> {
  const { made, values } = running
  const { reloadable } = made.section
  const changed = changedKeys(values, next.values)
  const fixed = changed.filter((key) => !reloadable.includes(key))
  if (fixed.some((key) => DECISIVE.includes(key))) return changed
  // A section has one kind of part.
  const left = await (made.part as Part<unknown>).change(next.part)
  const kept = new Set([...fixed, ...left.filter((key) => key !== 'to' || changed.includes(key))])
  for (const key of changed) {
    const value = next.values.get(key)
    if (kept.has(key)) continue
    if (value === undefined) values.delete(key)
    else values.set(key, value)
  }
  if (!['local', 'listen', 'port'].some((key) => kept.has(key))) running.places = placesOf(next.part)
  return [...kept]
}

function changedKeys(before: Values, after: Values): string[] {
  const keys = new Set([...before.keys(), ...after.keys()])
  return [...keys].filter((key) => JSON.stringify(before.get(key)) !== JSON.stringify(after.get(key)))
}
