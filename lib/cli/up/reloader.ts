// SPDX-License-Identifier: Apache-2.0
/** Brings changes of the file into parts that run. */
import { oneLine } from '../cli-error.js'
import type { CliIo } from '../cli-io.js'
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
}

export class Reloader {
  readonly #init: ReloaderInit
  readonly #running: readonly Running[]
  #last: Promise<void> = Promise.resolve()

  constructor(init: ReloaderInit) {
    this.#init = init
    this.#running = init.config.parts.map((made) => ({ made, values: new Map(made.values) }))
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
    const coming = new Map(next.parts.map((part) => [part.name, part]))
    for (const running of this.#running) {
      const { name } = running.made
      const to = coming.get(name)
      coming.delete(name)
      if (to === undefined) left.push(`${name} is missing`)
      else left.push(...(await change(running, to)).map((key) => `${name}: ${key}`))
    }
    left.push(...[...coming.keys()].map((name) => `${name} is new`))
    log.info('reloaded', `${file} is read again`, { place })
    if (left.length > 0)
      log.warn('restart-needed', `changes that need a new start: ${left.join(', ')}`, { place })
  }
}

/** @returns the keys whose changes need a new start */
async function change({ made, values }: Running, next: ConfigPart): Promise<string[]> {
  const { reloadable } = made.section
  const changed = changedKeys(values, next.values)
  const fixed = changed.filter((key) => !reloadable.includes(key))
  // A section has one kind of part.
  const left = await (made.part as Part<unknown>).change(next.part)
  const kept = new Set([...fixed, ...left.filter((key) => key !== 'to' || changed.includes(key))])
  for (const key of changed) {
    const value = next.values.get(key)
    if (kept.has(key)) continue
    if (value === undefined) values.delete(key)
    else values.set(key, value)
  }
  return [...kept]
}

function changedKeys(before: Values, after: Values): string[] {
  const keys = new Set([...before.keys(), ...after.keys()])
  return [...keys].filter((key) => JSON.stringify(before.get(key)) !== JSON.stringify(after.get(key)))
}
