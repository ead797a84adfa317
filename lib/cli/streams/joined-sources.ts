// SPDX-License-Identifier: Apache-2.0
/** Several sources of paths, and paths that are always there, as one source. */
import type { PathSource, SubflowDialer } from '../../index.js'

export function joinedSources(fixed: readonly SubflowDialer[], sources: readonly PathSource[]): PathSource {
  return {
    watch: (listener) => {
      let isOver = false
      queueMicrotask(() => {
        for (const path of fixed) if (!isOver) listener.add(path)
      })
      const ends = sources.map((source) => source.watch(listener))
      return () => {
        isOver = true
        for (const end of ends) end()
      }
    },
    check: () => {
      for (const source of sources) source.check()
    },
  }
}
