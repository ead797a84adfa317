// SPDX-License-Identifier: Apache-2.0
/** Addresses that may or may not come in, as Node's own net.BlockList keeps them. */
import { BlockList, isIPv6 } from 'node:net'
import { MultipathError, OptionError } from '../errors.js'

/** Who may come in at all, by remote address. */
export interface AddressLists {
  /**
   * Addresses whose streams are closed unread, with a `tls.Server` before its handshake. The list may be changed
   * while the listener runs.
   */
  blockList?: BlockList | undefined
  /**
   * All other addresses are refused. A stream without an address, such as a Unix socket, is on no list and is
   * refused.
   */
  allowList?: BlockList | undefined
}

/** @throws {OptionError} */
export function checkLists({ blockList, allowList }: AddressLists): void {
  for (const [name, list] of Object.entries({ blockList, allowList }))
    if (list !== undefined && !(list instanceof BlockList))
      throw new OptionError(`${name} must be a net.BlockList`)
}

/** @throws ERR_MULTIPATH_REFUSED for an address that may not come in */
export function assertWelcome(address: string | undefined, { blockList, allowList }: AddressLists): void {
  if (blockList !== undefined && isOn(blockList, address))
    throw new MultipathError('ERR_MULTIPATH_REFUSED', `${address} is on the block list`)
  if (allowList !== undefined && !isOn(allowList, address))
    throw new MultipathError('ERR_MULTIPATH_REFUSED', `${address ?? 'no address'} is not on the allow list`)
}

/** IPv4 addresses match in their IPv6 form, too: a server on `::` says `::ffff:192.0.2.1`. */
function isOn(list: BlockList, address: string | undefined): boolean {
  if (address === undefined) return false
  const [bare = ''] = address.split('%')
  return list.check(bare, isIPv6(bare) ? 'ipv6' : 'ipv4')
}
