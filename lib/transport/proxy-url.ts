// SPDX-License-Identifier: Apache-2.0
/** Which proxy, and how to log in to it. */
import { OptionError } from '../errors.js'

/** Where the proxy is to lead. */
export interface Target {
  readonly host: string
  readonly port: number
}

export interface Login {
  readonly user: string
  readonly password: string
}

export interface ProxyUrl extends Target {
  readonly protocol: 'socks5:' | 'http:'
  readonly login: Login | undefined
  /** Without the login, for people. */
  readonly name: string
}

const DEFAULT_PORTS = { 'socks5:': 1080, 'http:': 80 } as const
/** SOCKS5 counts the bytes of a user, a password and a name in one byte. */
const MAX_BYTES = 255

/** @throws {OptionError} that never repeats what was given: a password may stand in it */
export function parseProxyUrl(proxy: unknown): ProxyUrl {
  const text = String(proxy)
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isBare = url !== undefined && ['', '/'].includes(url.pathname) && url.search + url.hash === ''
  if (!isBare || url.hostname === '' || (url.protocol !== 'socks5:' && url.protocol !== 'http:'))
    throw new OptionError('proxy must be a URL such as socks5://user:password@host:port or http://host:port')
  const { protocol } = url
  const port = url.port === '' ? DEFAULT_PORTS[protocol] : Number(url.port)
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  return { protocol, host, port, login: loginOf(url), name: `${protocol}//${url.hostname}:${port}` }
}

function loginOf(url: URL): Login | undefined {
  if (url.username === '' && url.password === '') return undefined
  const [user, password] = [decoded(url.username), decoded(url.password)]
  const isOneByteLong = [user, password].every((text) => Buffer.byteLength(text) <= MAX_BYTES)
  if (user === '' || !isOneByteLong)
    throw new OptionError(`the user and password of proxy must have 1 to ${MAX_BYTES} bytes each`)
  if (url.protocol === 'http:' && user.includes(':'))
    throw new OptionError('the user of an HTTP proxy must not contain a colon')
  return { user, password }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new OptionError('the user and password of proxy must be percent-encoded UTF-8')
  }
}

/**
 * A name or address that fits into a proxy's request.
 *
 * @throws {OptionError}
 */
export function checkTargetHost(host: unknown): void {
  const isOne = typeof host === 'string' && /^[!-~]+$/.test(host) && host.length <= MAX_BYTES
  if (!isOne || /[[\]/%@]/.test(host))
    throw new OptionError(`host must be a name or an address in ASCII, got ${JSON.stringify(host)}`)
}
