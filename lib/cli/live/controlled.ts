// SPDX-License-Identifier: Apache-2.0
/** A running command, as those who watch and steer it see it. */
import type { MultipathDialer, PathSource, SubflowDialer } from '../../index.js'
import type { Log } from '../streams/log.js'
import type { OpenStreams } from './open-streams.js'
import type { Registry } from './registry.js'

export interface Controlled {
  /** `forward`, `serve`, … */
  readonly command: string
  /** `forward-1234` */
  readonly name: string
  /** In the time of `performance.now()`. */
  readonly startedAt: number
  readonly registry: Registry
  readonly log: Log
  /** Of a command that dials. */
  readonly dialer?: MultipathDialer | undefined
  /** Makes paths of what `--to` takes. @throws {Error} with what is wrong */
  readonly pathsOf?: ((text: string) => readonly SubflowDialer[] | PathSource) | undefined
  readonly streams?: OpenStreams | undefined
  /** Ends the command as a signal does, or as a second one. */
  readonly stop: (isAtOnce: boolean) => void
}
