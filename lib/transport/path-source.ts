// SPDX-License-Identifier: Apache-2.0
/** Paths that come and go: interfaces of this machine, addresses of a name. */
import type { SubflowDialer } from './transport.js'

/** Who is told of the paths of a source. */
export interface PathSourceListener {
  /** A path is there. Labels are unique within a source; a known label anew: the path leads elsewhere now. */
  add(path: SubflowDialer): void
  /** It is gone. */
  remove(label: string): void
  /** Looking for paths failed; it will be tried again. */
  failed(error: Error): void
}

/** Tells a `MultipathDialer` which paths there are. It is watched while a dial is under way or a connection lives. */
export interface PathSource {
  /** Tells of the paths there are (soon, never from inside the call), and of changes, until the returned function is called. */
  watch(listener: PathSourceListener): () => void
  /** A path has failed: look again at once. */
  check(): void
}
