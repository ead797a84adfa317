// SPDX-License-Identifier: Apache-2.0
/** The paths to `multipath serve`: those of each `--to`, or with --all-interfaces those from each local address to each of its own. */
import { isIP } from 'node:net'
import type { PathSource, SubflowDialer, TlsDialerOptions } from '../../index.js'
import {
  interfacePaths,
  OptionError,
  proxyDialer,
  tcpDialer,
  tlsDialer,
  webSocketDialer,
} from '../../index.js'
import type { Cap } from '../caps/cap-book.js'
import type { Transport } from '../live/path-book.js'
import { PathBook } from '../live/path-book.js'
import { formatHostPort } from '../parse.js'
import type { InterfaceRules } from './interface-rules.js'
import { EVERY_INTERFACE, policyOf, takes } from './interface-rules.js'
import { joinedSources } from './joined-sources.js'
import type { PathPlace } from './path-place.js'
import { labelOf } from './path-place.js'
import type { CertificateFlags } from './tls-files.js'
import { loadCertificate } from './tls-files.js'
import { readOption, usage } from './usage.js'

export interface PathFlags extends CertificateFlags {
  readonly to?: readonly PathPlace[]
  readonly allInterfaces?: true | InterfaceRules
  readonly tls?: true
  readonly tlsCa?: string
  readonly tlsFingerprint?: readonly string[]
  readonly tlsName?: string
}

/** Far more than there are uplinks; a listener takes 64 subflows by default. */
const MOST_PATHS = 32

export interface SessionPaths {
  readonly paths: SubflowDialer[] | PathSource
  /** Where each leads. */
  readonly book: PathBook
  /** Further ones. @throws {OptionError}; {CliError} for a place whose paths cannot be named beforehand */
  readonly pathsOf: (place: PathPlace) => readonly SubflowDialer[]
}

/** @throws {CliError} EXIT_USAGE for flags that do not go together */
export function sessionPaths(flags: PathFlags): SessionPaths {
  const { to: places = [], allInterfaces } = flags
  if (places.length === 0) throw usage('no server to connect to', 'give --to HOST:PORT, once for each path')
  const count = places.reduce((sum, { parallel = 1 }) => sum + parallel, 0)
  if (count > MOST_PATHS) throw usage(`--to asks for ${count} paths; at most ${MOST_PATHS} are allowed`)
  const book = new PathBook()
  const dial = dialerWith(flags, book)
  try {
    const rules = allInterfaces === true ? EVERY_INTERFACE : allInterfaces
    const paths = rules === undefined ? pathsOf(places, dial) : fromEverywhere(places, rules, dial)
    return { paths, book, pathsOf: (place) => fixedPaths(place, dial) }
  } catch (error) {
    if (error instanceof OptionError) throw usage(error.message)
    throw error
  }
}

/** Makes one path. `name` is that of the certificate, where the host is an address that was looked up. */
type Dial = (place: PathPlace, at: Leg, name?: string) => SubflowDialer

interface Leg {
  readonly label: string
  readonly host: string
  readonly port: number
  readonly localAddress: string | undefined
}

/** A source only where addresses of an interface have to be followed. */
function pathsOf(places: readonly PathPlace[], dial: Dial): SubflowDialer[] | PathSource {
  const followed = places.filter(({ interfaceName }) => interfaceName !== undefined)
  const fixed = places
    .filter(({ interfaceName }) => interfaceName === undefined)
    .flatMap((place) => fixedPaths(place, dial))
  if (followed.length === 0) return fixed
  return joinedSources(
    fixed,
    followed.map((place) => fromInterface(place, dial)),
  )
}

function fixedPaths(place: PathPlace, dial: Dial): SubflowDialer[] {
  const { host, port, source, interfaceName, parallel = 1 } = place
  if (interfaceName !== undefined)
    throw usage(`${labelOf(place)} names an interface; name one of its addresses here`)
  return Array.from({ length: parallel }, (_, n) => {
    const label = parallel === 1 ? labelOf(place) : `${labelOf(place)}#${n + 1}`
    return dial(place, { label, host, port, localAddress: source })
  })
}

function fromInterface(place: PathPlace, dial: Dial): PathSource {
  const { host, port, interfaceName = '', parallel = 1, label } = place
  return interfacePaths({
    ...{ targets: [{ host, port }], interfaces: interfaceName, multiplier: parallel, maxPaths: MOST_PATHS },
    dial: (pair, path) => {
      const name = label === undefined ? path.label! : `${label} ${path.label!}`
      return dial(place, { ...pair, label: name }, nameOf(pair.target))
    },
  })
}

function fromEverywhere(places: readonly PathPlace[], rules: InterfaceRules, dial: Dial): PathSource {
  const bound = places.find(({ source, interfaceName }) => (source ?? interfaceName) !== undefined)
  if (bound !== undefined)
    throw usage(`--all-interfaces chooses the source address, so --to ${labelOf(bound)} must not name one`)
  return interfacePaths({
    targets: places.map(({ host, port }) => ({ host, port })),
    maxPaths: MOST_PATHS,
    ...(rules !== EVERY_INTERFACE && { interfaces: (local) => takes(rules, local) }),
    includeVirtual: rules.includes.length > 0,
    dial: (pair, path) => {
      const place = places.find(({ host, port }) => host === pair.target && port === pair.port) ?? places[0]!
      const policy = { ...place.policy, ...policyOf(rules, pair.interfaceName) }
      return dial({ ...place, policy }, { ...pair, label: path.label! }, nameOf(pair.target))
    },
  })
}

/** The name has been looked up by then: the certificate is for the name all the same. */
function nameOf(target: string): string | undefined {
  return isIP(target) === 0 ? target : undefined
}

function dialerWith(flags: PathFlags, book: PathBook): Dial {
  const tls = tlsOptions(flags)
  return (place, { label, host, port, localAddress }, name) => {
    const transport = transportOf(place, tls !== undefined)
    book.add(label, { host, port, localAddress, transport, cap: capOf(place) })
    const path = { label, ...place.policy, ...(localAddress !== undefined && { localAddress }) }
    const servername = flags.tlsName ?? name
    switch (transport) {
      case 'ws':
      case 'wss': {
        const url = `${transport}://${formatHostPort({ host, port })}/`
        return webSocketDialer({
          ...path,
          url,
          ...(transport === 'wss' && { ...tls, ...(servername && { servername }) }),
        })
      }
      case 'tls':
        return tlsDialer({ ...path, host, port, ...tls, ...(servername && { servername }) })
      case 'tcp':
        return tcpDialer({ ...path, host, port })
      default:
        return proxyDialer({ ...path, proxy: place.via!, host, port })
    }
  }
}

function capOf({ period, policy, parallel = 1 }: PathPlace): Cap | undefined {
  const { maxBytes } = policy ?? {}
  return period === undefined || maxBytes === undefined
    ? undefined
    : { limitBytes: Math.floor(maxBytes / parallel), period }
}

function transportOf({ transport, via }: PathPlace, hasTls: boolean): Transport {
  if (via === undefined) return transport ?? (hasTls ? 'tls' : 'tcp')
  if (transport !== undefined || hasTls) throw usage('via= cannot be combined with TLS or WebSocket')
  return via.startsWith('socks5') ? 'socks5' : 'http'
}

/** Any flag of TLS asks for it. */
function tlsOptions(flags: PathFlags): Partial<TlsDialerOptions> | undefined {
  const { tls, tlsCa, tlsFingerprint: fingerprints, tlsName: servername } = flags
  const certificate = loadCertificate(flags)
  const options = {
    ...(tlsCa !== undefined && { ca: readOption(tlsCa) }),
    ...(fingerprints && { fingerprints }),
    ...certificate,
  }
  const isAsked = tls !== undefined || servername !== undefined || Object.keys(options).length > 0
  return isAsked ? options : undefined
}
