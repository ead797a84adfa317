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
import { labelOf } from './path-place.js'
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
  return new PathDialers(flags, book).dial
}

/** Its paths use the options of TLS as they are when a path is dialled. */
export class PathDialers {
  readonly #book: PathBook
  #tls: TlsOptions | undefined

  /** @throws {CliError} EXIT_USAGE for flags that do not go together */
  constructor(flags: TlsFlags, book: PathBook) {
    this.#book = book
    this.#tls = tlsOptions(flags)
  }

  readonly dial: Dial = (place, leg, name) => {
    const { label, host, port, localAddress } = leg
    const transport = transportOf(place, this.#tls !== undefined)
    this.#book.add(label, { host, port, localAddress, transport, cap: capOf(place) })
    const path = { label, ...place.policy, ...(localAddress !== undefined && { localAddress }) }
    const url = `${transport}://${formatHostPort({ host, port })}/`
    switch (transport) {
      case 'ws':
        return webSocketDialer({ ...path, url })
      case 'wss':
        return this.#renewed((tls) => webSocketDialer({ ...path, url, ...named(tls, name) }))
      case 'tls':
        return this.#renewed((tls) => tlsDialer({ ...path, host, port, ...named(tls, name) }))
      case 'tcp':
        return tcpDialer({ ...path, host, port })
      default:
        return proxyDialer({ ...path, proxy: place.via!, host, port })
    }
  }

  /** Takes over the options of TLS: what is dialled from now on uses them. @returns whether TLS is used as before */
  renew(other: PathDialers): boolean {
    if ((other.#tls === undefined) !== (this.#tls === undefined)) return false
    this.#tls = other.#tls
    return true
  }

  #renewed(make: (tls: TlsOptions | undefined) => SubflowDialer): SubflowDialer {
    let used = this.#tls
    let made = make(used)
    return {
      label: made.label,
      policy: made.policy,
      dial: (options) => {
        if (used !== this.#tls) {
          used = this.#tls
          made = make(used)
        }
        return made.dial(options)
      },
    }
  }
}

function capOf(place: PathPlace): Cap | undefined {
  const { period, policy, interfaceName, label } = place
  const { maxBytes } = policy ?? {}
  // With --all-interfaces, each of them has paths of the same label.
  const from = label !== undefined && interfaceName !== undefined ? `@${interfaceName}` : ''
  return period === undefined || maxBytes === undefined
    ? undefined
    : { limitBytes: maxBytes, period, account: `${labelOf(place)}${from}` }
}

function transportOf({ transport, via }: PathPlace, hasTls: boolean): Transport {
  if (via === undefined) return transport ?? (hasTls ? 'tls' : 'tcp')
  if (transport !== undefined || hasTls) throw usage('via= cannot be combined with TLS or WebSocket')
  return via.startsWith('socks5') ? 'socks5' : 'http'
}

type TlsOptions = Partial<TlsDialerOptions>

/** Of a certificate for `name`, unless a flag says otherwise. */
function named(tls: TlsOptions | undefined, name: string | undefined): TlsOptions {
  const servername = tls?.servername ?? name
  return { ...tls, ...(servername !== undefined && { servername }) }
}

/** Any flag of TLS asks for it. */
function tlsOptions(flags: TlsFlags): TlsOptions | undefined {
  const { tls, tlsCa, tlsFingerprint: fingerprints, tlsName: servername } = flags
  const certificate = loadCertificate(flags)
  const options = {
    ...(tlsCa !== undefined && { ca: readOption(tlsCa) }),
    ...(fingerprints && { fingerprints }),
    ...certificate,
    ...(servername !== undefined && { servername }),
  }
  const isAsked = tls !== undefined || Object.keys(options).length > 0
  return isAsked ? options : undefined
}
