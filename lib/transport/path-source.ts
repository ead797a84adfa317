// SPDX-License-Identifier: Apache-2.0
/** Paths that come and go: interfaces of this machine, addresses of a name. */
import type { SubflowDialer } from './transport.js'

/** The receiver of the reports of a source. */
export interface PathSourceListener {
  /** Adds a path. Labels are unique within a source; a label that is already known replaces its path. */
  add(path: SubflowDialer): void
  /** Removes the path with this label. */
  remove(label: string): void
  /** Reports that the search for paths failed. The source retries. */
  failed(error: Error): void
}

/** Reports the available paths to a `MultipathDialer`, which watches it while a dial is in progress or a connection lives. */
export interface PathSource {
  /**
   * Reports the present paths, soon but never from inside the call, and later changes, until the returned function is
   * called.
   */
  watch(listener: PathSourceListener): () => void
  /** Called when a path has failed: the source checks its paths at once. */
  check(): void
}
