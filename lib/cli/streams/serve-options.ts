// SPDX-License-Identifier: Apache-2.0
/** What `multipath serve` was asked to do, checked as a whole. */
import { networkInterfaces } from 'node:os'
import type { CtlFlags } from '../ctl/offer.js'
import type { TuningFlags } from '../tuning.js'
import type { HostPort } from '../parse.js'
import { formatHostPort } from '../parse.js'
import type { AllowedPlace, AllowRule } from './allow-list.js'
import { AllowList } from './allow-list.js'
import type { CommonFlags } from './common-options.js'
import { isLoopback } from './host.js'
import { exposures, loadToken } from './secrets.js'
import type { Range } from './special-ranges.js'
import type { Certificate, CertificateFlags } from './tls-files.js'
import { loadAuthority, loadCertificate } from './tls-files.js'
import { usage } from './usage.js'

/** As the parser gives them. Times are milliseconds. */
export interface ServeFlags extends CommonFlags, CertificateFlags, TuningFlags, CtlFlags {
  readonly listen?: readonly ListenPlace[]
  readonly allow?: readonly AllowedPlace[]
  readonly allowSocks?: readonly AllowRule[]
  readonly allowPrivate?: readonly Range[]
  readonly allowRemote?: readonly HostPort[]
  readonly tlsClientCa?: string
  readonly insecure?: true
  readonly maxSessions: number
  readonly connectTimeout: number
  readonly speed: boolean
}

/** `host` is `undefined` for every address. */
export interface ListenPlace {
  readonly host: string | undefined
  readonly port: number
}

/** Options of a `tls.Server`. With `ca` it takes only clients for whose certificate that vouches. */
export interface ServerTls extends Certificate {
  readonly ca?: Buffer
  readonly requestCert?: true
  readonly rejectUnauthorized?: true
}

export interface ServeOptions {
  readonly places: readonly ListenPlace[]
  readonly allow: AllowList
  /** What may be reached over UDP. */
  readonly allowUdp: AllowList
  readonly remote: readonly HostPort[]
  readonly tls: ServerTls | undefined
  readonly token: Buffer | undefined
  /** What the operator should know, although it was asked for. */
  readonly warnings: readonly string[]
}

/**
 * @param isForMeasuring - it gives access to no target
 * @throws {CliError} EXIT_USAGE
 */
export function serveOptions(
  flags: ServeFlags,
  env: NodeJS.ProcessEnv,
  isForMeasuring = false,
): ServeOptions {
  const { places, allow, allowSocks, allowPrivate, remote } = listsOf(flags)
  if (places.length === 0)
    throw usage('no address to listen on', 'give --listen [HOST:]PORT, once for each path')
  if (!isForMeasuring && allow.length + allowSocks.length + remote.length === 0)
    throw usage('no target is allowed', 'give --allow HOST:PORT, --allow-socks RULE or --allow-remote PORT')
  const lists = allowLists(allow, allowSocks, allowPrivate)
  const tls = serverTls(flags)
  const token = loadToken(flags.tokenFile, env)
  const open = isForMeasuring ? undefined : openPlace(places)
  if (open !== undefined) refuseUnprotected(open, tls !== undefined || token !== undefined || flags.insecure)
  return {
    places,
    ...lists,
    remote,
    tls,
    token,
    warnings: [
      ...(open === undefined
        ? []
        : warningsOf(tls !== undefined, token !== undefined || tls?.ca !== undefined)),
      ...exposures([flags.tokenFile, flags.tlsKey]),
    ],
  }
}

type Rule = AllowedPlace | AllowRule
const isOfUdp = ({ protocol }: Rule): boolean => protocol === 'udp'
const isOfTcp = (rule: Rule): boolean => !isOfUdp(rule)

/** @throws {CliError} EXIT_USAGE */
function allowLists(
  places: readonly AllowedPlace[],
  rules: readonly AllowRule[],
  privateRanges: readonly Range[],
): Pick<ServeOptions, 'allow' | 'allowUdp'> {
  const listOf = (isWanted: (rule: Rule) => boolean): AllowList => {
    const wanted = places.filter(isWanted)
    refuseDoubledNames(wanted)
    return new AllowList({ places: wanted, rules: rules.filter(isWanted), privateRanges, isOwn })
  }
  return { allow: listOf(isOfTcp), allowUdp: listOf(isOfUdp) }
}

/** One that other machines can reach. */
function openPlace(places: readonly ListenPlace[]): ListenPlace | undefined {
  return places.find(({ host }) => host === undefined || !isLoopback(host))
}

/** @throws {CliError} EXIT_USAGE */
function refuseUnprotected(open: ListenPlace, isProtected: boolean | undefined): void {
  if (isProtected !== true)
    throw usage(
      `${formatPlace(open)} can be reached by other machines, and neither TLS nor a token is configured`,
      'give --token-file and --tls-cert with --tls-key, or --insecure to allow this',
    )
}

function listsOf(flags: ServeFlags): {
  readonly places: readonly ListenPlace[]
  readonly allow: readonly AllowedPlace[]
  readonly allowSocks: readonly AllowRule[]
  readonly allowPrivate: readonly Range[]
  readonly remote: readonly HostPort[]
} {
  return {
    places: flags.listen ?? [],
    allow: flags.allow ?? [],
    allowSocks: flags.allowSocks ?? [],
    allowPrivate: flags.allowPrivate ?? [],
    remote: flags.allowRemote ?? [],
  }
}

export function formatPlace({ host, port }: ListenPlace): string {
  return host === undefined ? `port ${port} of all addresses` : formatHostPort({ host, port })
}

function refuseDoubledNames(places: readonly AllowedPlace[]): void {
  const names = places.map(({ name }) => name).filter((name) => name !== undefined)
  const doubled = names.find((name, at) => names.indexOf(name) !== at)
  if (doubled !== undefined) throw usage(`--allow gives the name ${doubled} twice`)
}

function warningsOf(hasTls: boolean, knowsClients: boolean): string[] {
  return [
    ...(hasTls ? [] : ['without TLS, others on the network can read and change the data']),
    ...(knowsClients ? [] : ['without a token, anyone who can reach this port can use it']),
  ]
}

/** Of a side that listens. @throws {CliError} EXIT_USAGE */
export function serverTls(
  flags: CertificateFlags & { readonly tlsClientCa?: string },
): ServerTls | undefined {
  const certificate = loadCertificate(flags)
  if (flags.tlsClientCa === undefined) return certificate
  if (certificate === undefined) throw usage('--tls-client-ca needs --tls-cert and --tls-key')
  return {
    ...certificate,
    ca: loadAuthority(flags.tlsClientCa),
    requestCert: true,
    rejectUnauthorized: true,
  }
}

function isOwn(address: string): boolean {
  return Object.values(networkInterfaces()).some((all) => all?.some((one) => one.address === address))
}
