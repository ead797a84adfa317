// SPDX-License-Identifier: Apache-2.0
/** Finds paths by itself: every usable address of this machine to every address of the peer, for as long as it is watched. */
import { networkInterfaces } from 'node:os'
import type { Millis } from '../clock.js'
import { MultipathError, toError } from '../errors.js'
import type { PathSource, PathSourceListener } from '../transport/path-source.js'
import { addressPairs } from './address-pairs.js'
import { Alarm } from './alarm.js'
import type { InterfacePathsOptions, Settings } from './interface-paths-options.js'
import { resolveInterfacePathsOptions } from './interface-paths-options.js'
import type { Interfaces, LocalAddress } from './local-addresses.js'
import { Lookups } from './lookups.js'
import { PathSet } from './path-set.js'
import { Problems } from './problems.js'
import { TargetAddresses } from './target-addresses.js'

/**
 * Paths from each usable address of this machine to each address of the peer, for `new MultipathDialer(destination,
 * interfacePaths({ host, port }))`. While the dialer has a connection, paths are added and removed as interfaces and
 * addresses appear and disappear: docs/paths.md.
 *
 * @throws {OptionError}
 */
export function interfacePaths(options: InterfacePathsOptions): PathSource {
  return new InterfacePaths(resolveInterfacePathsOptions(options), networkInterfaces)
}

/** From one look at the interfaces to the next at least, milliseconds, however many paths fail at once. */
const GAP_MS = 250

interface Watcher {
  readonly listener: PathSourceListener
}

/** What it knows outlives its watchers: the next one is told of it at once. */
export class InterfacePaths implements PathSource {
  readonly #settings: Settings
  readonly #interfaces: () => Interfaces
  readonly #watchers = new Set<Watcher>()
  readonly #targets: readonly TargetAddresses[]
  readonly #problems: Problems
  readonly #paths: PathSet
  readonly #lookups: Lookups
  readonly #poll: Alarm
  #locals: readonly LocalAddress[] = []
  #scannedAt: Millis = -Infinity

  /** @param interfaces - as `networkInterfaces` of `node:os` */
  constructor(settings: Settings, interfaces: () => Interfaces) {
    const { targets, family, maxPaths, makeDialer, lookup, clock, resolveMs } = settings
    this.#settings = settings
    this.#interfaces = interfaces
    this.#targets = targets.map((target) => new TargetAddresses(target, family, maxPaths))
    this.#problems = new Problems((error) => this.#tell((listener) => listener.failed(error)))
    const problems = this.#problems
    this.#paths = new PathSet({
      ...{ make: makeDialer, maxPaths, problems },
      onAdd: (path) => this.#tell((listener) => listener.add(path)),
      onRemove: (label) => this.#tell((listener) => listener.remove(label)),
    })
    const onAnswer = (): void => this.#update()
    this.#lookups = new Lookups({ targets: this.#targets, lookup, clock, resolveMs, problems, onAnswer })
    this.#poll = new Alarm(clock, () => this.#scan())
  }

  watch(listener: PathSourceListener): () => void {
    const watcher: Watcher = { listener }
    let isOver = false
    queueMicrotask(() => {
      if (!isOver) this.#join(watcher)
    })
    return () => {
      isOver = true
      if (this.#watchers.delete(watcher) && this.#watchers.size === 0) this.#stop()
    }
  }

  check(): void {
    if (this.#watchers.size === 0) return
    if (this.#settings.selector !== undefined)
      this.#poll.noLaterThan(Math.max(this.#settings.clock.now(), this.#scannedAt + GAP_MS))
    this.#lookups.soon()
  }

  #join(watcher: Watcher): void {
    const before = this.#paths.paths
    const isFirst = this.#watchers.size === 0
    if (isFirst) this.#scan()
    this.#watchers.add(watcher)
    const tell = (what: (listener: PathSourceListener) => void): void => {
      if (this.#watchers.has(watcher)) what(watcher.listener)
    }
    const now = this.#paths.paths
    for (const path of now) tell((listener) => listener.add(path))
    // Whoever watched before may know of paths that went in the meantime.
    for (const path of before) if (!now.includes(path)) tell((listener) => listener.remove(path.label))
    for (const problem of this.#problems.all) tell((listener) => listener.failed(problem))
    if (isFirst && this.#watchers.has(watcher)) this.#lookups.start()
  }

  #stop(): void {
    this.#poll.set(Infinity)
    this.#lookups.stop()
    this.#problems.clear()
  }

  #scan(): void {
    const { clock, selector, pollMs } = this.#settings
    if (selector !== undefined) {
      this.#scannedAt = clock.now()
      this.#poll.set(this.#scannedAt + pollMs)
      try {
        const locals = selector.forPaths(this.#interfaces())
        // Another network may have another answer to the same question.
        if (JSON.stringify(locals) !== JSON.stringify(this.#locals)) this.#lookups.soon()
        this.#locals = locals
        this.#problems.settle('interfaces')
      } catch (error) {
        const message = `cannot list the interfaces of this machine: ${toError(error).message}`
        this.#problems.raise(
          'interfaces',
          new MultipathError('ERR_MULTIPATH_NO_PATH', message, { cause: error }),
        )
      }
    }
    this.#update()
  }

  #update(): void {
    const { selector, multiplier, pairing } = this.#settings
    const targets = this.#targets.flatMap(({ addresses }) => addresses)
    const pairs = addressPairs({
      ...{ targets, multiplier, pairing },
      locals: selector && this.#locals,
      useVirtual: selector?.useVirtual ?? true,
    })
    this.#paths.update(pairs)
    if (pairs.length > 0 || targets.length === 0) this.#problems.settle('pairs')
    else if (this.#lookups.isComplete)
      this.#problems.raise('pairs', noPair(targets.map(({ target }) => target)))
  }

  #tell(what: (listener: PathSourceListener) => void): void {
    for (const watcher of [...this.#watchers]) if (this.#watchers.has(watcher)) what(watcher.listener)
  }
}

function noPair(targets: readonly string[]): MultipathError {
  const names = [...new Set(targets)].join(', ')
  return new MultipathError('ERR_MULTIPATH_NO_PATH', `no address of this machine can reach ${names}`)
}
