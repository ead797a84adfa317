// SPDX-License-Identifier: Apache-2.0
/** A running command, as those who watch and steer it see it. */
import type { MultipathDialer, PathSource, SubflowDialer } from '../../index.js'
import type { Log } from '../streams/log.js'
import type { OpenStreams } from './open-streams.js'
import type { Registry } from './registry.js'

/** The sessions of one serve, forward, socks, run or nc. */
export interface ControlledPart {
  /** `forward 2`, where the process has other parts. */
  readonly part?: string | undefined
  readonly registry: Registry
  /** Of a command that dials. */
  readonly dialer?: MultipathDialer | undefined
  /** Makes paths of what `--to` takes. @throws {Error} with what is wrong */
  readonly pathsOf?: ((text: string) => readonly SubflowDialer[] | PathSource) | undefined
  readonly streams?: OpenStreams | undefined
}

export interface Controlled {
  /** `forward`, `serve`, … */
  readonly command: string
  /** `forward-1234` */
  readonly name: string
  /** In the time of `performance.now()`. */
  readonly startedAt: number
  readonly log: Log
  /** One, or those of the file of `up`, which come while it starts. */
  readonly parts: readonly ControlledPart[]
  /** Ends the command as a signal does, or as a second one. */
  readonly stop: (isAtOnce: boolean) => void
}
