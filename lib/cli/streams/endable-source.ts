// SPDX-License-Identifier: Apache-2.0
/** A source of paths that can be given up for good, while its dialer goes on. */
import type { PathSource } from '../../index.js'

type Listener = Parameters<PathSource['watch']>[0]

export class EndableSource implements PathSource {
  readonly #source: PathSource
  readonly #labels = new Set<string>()
  #isOver = false
  #unwatch: (() => void) | undefined

  constructor(source: PathSource) {
    this.#source = source
  }

  watch(listener: Listener): () => void {
    if (this.#isOver) return () => {}
    const unwatch = this.#source.watch({
      add: (path) => {
        if (this.#isOver) return
        this.#labels.add(path.label)
        listener.add(path)
      },
      remove: (label) => {
        if (this.#isOver) return
        this.#labels.delete(label)
        listener.remove(label)
      },
      failed: (error) => {
        if (!this.#isOver) listener.failed(error)
      },
    })
    this.#unwatch = unwatch
    return unwatch
  }

  check(): void {
    if (!this.#isOver) this.#source.check()
  }

  /** It tells of nothing any more. @returns the labels of the paths that it has told of, which are its dialer's to remove */
  end(): readonly string[] {
    this.#isOver = true
    this.#unwatch?.()
    return [...this.#labels]
  }
}
