// SPDX-License-Identifier: Apache-2.0
/** What undici, and with it `fetch`, connects by. */
import type { Duplex } from 'node:stream'
import type { ConnectionOptions } from 'node:tls'
import { connect as connectTls } from 'node:tls'
import type { HttpConnectOptions } from './target.js'
import { checked, open } from './target.js'

/** The fields that matter of what undici gives to its `connect` function. */
export interface UndiciConnectOptions {
  /** `https:`, or another one. */
  readonly protocol: string
  /** Of the URL. */
  readonly hostname: string
  /** Of the URL; empty for that of the protocol. */
  readonly port?: string | undefined
  /** Name that the certificate must be for; default: `hostname`. */
  readonly servername?: string | undefined | null
}

/** Told once the connection is established, or has failed. */
export type UndiciCallback = (...args: [error: null, socket: Duplex] | [error: Error, socket: null]) => void

/**
 * The `connect` option of undici's `Agent`, `Pool` and `Client`, for `fetch` and undici's own functions.
 *
 * @param connect - paths and other options of each connection, or a function that gives them for a target
 * @param tls - of URLs with `https:`, such as `ca`
 * @throws {OptionError} ERR_MULTIPATH_OPTION without paths
 */
export function undiciConnect(
  connect: HttpConnectOptions,
  tls: ConnectionOptions = {},
): (options: UndiciConnectOptions, callback: UndiciCallback) => void {
  checked(connect)
  return ({ protocol, hostname, port, servername }, callback) => {
    const isTls = protocol === 'https:'
    const target = { host: hostname, port: Number(port || (isTls ? 443 : 80)) }
    const conn = open(connect, target, isTls ? { allowHalfOpen: true } : {})
    const socket: Duplex = isTls
      ? connectTls({ ALPNProtocols: ['http/1.1'], ...tls, socket: conn, servername: servername ?? hostname })
      : conn
    const onError = (error: Error): void => {
      callback(error, null)
    }
    socket.once('error', onError)
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      socket.off('error', onError)
      callback(null, socket)
    })
  }
}
