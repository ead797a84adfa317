// SPDX-License-Identifier: Apache-2.0
/** TCP as a path. */
import { ADDRCONFIG, ALL, V4MAPPED } from 'node:dns'
import type { TcpNetConnectOpts } from 'node:net'
import { connect, isIP } from 'node:net'
import { OptionError } from '../errors.js'
import { openedSocket } from './opening.js'
import { checkPort, checkStrings, checkType, pathOf, placeOf, withoutPath } from './path-options.js'
import type { PathOptions, SubflowDialer } from './transport.js'

/** Options of `net.connect` for TCP, and of the path. */
export type TcpDialerOptions = TcpNetConnectOpts & PathOptions

const HINTS = ADDRCONFIG | V4MAPPED | ALL
const FOREIGN = ['onread', 'objectMode', 'readableObjectMode', 'writableObjectMode', 'encoding']
const FAMILIES: readonly unknown[] = [0, 4, 6, 'IPv4', 'IPv6']

/**
 * A path over TCP. `localAddress` decides which uplink it takes, as far as the system's routes do.
 *
 * @throws {OptionError} for a port, label or address that is none
 */
export function tcpDialer(options: TcpDialerOptions): SubflowDialer {
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
