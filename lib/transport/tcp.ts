// SPDX-License-Identifier: Apache-2.0
/** TCP as a path. */
import type { TcpNetConnectOpts } from 'node:net'
import { connect, isIP } from 'node:net'
import { OptionError } from '../errors.js'
import { openedSocket } from './opening.js'
import { checkPort, checkStrings, pathOf, placeOf, withoutPath } from './path-options.js'
import type { PathOptions, SubflowDialer } from './transport.js'

/** Options of `net.connect` for TCP, and of the path. */
export type TcpDialerOptions = TcpNetConnectOpts & PathOptions

/**
 * A path over TCP. `localAddress` decides which uplink it takes, as far as the system's routes do.
 *
 * @throws {OptionError} for a port, label or address that is none
 */
export function tcpDialer(options: TcpDialerOptions): SubflowDialer {
  const socketOptions = withoutPath(options) as TcpNetConnectOpts
  const { port, host = 'localhost', localAddress } = socketOptions
  checkPort(port)
  checkStrings({ label: options.label, host, localAddress })
  checkLocal(socketOptions)
  return {
    ...pathOf(options, placeOf(host, port, localAddress)),
    // Frames are whole when they are written: waiting to fill a packet would only delay them.
    dial: (dial) => openedSocket(() => connect({ noDelay: true, ...socketOptions }), dial),
  }
}

/** What Node would find wrong only once the path is dialled. */
function checkLocal({ lookup, localPort, localAddress }: TcpNetConnectOpts): void {
  if (lookup !== undefined && typeof (lookup as unknown) !== 'function')
    throw new OptionError(`lookup must be a function, got ${typeof lookup}`, 'ERR_INVALID_ARG_TYPE')
  if (localPort !== undefined && typeof (localPort as unknown) !== 'number')
    throw new OptionError(`localPort must be a number, got ${typeof localPort}`, 'ERR_INVALID_ARG_TYPE')
  if (localPort !== undefined) checkPort(localPort, 'localPort')
  if (localAddress !== undefined && isIP(localAddress) === 0)
    throw new OptionError(`localAddress must be an IP address, got ${localAddress}`, 'ERR_INVALID_IP_ADDRESS')
}
