// SPDX-License-Identifier: Apache-2.0
/** The paths to `multipath serve`: one for each `--to`, or with --all-interfaces one from each local address to each of its own. */
import { isIP } from 'node:net'
import type { PathSource, SubflowDialer, TcpDialerOptions, TlsDialerOptions } from '../../index.js'
import { interfacePaths, OptionError, tcpDialer, tlsDialer } from '../../index.js'
import { PathBook } from '../live/path-book.js'
import { formatHostPort } from '../parse.js'
import type { PathPlace } from './parse-places.js'
import type { CertificateFlags } from './tls-files.js'
import { loadCertificate } from './tls-files.js'
import { readOption, usage } from './usage.js'

export interface PathFlags extends CertificateFlags {
  readonly to?: readonly PathPlace[]
  readonly allInterfaces?: true
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
}

/** @throws {CliError} EXIT_USAGE for flags that do not go together */
export function sessionPaths(flags: PathFlags): SessionPaths {
  const { to: places = [], allInterfaces = false } = flags
  if (places.length === 0) throw usage('no server to connect to', 'give --to HOST:PORT, once for each path')
  if (places.length > MOST_PATHS)
    throw usage(`--to is given ${places.length} times; at most ${MOST_PATHS} paths are allowed`)
  const book = new PathBook()
  const dial = dialerWith(flags, book)
  try {
    return {
      paths: allInterfaces ? fromEverywhere(places, dial) : places.map((place) => pathTo(place, dial)),
      book,
    }
  } catch (error) {
    if (error instanceof OptionError) throw usage(error.message)
    throw error
  }
}

export function labelOf({ host, port, source }: PathPlace): string {
  const place = formatHostPort({ host, port })
  return source === undefined ? place : `${place}@${source}`
}

type Dial = (options: TcpDialerOptions, servername?: string) => SubflowDialer

function pathTo({ host, port, source }: PathPlace, dial: Dial): SubflowDialer {
  const label = labelOf({ host, port, source })
  return dial({ label, host, port, ...(source && { localAddress: source }) })
}

function fromEverywhere(places: readonly PathPlace[], dial: Dial): PathSource {
  const bound = places.find(({ source }) => source !== undefined)
  if (bound !== undefined)
    throw usage(`--all-interfaces chooses the source address, so --to ${labelOf(bound)} must not name one`)
  return interfacePaths({
    targets: places.map(({ host, port }) => ({ host, port })),
    maxPaths: MOST_PATHS,
    // The name has been looked up by then: the certificate is for the name all the same.
    dial: ({ host, port, localAddress, target }, path) =>
      dial(
        { ...path, host, port, ...(localAddress !== undefined && { localAddress }) },
        isIP(target) === 0 ? target : undefined,
      ),
  })
}

function dialerWith(flags: PathFlags, book: PathBook): Dial {
  const tls = tlsOptions(flags)
  return (options, servername) => {
    const { label, host = 'localhost', port, localAddress } = options
    const transport = tls === undefined ? 'tcp' : 'tls'
    if (label !== undefined) book.add(label, { host, port, localAddress, transport })
    return tls === undefined
      ? tcpDialer(options)
      : tlsDialer({ ...options, ...(servername && { servername }), ...tls })
  }
}

/** Any flag of TLS asks for it. */
function tlsOptions(flags: PathFlags): Partial<TlsDialerOptions> | undefined {
  const { tls, tlsCa, tlsFingerprint: fingerprints, tlsName: servername } = flags
  const certificate = loadCertificate(flags)
  const options = {
    ...(tlsCa !== undefined && { ca: readOption(tlsCa) }),
    ...(fingerprints && { fingerprints }),
    ...(servername !== undefined && { servername }),
    ...certificate,
  }
  return tls === undefined && Object.keys(options).length === 0 ? undefined : options
}
