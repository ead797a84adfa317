// SPDX-License-Identifier: Apache-2.0
/** The options of `multipath gateway`, and what they come to. */
import { Resolver } from 'node:dns'
import { InvalidArgumentError, Option } from 'commander'
import type { HostPort } from '../parse.js'
import { formatHostPort, parsePort } from '../parse.js'
import { collect } from '../streams/common-options.js'
import type { ClientFlags } from '../streams/dial-session.js'
import { CLIENT_OPTIONS } from '../streams/dial-session.js'
import type { Address } from '../streams/host.js'
import { isLoopback, parseAddress } from '../streams/host.js'
import { parseBind, parseListenPlace } from '../streams/parse-places.js'
import { usage } from '../streams/usage.js'
import type { MatchRule } from './match-rule.js'
import { parseMatch } from './match-rule.js'
import type { NetScriptInit } from './net-script.js'
import { capturesUdp } from './net-script.js'

export interface GatewayFlags extends ClientFlags {
  readonly match?: readonly MatchRule[]
  readonly interface?: readonly string[]
  readonly localOutput?: true
  readonly dns?: readonly HostPort[]
  readonly dnsServer?: readonly HostPort[]
  readonly exemptUser?: readonly string[]
  readonly port: number
}

/** Where it listens on loopback. */
const PORT = 7090
const DNS_PORT = 53
/** The name servers of the system are looked up again after this time, milliseconds: an uplink that changes brings others. */
const SYSTEM_SERVERS_MS = 10_000

export const GATEWAY_OPTIONS = (): Option[] => [
  new Option(
    '--match <place>',
    'what to capture: [udp:]HOST[:PORTS][,scheduler=NAME][,paths=LABEL/LABEL]; HOST is an address, a range, a name, *.NAME or *; the first match counts; TCP connections, or with udp: packets; may be repeated',
  ).argParser(collect(parseMatch)),
  new Option(
    '--interface <name>',
    'capture connections that arrive on this interface; a trailing * matches any ending; may be repeated',
  ).argParser(collect(parseInterface)),
  new Option('--local-output', 'also capture connections of programs on this machine'),
  new Option(
    '--dns <[bind:]port>',
    'answer DNS queries here over UDP, on loopback unless BIND is given, and redirect queries for any server here; required for rules with names; may be repeated',
  ).argParser(collect(parseBind)),
  new Option(
    '--dns-server <address[:port]>',
    'DNS server for names without a rule (default: those of the system); may be repeated',
  ).argParser(collect(parseServer)),
  new Option(
    '--exempt-user <user>',
    'do not capture connections of this user, by name or number; may be repeated',
  ).argParser(collect(parseUser)),
  new Option(
    '--port <port>',
    'port on loopback that receives captured connections; it also identifies the rules of the kernel',
  )
    .argParser(parseOwnPort)
    .default(PORT),
  ...CLIENT_OPTIONS(),
]

/** What is to be captured, checked. */
export interface GatewayPlan extends Omit<NetScriptInit, 'owner'> {
  /** Those of now: the file of the system may change. */
  readonly dnsServers: () => readonly HostPort[]
}

/** @throws {CliError} EXIT_USAGE for flags that do not go together */
export function gatewayPlan(flags: GatewayFlags): GatewayPlan {
  const { match: rules = [], interface: interfaces = [], dns = [], exemptUser = [] } = flags
  const isLocal = flags.localOutput ?? false
  // Sockets that the gateway opens have its group, which no other program has.
  const own = { kind: 'skgid', owner: flags.port } as const
  checkRules(rules, interfaces.length > 0 || isLocal, dns)
  if (capturesUdp(rules) && interfaces.length === 0)
    throw usage('UDP of programs on this machine is not captured', 'give --interface')
  return {
    ...{ port: flags.port, rules, interfaces, isLocal, dns },
    exempt: [...exemptUser.map((owner) => ({ kind: 'skuid', owner }) as const), own],
    ends: endsOf(flags),
    dnsServers: dns.length === 0 ? () => [] : dnsServersOf(flags, isLocal),
  }
}

/** @throws {CliError} EXIT_USAGE */
function checkRules(rules: readonly MatchRule[], hasSource: boolean, dns: readonly HostPort[]): void {
  if (rules.length === 0) throw usage('no connections to capture', 'give --match')
  if (!hasSource) throw usage('no connections to capture', 'give --interface or --local-output')
  if (dns.length === 0 && rules.some(({ host }) => host !== undefined && host !== '*'))
    throw usage('a rule with a name needs a DNS server here', 'give --dns')
  const wildcard = dns.find(({ host }) => host === '0.0.0.0' || host === '::')
  if (wildcard !== undefined)
    throw usage(`${formatHostPort(wildcard)} would answer anyone`, 'give --dns an address of this machine')
}

/** @throws {CliError} EXIT_USAGE */
function dnsServersOf({ dns = [], dnsServer }: GatewayFlags, isLocal: boolean): () => readonly HostPort[] {
  const own = new Set(dns.map(formatHostPort))
  // What a cache of this machine asks for would come back here.
  const isLoop = (server: HostPort): boolean =>
    own.has(formatHostPort(server)) || (isLocal && isLoopback(server.host))
  const servers = dnsServer ?? systemServers()
  const wrong = servers.find(isLoop)
  if (wrong !== undefined || servers.length === 0)
    throw usage(
      wrong === undefined
        ? 'no DNS server is known'
        : `${formatHostPort(wrong)} cannot be the DNS server: its own queries would be redirected here`,
      'give --dns-server, such as that of the provider',
    )
  if (dnsServer !== undefined) return () => dnsServer
  let known: readonly HostPort[] = servers
  let readAt = performance.now()
  return () => {
    if (performance.now() - readAt > SYSTEM_SERVERS_MS) {
      readAt = performance.now()
      const usable = systemServers().filter((server) => !isLoop(server))
      if (usable.length > 0) known = usable
    }
    return known
  }
}

/** As the file of the system has them now. */
function systemServers(): HostPort[] {
  return new Resolver().getServers().flatMap((text) => serverOf(text) ?? [])
}

/** Addresses at which paths end, as far as they are written down. */
function endsOf({ to = [] }: GatewayFlags): Address[] {
  return to.flatMap(({ host, via }) => {
    const proxy = via === undefined ? [] : [new URL(via).hostname.replaceAll(/^\[|\]$/g, '')]
    return [host, ...proxy].flatMap((text) => parseAddress(text) ?? [])
  })
}

function parseInterface(text: string): string {
  if (!/^[\w.-]{1,15}\*?$/.test(text))
    throw new InvalidArgumentError('It must be the name of an interface, such as lan0 or lan*.')
  return text
}

function parseUser(text: string): string {
  if (!/^[\w.-]{1,64}$/.test(text)) throw new InvalidArgumentError('It must be the name or number of a user.')
  return text
}

function parseOwnPort(text: string): number {
  const port = parsePort(text)
  if (port === 0) throw new InvalidArgumentError('It must be a port from 1 to 65535.')
  return port
}

function parseServer(text: string): HostPort {
  const server = serverOf(text)
  if (server === undefined)
    throw new InvalidArgumentError('It must be ADDRESS or ADDRESS:PORT; write an IPv6 address in brackets.')
  return server
}

function serverOf(text: string): HostPort | undefined {
  const address = parseAddress(text.replaceAll(/^\[|\]$/g, ''))
  if (address !== undefined) return { host: address.address, port: DNS_PORT }
  try {
    const { host, port } = parseListenPlace(text)
    return host === undefined || port === 0 ? undefined : { host, port }
  } catch {
    return undefined
  }
}
