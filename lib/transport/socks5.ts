// SPDX-License-Identifier: Apache-2.0
/** SOCKS5 as its client speaks it (RFC 1928), with user and password (RFC 1929). The proxy resolves names. */
import { isIPv4, isIPv6 } from 'node:net'
import type { Ask, Conversation } from './conversation.js'
import { refusal } from './conversation.js'
import { ipv6Groups } from './ipv6.js'
import type { Login, Target } from './proxy-url.js'

const VERSION = 5
const LOGIN_VERSION = 1
const NO_LOGIN = 0
const LOGIN = 2
const NO_METHOD = 0xff
const CONNECT = 1
const IPV4 = 1
const NAME = 3
const IPV6 = 4
/** Its words for the codes of a refusal. */
const REPLIES: readonly string[] = [
  'succeeded',
  'general SOCKS server failure',
  'connection not allowed by ruleset',
  'network unreachable',
  'host unreachable',
  'connection refused',
  'TTL expired',
  'command not supported',
  'address type not supported',
]
const PROXY = 'the proxy'

export function* socks5(target: Target, login: Login | undefined): Conversation {
  const methods = login === undefined ? [NO_LOGIN] : [NO_LOGIN, LOGIN]
  const [version, method] = yield ask([VERSION, methods.length, ...methods])
  if (version !== VERSION) throw refusal(PROXY, 'does not speak SOCKS5')
  if (method === LOGIN && login !== undefined) {
    const [, status] = yield ask([LOGIN_VERSION, ...counted(login.user), ...counted(login.password)])
    if (status !== 0) throw refusal(PROXY, 'refused the user and password')
  } else if (method === NO_METHOD) throw refusal(PROXY, loginWanted(login))
  else if (method !== NO_LOGIN) throw refusal(PROXY, `chose login method ${method}, which was not offered`)
  const port = [target.port >> 8, target.port & 0xff]
  const request = Buffer.from([VERSION, CONNECT, 0, ...addressOf(target.host), ...port])
  const [replyVersion, code] = yield { send: request, lengthOf: replyLength }
  if (replyVersion !== VERSION) throw refusal(PROXY, 'does not speak SOCKS5')
  if (code !== 0) throw refusal(PROXY, `answered with code ${code}: ${REPLIES[code!] ?? 'unassigned'}`)
}

/** An answer of two bytes. */
function ask(send: readonly number[]): Ask {
  return { send: Buffer.from(send), lengthOf: () => 2 }
}

function loginWanted(login: Login | undefined): string {
  return login === undefined ? 'requires a user and password' : 'accepts none of the offered login methods'
}

function replyLength(bytes: Buffer): number | undefined {
  if (bytes.length < 2) return undefined
  // Nothing behind a refusal is of interest, and not every proxy sends it.
  if (bytes[0] !== VERSION || bytes[1] !== 0) return 2
  if (bytes.length < 5) return undefined
  if (bytes[3] === IPV4) return 10
  if (bytes[3] === IPV6) return 22
  if (bytes[3] === NAME) return 7 + bytes[4]!
  throw refusal(PROXY, `answered with unknown address type ${bytes[3]}`)
}

function addressOf(host: string): number[] {
  if (isIPv4(host)) return [IPV4, ...host.split('.').map(Number)]
  if (isIPv6(host)) return [IPV6, ...ipv6Bytes(host)]
  return [NAME, ...counted(host)]
}

function ipv6Bytes(host: string): Buffer {
  const groups = ipv6Groups(host).map((group) => group.padStart(4, '0'))
  return Buffer.from(groups.join(''), 'hex')
}

function counted(text: string): number[] {
  const bytes = Buffer.from(text)
  return [bytes.length, ...bytes]
}
