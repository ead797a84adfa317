// SPDX-License-Identifier: Apache-2.0
/** A Unix domain socket, or a named pipe of Windows, as a path. */
import { connect } from 'node:net'
import { OptionError } from '../errors.js'
import { openedSocket } from './opening.js'
import { checkStrings, pathOf, refuseUnknownOptions } from './path-options.js'
import type { PathOptions, SubflowDialer } from './transport.js'

export interface UnixDialerOptions extends PathOptions {
  /** Path of the socket, as in `net.connect`. */
  readonly path: string
}

/**
 * Returns a path over a Unix domain socket.
 *
 * @throws {OptionError} for an invalid path or label, or an unknown option
 */
export function unixDialer(options: UnixDialerOptions): SubflowDialer {
  refuseUnknownOptions(options, { path: true })
  const { path, label } = options
  checkStrings({ label, path })
  if (!path) throw new OptionError('path must be the path of a Unix socket')
  return {
    ...pathOf(options, `unix:${path}`),
    dial: (dial) => openedSocket(() => connect({ path }), dial),
  }
}
