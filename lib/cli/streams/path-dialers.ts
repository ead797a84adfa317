// SPDX-License-Identifier: Apache-2.0
/** Makes the dialers of paths as `--to` and the flags of TLS describe them. */
import { isIP } from 'node:net'
import { Option } from 'commander'
import type { SubflowDialer, TlsDialerOptions } from '../../index.js'
import { proxyDialer, tcpDialer, tlsDialer, webSocketDialer } from '../../index.js'
import type { Cap } from '../caps/cap-book.js'
import type { PathBook, Transport } from '../live/path-book.js'
import { formatHostPort } from '../parse.js'
import { collect } from './common-options.js'
import type { PathPlace } from './path-place.js'
import type { CertificateFlags } from './tls-files.js'
import { loadCertificate } from './tls-files.js'
import { readOption, usage } from './usage.js'

export interface TlsFlags extends CertificateFlags {
  readonly tls?: true
  readonly tlsCa?: string
  readonly tlsFingerprint?: readonly string[]
  readonly tlsName?: string
}

export const TLS_OPTIONS = (): Option[] => [
  new Option('--tls', 'use TLS, and require a certificate that the system trusts'),
  new Option('--tls-ca <file>', 'use TLS, and require a certificate that verifies against this file'),
  new Option(
    '--tls-fingerprint <sha256>',
    'use TLS, and require exactly this certificate (AB:CD:…); may be repeated',
  ).argParser(collect((text) => text)),
  new Option('--tls-name <name>', 'use TLS, and require a certificate for this name instead of HOST'),
  new Option('--tls-cert <file>', 'use TLS, and present this certificate to a serve with --tls-client-ca'),
  new Option('--tls-key <file>', 'private key of --tls-cert'),
]

/** Makes one path. `name` is that of the certificate, where the host is an address that was looked up. */
export type Dial = (place: PathPlace, at: Leg, name?: string) => SubflowDialer

export interface Leg {
  readonly label: string
  readonly host: string
  readonly port: number
  readonly localAddress: string | undefined
}

/** The name has been looked up by then: the certificate is for the name all the same. */
export function nameOf(target: string): string | undefined {
  return isIP(target) === 0 ? target : undefined
}

/** @throws {CliError} EXIT_USAGE for flags that do not go together */
export function dialerWith(flags: TlsFlags, book: PathBook): Dial {
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
function tlsOptions(flags: TlsFlags): Partial<TlsDialerOptions> | undefined {
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
