// SPDX-License-Identifier: Apache-2.0
/** Opens sessions with `multipath serve`. */
import { Option } from 'commander'
import { capFilePath } from '../caps/cap-file.js'
import type { CliIo } from '../cli-io.js'
import type { CtlFlags } from '../ctl/offer.js'
import { CTL_OPTIONS, MONITOR_OPTION } from '../ctl/offer.js'
import type { Registry } from '../live/registry.js'
import { parseSeconds } from '../parse.js'
import type { TuningFlags } from '../tuning.js'
import { PEER_SCHEDULER_OPTION, TUNING_OPTIONS, tuningOf } from '../tuning.js'
import type { CommonFlags } from './common-options.js'
import { collect, COMMON_OPTIONS } from './common-options.js'
import type { Log } from './log.js'
import { parseInterfaceRules } from './interface-rules.js'
import { TLS_OPTIONS } from './path-dialers.js'
import { labelOf, parsePathPlace } from './path-place.js'
import { exposures, loadToken } from './secrets.js'
import { SessionDialer } from './session-dialer.js'
import type { PathFlags, SessionPaths } from './session-paths.js'
import { sessionPaths } from './session-paths.js'

/** Of a command that dials `multipath serve`. */
export interface ClientFlags extends CommonFlags, PathFlags, TuningFlags, CtlFlags {
  readonly wait: number
  readonly once?: true
  /** Of socks. */
  readonly loginFile?: string
}

const WAIT_MS = 10_000
/** Of the library. */
const MOST_COPIES = 7

/** For the description of the commands that have `--to`. */
export const PATH_SYNTAX =
  'A path is HOST:PORT[@ADDRESS|@INTERFACE][,NAME=VALUE]... It starts from that address, or from each address of that interface as they come and go. NAME is tier (primary, secondary, backup), weight, max-bytes (10GB, or 10GB/day and 10GB/month, which are remembered over restarts), max-rate (5Mbit), parallel (subflows), label, or via (a proxy: socks5://HOST:PORT, http://HOST:PORT); tls, ws and wss choose the transport. With parallel=1-8, the default on Linux, up to eight subflows open while packets are lost by chance.'

/** @param more - of the command; one that leaves the terminal alone can show the monitor there */
export const CLIENT_OPTIONS = (more: readonly Option[] = [MONITOR_OPTION()]): Option[] => [
  new Option(
    '--to <path>',
    'a path to multipath serve: HOST:PORT, with the additions below; may be repeated',
  ).argParser(collect(parsePathPlace)),
  new Option(
    '--all-interfaces [patterns]',
    'use paths from every usable address of this machine, and follow changes; patterns select interfaces: eth*,wwan*:tier=backup,!docker*',
  ).argParser(parseInterfaceRules),
  ...TLS_OPTIONS(),
  new Option('--wait <seconds>', 'time that a new stream waits while no path is up')
    .argParser(parseSeconds)
    .default(WAIT_MS, `${WAIT_MS / 1000}`),
  new Option('--once', 'exit with 1 if the session cannot be opened or is lost, instead of trying again'),
  ...TUNING_OPTIONS(),
  PEER_SCHEDULER_OPTION(),
  ...CTL_OPTIONS(),
  ...more,
  ...COMMON_OPTIONS(),
]

/** The flags of a command that dials, checked, and the files that they name. */
export interface SessionPlan {
  readonly plan: SessionPaths
  readonly token: Buffer | undefined
  /** Files with secrets that others may read. */
  readonly warnings: readonly string[]
}

/** @throws {CliError} EXIT_USAGE for flags that do not go together */
export function sessionPlan(flags: ClientFlags, env: CliIo['env']): SessionPlan {
  return {
    plan: sessionPaths(flags),
    token: loadToken(flags.tokenFile, env),
    warnings: exposures([flags.tokenFile, flags.tlsKey, flags.loginFile]),
  }
}

interface SessionNeeds {
  readonly io: CliIo
  readonly log: Log
  readonly registry: Registry
  /** Default: that of the flags. */
  readonly checked?: SessionPlan | undefined
}

/**
 * What opens sessions.
 *
 * @param maxStreams - of the other end
 * @throws {CliError} EXIT_USAGE for flags that do not go together
 */
export function sessionDialer(
  flags: ClientFlags,
  maxStreams: number,
  { io, log, registry, checked = sessionPlan(flags, io.env) }: SessionNeeds,
): SessionDialer {
  const { plan, token, warnings } = checked
  for (const warning of warnings) log.warn('exposed', warning)
  const destination = (flags.to ?? []).map(labelOf).join(', ')
  return new SessionDialer({
    destination,
    plan,
    token,
    maxStreams,
    registry,
    log,
    tuning: tuningOf(flags),
    peerScheduler: flags.peerScheduler,
    copies: flags.scheduler === 'redundant' ? MOST_COPIES : 0,
    capFile: capFilePath(io.env),
  })
}
