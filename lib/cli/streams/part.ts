// SPDX-License-Identifier: Apache-2.0
/** A serve, forward or socks that runs, alone or as a part of `up`. Whoever has made one has checked its flags. */
import type { HostPort } from '../parse.js'
import type { Stage } from './stage.js'
import { tellReady } from './tell-ready.js'

export interface Part<Self> {
  /** Where it listens: addresses with their ports. */
  readonly places: readonly HostPort[]
  /**
   * Runs until the signal of its stage.
   *
   * @param onReady - its ports are open
   * @throws {CliError}
   */
  run(stage: Stage, onReady: () => void): Promise<void>
  /**
   * Changes a running part to what `next` was made with, which does not run. Open streams stay open.
   *
   * @returns options that have changed and need a new start
   */
  change(next: Self): Promise<string[]>
}

/** Runs it as a command of its own. @throws {CliError} */
export async function runAlone<Self>(part: Part<Self>, stage: Stage): Promise<void> {
  await part.run(stage, () => tellReady(stage))
}
