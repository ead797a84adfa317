// SPDX-License-Identifier: Apache-2.0
/** TCP through a proxy as a path. */
import { connect } from 'node:net'
import { converse } from './conversation.js'
import { httpConnect } from './http-connect.js'
import { openedSocket } from './opening.js'
import type { Names } from './path-options.js'
import { checkPort, checkStrings, pathOf, placeOf, refuseUnknownOptions } from './path-options.js'
import { checkTargetHost, parseProxyUrl } from './proxy-url.js'
import { socks5 } from './socks5.js'
import type { PathOptions, SubflowDialer } from './transport.js'

export interface ProxyDialerOptions extends PathOptions {
  /** `socks5://[user:password@]host[:port]` or `http://[user:password@]host[:port]`. */
  readonly proxy: string | URL
  /** The host that the proxy connects to. The proxy resolves the name. */
  readonly host: string
  /** The port that the proxy connects to. */
  readonly port: number
  /** Local address for the connection to the proxy: it chooses the uplink. */
  readonly localAddress?: string | undefined
}

const PROXY_NAMES: Names<Omit<ProxyDialerOptions, keyof PathOptions>> = {
  proxy: true,
  host: true,
  port: true,
  localAddress: true,
}

/**
 * Returns a path over TCP through a SOCKS5 or HTTP CONNECT proxy.
 *
 * @throws {OptionError} for an invalid URL, host, port or label, or an unknown option
 */
export function proxyDialer(options: ProxyDialerOptions): SubflowDialer {
  refuseUnknownOptions(options, PROXY_NAMES)
  const { proxy, host, localAddress } = options
  const port = checkPort(options.port)
  checkTargetHost(host)
  checkStrings({ label: options.label, localAddress })
  const { login, name, ...place } = parseProxyUrl(proxy)
  const speak = place.protocol === 'socks5:' ? socks5 : httpConnect
  return {
    ...pathOf(options, `${placeOf(host, port, localAddress)} via ${name}`),
    dial: async (dial) => {
      const way = { host: place.host, port: place.port, noDelay: true }
      const socket = await openedSocket(
        () => connect({ ...way, ...(localAddress !== undefined && { localAddress }) }),
        dial,
      )
      await converse(socket, speak({ host, port }, login), 'the proxy', dial.signal)
      return socket
    },
  }
}
