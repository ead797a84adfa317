// SPDX-License-Identifier: Apache-2.0
/** Opens the socket of a command, if it can be opened: without one, the command works all the same. */
import { Option } from 'commander'
import type { CliIo } from '../cli-io.js'
import type { Controlled } from '../live/controlled.js'
import { CtlServer } from './ctl-server.js'
import { ownPlace } from './socket-place.js'

export interface CtlFlags {
  readonly ctl: boolean
}

export const CTL_OPTIONS = (): Option[] => [
  new Option('--no-ctl', 'do not open the socket for multipath status, ctl and monitor'),
]

/** @returns what closes it */
export async function offerCtl(
  { ctl }: CtlFlags,
  controlled: Omit<Controlled, 'name' | 'stop' | 'startedAt'>,
  io: CliIo,
): Promise<() => void> {
  if (!ctl) return () => {}
  try {
    const place = ownPlace(controlled.command, io.env)
    const server = await CtlServer.listen(
      {
        ...controlled,
        name: place.name,
        startedAt: performance.now(),
        stop: (isAtOnce) => io.stop(isAtOnce),
      },
      place.path,
    )
    return () => server.close()
  } catch (error) {
    controlled.log.warn('ctl-failed', `cannot open the control socket: ${(error as Error).message}`)
    return () => {}
  }
}
