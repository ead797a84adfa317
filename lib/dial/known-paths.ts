// SPDX-License-Identifier: Apache-2.0
/** The paths that a dialer knows: given, added later, or told of by sources that are watched while somebody needs them. */
import { callForeign } from '../stream/foreign.js'
import { toError } from '../errors.js'
import type { PathSource, PathSourceListener } from '../transport/path-source.js'
import type { SubflowDialer } from '../transport/transport.js'
import type { DialPath } from './dial-path.js'

/** A dial under way, or a live connection. */
export interface PathsUser {
  added(path: DialPath): void
  removed(path: DialPath): void
  /** A source could not look for paths; it tries again. */
  lookFailed?(error: Error): void
}

/** Paths that a source took back and may bring again: so many are remembered, with what they have spent. */
const MAX_REMEMBERED = 64

export class KnownPaths {
  readonly #make: (dialer: SubflowDialer) => DialPath
  readonly #sources: PathSource[]
  readonly #users = new Set<PathsUser>()
  #paths: readonly DialPath[] = []
  /** Those of sources, by label. */
  readonly #sourced = new Map<string, DialPath>()
  /** Of those, the ones that were told of since the sources were last watched. */
  readonly #confirmed = new Set<DialPath>()
  /** Taken back by their source, the oldest first. */
  readonly #remembered = new Map<string, DialPath>()
  /** One for each source, while they are watched. */
  #unwatches: (() => void)[] = []

  constructor(make: (dialer: SubflowDialer) => DialPath, sources: readonly PathSource[]) {
    this.#make = make
    this.#sources = [...sources]
  }

  /** More may come without anybody adding them. */
  get mayGrow(): boolean {
    return this.#sources.length > 0
  }

  get all(): readonly DialPath[] {
    return this.#paths
  }

  /** The first tier and in it the lowest RTT first. */
  sorted(): DialPath[] {
    return [...this.#paths].sort(
      (a, b) => a.policy.rank - b.policy.rank || a.record.orderMs - b.record.orderMs,
    )
  }

  labelled(label: string): DialPath[] {
    return this.#paths.filter((path) => path.label === label)
  }

  /** Tells `user` of changes until the returned function is called; meanwhile the sources are watched. */
  use(user: PathsUser): () => void {
    this.#users.add(user)
    if (this.#users.size === 1) for (const source of this.#sources) this.#watch(source)
    return () => {
      if (this.#users.delete(user) && this.#users.size === 0) this.#rest()
    }
  }

  add(dialer: SubflowDialer): void {
    this.#insert(this.#make(dialer))
  }

  /** Its paths come and go from now on. */
  addSource(source: PathSource): void {
    this.#sources.push(source)
    if (this.#users.size > 0) this.#watch(source)
  }

  /** @returns whether there was one */
  remove(label: string): boolean {
    const paths = this.labelled(label)
    for (const path of paths) this.#drop(path)
    this.#remembered.delete(label)
    return paths.length > 0
  }

  /** A path has failed: its source looks whether it is still there. */
  failed(path: DialPath): void {
    this.check()
    // It is from before its source was watched, and may be gone since.
    const isOld = this.#sourced.get(path.label) === path && !this.#confirmed.has(path)
    if (isOld && this.#unwatches.length > 0) this.#takeBack(path)
  }

  /** Asks the sources to look again at once. */
  check(): void {
    if (this.#unwatches.length === 0) return
    for (const source of this.#sources)
      callForeign(() => {
        source.check()
      })
  }

  #watch(source: PathSource): void {
    let isOver = false
    const listener: PathSourceListener = {
      add: (dialer) => {
        if (!isOver) this.#told(dialer)
      },
      remove: (label) => {
        const path = this.#sourced.get(label)
        if (!isOver && path !== undefined) this.#takeBack(path)
      },
      failed: (error) => {
        if (!isOver) for (const user of [...this.#users]) user.lookFailed?.(toError(error))
      },
    }
    let stop = (): void => {}
    this.#unwatches.push(() => {
      isOver = true
      callForeign(stop)
    })
    try {
      stop = source.watch(listener)
    } catch (error) {
      process.nextTick(() => {
        listener.failed(toError(error))
      })
    }
  }

  #rest(): void {
    this.#confirmed.clear()
    for (const unwatch of this.#unwatches.splice(0)) unwatch()
  }

  /** A path of a source: a new one, one that is back, or a known one, which may lead elsewhere now. */
  #told(dialer: SubflowDialer): void {
    const { label } = dialer
    const known = this.#sourced.get(label)
    // A path of the application's own by that name comes first.
    if (known === undefined && this.labelled(label).length > 0) return
    const path = known ?? this.#remembered.get(label) ?? this.#make(dialer)
    path.dialer = dialer
    this.#remembered.delete(label)
    this.#confirmed.add(path)
    if (known !== undefined) return
    this.#sourced.set(label, path)
    this.#insert(path)
  }

  #takeBack(path: DialPath): void {
    this.#drop(path)
    this.#remembered.set(path.label, path)
    const [oldest] = this.#remembered.keys()
    if (this.#remembered.size > MAX_REMEMBERED && oldest !== undefined) this.#remembered.delete(oldest)
  }

  #insert(path: DialPath): void {
    this.#paths = [...this.#paths, path]
    for (const user of [...this.#users]) user.added(path)
  }

  #drop(path: DialPath): void {
    this.#paths = this.#paths.filter((other) => other !== path)
    if (this.#sourced.get(path.label) === path) this.#sourced.delete(path.label)
    this.#confirmed.delete(path)
    for (const user of [...this.#users]) user.removed(path)
  }
}
