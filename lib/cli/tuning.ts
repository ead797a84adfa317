// SPDX-License-Identifier: Apache-2.0
/** Options of the connection that every command takes. */
import { InvalidArgumentError, Option } from 'commander'
import type { ConnOptions, SchedulerName } from '../index.js'
import { schedulers } from '../index.js'
import { parseCount, parseSeconds } from './parse.js'

/** Times are milliseconds. */
export interface TuningFlags {
  readonly scheduler: SchedulerName
  /** Of a side that dials. */
  readonly peerScheduler?: SchedulerName
  readonly suspectMs?: number
  readonly deadMs?: number
  readonly keepAliveMs?: number
  readonly hold?: number
}

/** The library checks their ranges; this only keeps out what is no number. */
const MOST = 3_600_000

export const TUNING_OPTIONS = (): Option[] => [
  new Option('--scheduler <name>', 'scheduler for the data that this side sends')
    .choices(Object.keys(schedulers))
    .default('lowest-rtt'),
  new Option(
    '--suspect-ms <n>',
    'a path that owes an answer for longer than this, beyond its round-trip time, is suspect (default: 60)',
  ).argParser(parseCount(MOST)),
  new Option(
    '--dead-ms <n>',
    'a suspect path is given up and dialled again after this time (default: 10000)',
  ).argParser(parseCount(MOST)),
  new Option(
    '--keep-alive-ms <n>',
    'interval between the pings of an idle path: a shorter one finds dead paths earlier (default: 15000)',
  ).argParser(parseCount(MOST)),
  new Option(
    '--hold <seconds>',
    'how long to keep a connection that has no path at the moment (default: 120)',
  ).argParser(parseHold),
]

/** Of commands that dial. */
export const PEER_SCHEDULER_OPTION = (): Option =>
  new Option(
    '--peer-scheduler <name>',
    'scheduler for the data that the other side sends, if that is multipath-net of this version and allows it',
  ).choices(Object.keys(schedulers))

const MOST_HOLD_SECONDS = 86_400

function parseHold(text: string): number {
  const ms = parseSeconds(text)
  if (ms > 1000 * MOST_HOLD_SECONDS)
    throw new InvalidArgumentError(`It must be a number of seconds from 0 to ${MOST_HOLD_SECONDS}.`)
  return ms
}

export function tuningOf({ suspectMs, deadMs, keepAliveMs, hold }: TuningFlags): ConnOptions {
  return {
    ...(suspectMs !== undefined && { suspectMs }),
    ...(deadMs !== undefined && { deadMs }),
    ...(keepAliveMs !== undefined && { keepAliveMs }),
    ...(hold !== undefined && { holdMs: hold }),
  }
}
