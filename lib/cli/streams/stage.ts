// SPDX-License-Identifier: Apache-2.0
/** What a command that runs for long has around it: a process of its own, or one that it shares with other parts of `up`. */
import type { CliIo } from '../cli-io.js'
import type { CtlFlags } from '../ctl/offer.js'
import { offerCtl } from '../ctl/offer.js'
import type { ControlledPart } from '../live/controlled.js'
import type { CommonFlags } from './common-options.js'
import type { LogOptions } from './log.js'
import { Log } from './log.js'

export interface Stage {
  readonly io: CliIo
  readonly log: Log
  /** Aborted when the command has to end; its reason is a CliError with the exit code. */
  readonly signal: AbortSignal
  /**
   * Shows what runs to status, ctl and the monitor, to metrics and the page. A command with several sessions calls it for each.
   *
   * @returns what ends that
   * @throws {CliError} where a port for them cannot be opened
   */
  readonly offer: (part: ControlledPart) => Promise<() => void>
}

type StageFlags = Pick<CommonFlags, 'json' | 'verbose'> & CtlFlags

/** That of a command which has its process for itself. */
export function ownStage(
  command: string,
  flags: StageFlags,
  io: CliIo,
  options?: Pick<LogOptions, 'isTerse'>,
): Stage {
  const log = new Log(io, { isJson: flags.json ?? false, isVerbose: flags.verbose ?? false, ...options })
  const parts: ControlledPart[] = []
  let opened: Promise<() => void> | undefined
  const offer: Stage['offer'] = async (part) => {
    parts.push(part)
    opened ??= offerCtl(flags, { command, log, parts }, io)
    const close = await opened
    return () => {
      parts.splice(parts.indexOf(part), 1)
      if (parts.length === 0) close()
    }
  }
  return { io, log, signal: io.signal, offer }
}
