// SPDX-License-Identifier: Apache-2.0
/** TCP as a path. */
import { ADDRCONFIG, ALL, V4MAPPED } from 'node:dns'
import type { TcpNetConnectOpts } from 'node:net'
import { connect, isIP } from 'node:net'
import { OptionError } from '../errors.js'
import { openedSocket } from './opening.js'
import type { Names } from './path-options.js'
import {
  checkPort,
  checkStrings,
  checkType,
  pathOf,
  placeOf,
  refuseUnknownOptions,
  withoutPath,
} from './path-options.js'
import type { PathOptions, SubflowDialer } from './transport.js'

/** Options of `net.connect` for TCP, and of the path. */
export type TcpDialerOptions = TcpNetConnectOpts & PathOptions

/** Options of `net.connect` for TCP; of them, those of later versions of Node. */
const NET_NAMES: Names<TcpNetConnectOpts> = {
  port: true,
  host: true,
  family: true,
  lookup: true,
  hints: true,
  localAddress: true,
  localPort: true,
  autoSelectFamily: true,
  autoSelectFamilyAttemptTimeout: true,
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: true,
  timeout: true,
  signal: true,
  fd: true,
  allowHalfOpen: true,
  readable: true,
  writable: true,
  onread: true,
}
const NEWER = ['blockList', 'typeOfService', 'highWaterMark']
const HINTS = ADDRCONFIG | V4MAPPED | ALL
const FOREIGN = ['onread', 'objectMode', 'readableObjectMode', 'writableObjectMode', 'encoding']
/** What `net.connect` is given for TCP. */
export const TCP_NAMES: object = Object.fromEntries(
  [...Object.keys(NET_NAMES), ...NEWER, ...FOREIGN].map((name) => [name, true]),
)
const FAMILIES: readonly unknown[] = [0, 4, 6, 'IPv4', 'IPv6']

/**
 * Returns a path over TCP. `localAddress` selects the uplink if the routes of the system depend on the source address
 * (docs/paths.md).
 *
 * @throws {OptionError} for an invalid port, label or address, or an unknown option
 */
export function tcpDialer(options: TcpDialerOptions): SubflowDialer {
  refuseUnknownOptions(options, TCP_NAMES)
  const socketOptions = withoutPath(options) as TcpNetConnectOpts
  const { host = 'localhost', localAddress } = socketOptions
  const port = checkPort(socketOptions.port)
  checkStrings({ label: options.label, host, localAddress })
  checkLocal(socketOptions)
  checkLookup(socketOptions)
  refuseForeign(socketOptions)
  return {
    ...pathOf(options, placeOf(host, port, localAddress)),
    // Frames are whole when they are written: waiting to fill a packet would only delay them.
    dial: (dial) => openedSocket(() => connect({ noDelay: true, ...socketOptions, port }), dial),
  }
}

/** What Node would find wrong only once the path is dialled. */
function checkLocal({ localPort, localAddress }: TcpNetConnectOpts): void {
  checkType({ localPort }, 'number')
  if (localPort !== undefined) checkPort(localPort, 'localPort')
  if (localAddress !== undefined && isIP(localAddress) === 0)
    throw new OptionError(`localAddress must be an IP address, got ${localAddress}`, 'ERR_INVALID_IP_ADDRESS')
}

/** What net.connect takes, and what would take the bytes of the path away from the connection. */
function refuseForeign(options: object): void {
  // As net does, empty ones are let through: an agent of http gives `encoding: null`.
  for (const name of FOREIGN)
    if ((options as Record<string, unknown>)[name])
      throw new OptionError(`${name} cannot be an option of a path`, 'ERR_INVALID_ARG_VALUE')
}

/** Where the host's addresses come from, and how several of them are tried. */
function checkLookup(options: TcpNetConnectOpts): void {
  const { lookup, family, hints, autoSelectFamily, autoSelectFamilyAttemptTimeout: attemptMs } = options
  checkType({ lookup }, 'function')
  checkType({ autoSelectFamily }, 'boolean')
  checkType({ autoSelectFamilyAttemptTimeout: attemptMs, hints }, 'number')
  if (attemptMs !== undefined && !(attemptMs >= 1 && attemptMs < 2 ** 31))
    throw new OptionError(
      `autoSelectFamilyAttemptTimeout must be from 1 to ${2 ** 31 - 1} ms, got ${attemptMs}`,
      'ERR_OUT_OF_RANGE',
    )
  if (family !== undefined && !FAMILIES.includes(family))
    throw new OptionError(`family must be 0, 4 or 6, got ${String(family)}`, 'ERR_INVALID_ARG_VALUE')
  // A lookup of its own may have hints of its own.
  if (lookup === undefined && hints !== undefined && (hints & ~HINTS) !== 0)
    throw new OptionError(`hints must be flags of node:dns, got ${hints}`, 'ERR_INVALID_ARG_VALUE')
}
