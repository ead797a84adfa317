// SPDX-License-Identifier: Apache-2.0
/** What `multipath nc` was asked to do, checked as a whole. */
import type { AcceptedPeer, ConnOptions, Family, SchedulerName } from '../index.js'
import { CliError } from './cli-error.js'
import type { CtlFlags } from './ctl/offer.js'
import { EXIT_USAGE } from './exit-codes.js'
import type { HostPort } from './parse.js'
import { familyOf } from './parse.js'
import { exposures, loadToken } from './streams/secrets.js'
import type { TlsFlags } from './streams/path-dialers.js'
import type { PathPlace } from './streams/path-place.js'
import { labelOf } from './streams/path-place.js'
import type { ServerTls } from './streams/serve-options.js'
import { serverTls } from './streams/serve-options.js'
import type { TuningFlags } from './tuning.js'
import { tuningOf } from './tuning.js'

/** As the parser gives them. Times are milliseconds. */
export interface NcFlags extends TuningFlags, CtlFlags, TlsFlags {
  readonly keepOpen?: true
  readonly tokenFile?: string
  readonly tlsClientCa?: string
  readonly listen?: true
  readonly port?: number
  readonly ipv4?: true
  readonly ipv6?: true
  readonly autoDetect: boolean
  readonly multiplier?: number
  readonly idleTimeout?: number
  readonly quitAfter: number
  readonly benchmark?: true
  readonly exec?: string
  readonly relay?: HostPort
  readonly peer?: AcceptedPeer
  readonly verbose?: true
  readonly json?: true
  readonly quiet?: true
}

type Environment = Readonly<Record<string, string | undefined>>

interface NcCommon {
  readonly family: Family
  /** Every local address is a path of its own. */
  readonly isAutoBound: boolean
  /** 0: no limit. */
  readonly idleMs: number
  /** How long a peer that cannot be told of the end of input must be quiet before all is closed. */
  readonly quietMs: number
  readonly isBenchmark: boolean
  readonly peer: AcceptedPeer
  readonly tuning: ConnOptions
  /** Both ends prove that they know it. */
  readonly token: Buffer | undefined
  /** Files with secrets that others may read. */
  readonly warnings: readonly string[]
  readonly scheduler: SchedulerName
  readonly ctl: boolean
  readonly metrics: HostPort | undefined
  readonly web: HostPort | undefined
  readonly webTokenFile: string | undefined
  readonly isVerbose: boolean
  readonly isJson: boolean
  /** Nothing but failures is reported. */
  readonly isQuiet: boolean
}

export interface NcDial extends NcCommon {
  readonly mode: 'dial'
  readonly targets: readonly PathPlace[]
  readonly tls: TlsFlags
  /** Subflows for each pair of addresses. */
  readonly multiplier: number
  readonly peerScheduler: SchedulerName | undefined
}

export interface NcListen extends NcCommon {
  readonly mode: 'listen'
  /** 0: any free one. */
  readonly port: number
  readonly serverTls: ServerTls | undefined
  /** Many connections, until a signal. */
  readonly isKeptOpen: boolean
  readonly exec: string | undefined
  readonly relay: HostPort | undefined
}

export type NcOptions = NcDial | NcListen

/** @throws {CliError} EXIT_USAGE for what does not go together */
export function ncOptions(targets: readonly PathPlace[], flags: NcFlags, env: Environment = {}): NcOptions {
  refuseConflicts(targets, flags)
  const common = commonOf(flags, env)
  if (flags.listen)
    return {
      ...{ ...common, mode: 'listen', port: flags.port ?? 0, exec: flags.exec, relay: flags.relay },
      ...{ serverTls: serverTls(flags), isKeptOpen: flags.keepOpen ?? false },
    }
  const { multiplier = 1, peerScheduler } = flags
  return { ...common, mode: 'dial', targets, tls: flags, multiplier, peerScheduler }
}

function commonOf(flags: NcFlags, env: Environment): NcCommon {
  return {
    family: familyOf(flags),
    isAutoBound: flags.autoDetect,
    idleMs: flags.idleTimeout ?? 0,
    quietMs: flags.quitAfter,
    isBenchmark: flags.benchmark ?? false,
    peer: flags.peer ?? 'any',
    tuning: tuningOf(flags),
    token: loadToken(flags.tokenFile, env),
    warnings: exposures([flags.tokenFile, flags.tlsKey]),
    scheduler: flags.scheduler,
    ctl: flags.ctl,
    metrics: flags.metrics,
    web: flags.web,
    webTokenFile: flags.webTokenFile,
    isVerbose: flags.verbose ?? false,
    isJson: flags.json ?? false,
    isQuiet: flags.quiet ?? false,
  }
}

/** Flags of one side. */
function refuseWrongSide(flags: NcFlags): void {
  const { listen, tls, tlsCa, tlsFingerprint, tlsName, tlsClientCa, tlsCert, keepOpen } = flags
  if (listen) {
    const isClients = tls !== undefined || (tlsCa ?? tlsFingerprint ?? tlsName) !== undefined
    refuseIf(isClients, '--tls, --tls-ca, --tls-fingerprint and --tls-name are for the side that dials')
    refuseIf(
      tlsClientCa !== undefined && tlsCert === undefined,
      '--tls-client-ca needs --tls-cert and --tls-key',
    )
    const isAlone = (flags.exec ?? flags.relay) === undefined
    refuseIf(keepOpen && isAlone, '--keep-open needs --exec or --relay: standard input cannot be shared')
    return
  }
  refuseIf(tlsClientCa !== undefined, '--tls-client-ca needs --listen')
  refuseIf(keepOpen, '--keep-open needs --listen')
}

function refuseConflicts(targets: readonly PathPlace[], flags: NcFlags): void {
  const { listen, benchmark, exec, relay } = flags
  refuseIf(flags.ipv4 && flags.ipv6, '-4 and -6 cannot be combined')
  refuseWrongSide(flags)
  const renewed = targets.find(({ period }) => period !== undefined)
  refuseIf(
    renewed !== undefined,
    `${renewed && labelOf(renewed)}: caps of a day or a month are for forward and socks`,
  )
  const uses = [benchmark && '--benchmark', exec !== undefined && '--exec', relay !== undefined && '--relay']
  const chosen = uses.filter((use) => typeof use === 'string')
  refuseIf(chosen.length > 1, `${chosen.join(' and ')} cannot be combined`)
  if (listen) {
    refuseIf(
      targets.length > 0,
      '--listen does not take HOST:PORT: the peers dial',
      'choose the port with -p PORT',
    )
    refuseIf(flags.multiplier !== undefined, '--multiplier cannot be used with --listen')
    refuseIf(flags.peerScheduler !== undefined, '--peer-scheduler cannot be used with --listen')
    return
  }
  refuseIf(flags.port !== undefined, '--port needs --listen', 'to dial, write HOST:PORT')
  refuseIf(exec !== undefined, '--exec needs --listen')
  refuseIf(relay !== undefined, '--relay needs --listen')
  refuseIf(targets.length === 0, 'no target to connect to', 'give HOST:PORT, one for each path, or --listen')
}

function refuseIf(isWrong: boolean | undefined, message: string, hint = 'see: multipath nc --help'): void {
  if (isWrong) throw new CliError(message, { exitCode: EXIT_USAGE, hint })
}
