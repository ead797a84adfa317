// SPDX-License-Identifier: Apache-2.0
/** SOCKS5 as its server speaks it (RFC 1928): CONNECT and UDP ASSOCIATE; user and password of RFC 1929. */
import type { CheckLogin, ProxyHandshake, Want } from './proxy-handshake.js'
import { ProxyRefusal } from './proxy-handshake.js'
import type { HostPort } from '../parse.js'
import { encodeSocksHead, HEAD_BYTES, hostAt, hostBytesOf, IPV4 } from '../udp/socks-packet.js'
import type { Answer } from './stream-request.js'

export const SOCKS_VERSION = 5
const LOGIN_VERSION = 1
const NO_LOGIN = 0
const LOGIN = 2
const NO_METHOD = 0xff
const CONNECT = 1
const UDP_ASSOCIATE = 3

const GENERAL_FAILURE = 1
const COMMAND_NOT_SUPPORTED = 7
const TYPE_NOT_SUPPORTED = 8

/** RFC 1928, section 6. It has no word of its own for a name that is unknown, nor for a limit. */
const REPLIES: { readonly [Kind in Answer | 'unavailable']: number } = {
  ok: 0,
  'not-allowed': 2,
  unreachable: 3,
  'not-found': 4,
  refused: 5,
  timeout: 6,
  limit: GENERAL_FAILURE,
  'address-in-use': GENERAL_FAILURE,
  'bad-request': GENERAL_FAILURE,
  failed: GENERAL_FAILURE,
  unavailable: GENERAL_FAILURE,
}

export function* socksHandshake(login: CheckLogin): ProxyHandshake {
  const [, , ...methods] = yield counted(1)
  const method = login === undefined ? NO_LOGIN : LOGIN
  if (!methods.includes(method)) {
    const why =
      login === undefined
        ? 'it offers no supported login method'
        : 'it does not offer a login with user and password'
    throw new ProxyRefusal(why, Buffer.from([SOCKS_VERSION, NO_METHOD]))
  }
  let send = Buffer.from([SOCKS_VERSION, method])
  if (login !== undefined) {
    send = yield* checkLogin(login, send)
  }
  const request = yield { send, lengthOf: requestLength }
  const [version, command, , type] = request
  if (version !== SOCKS_VERSION) throw new ProxyRefusal('its request has an unknown version')
  if (command !== CONNECT && command !== UDP_ASSOCIATE)
    throw new ProxyRefusal(
      'it requests a command other than CONNECT and UDP ASSOCIATE',
      reply(COMMAND_NOT_SUPPORTED),
    )
  return {
    protocol: 'socks5',
    host: hostAt(type!, request.subarray(HEAD_BYTES, -2)),
    port: request.readUInt16BE(request.length - 2),
    answer: (answer) => reply(REPLIES[answer]),
    ...(command === UDP_ASSOCIATE && { associated }),
  }
}

/** @returns the word of welcome, which goes out before the next thing is wanted */
function* checkLogin(
  login: NonNullable<CheckLogin>,
  send: Uint8Array,
): Generator<Want, Buffer<ArrayBuffer>, Buffer> {
  const bytes = yield { send, lengthOf: loginLength }
  const userEnd = 2 + bytes[1]!
  const isRight = login(bytes.toString('utf8', 2, userEnd), bytes.toString('utf8', userEnd + 1))
  if (!isRight) throw new ProxyRefusal('its user or password is wrong', Buffer.from([LOGIN_VERSION, 1]))
  return Buffer.from([LOGIN_VERSION, 0])
}

/** Something whose byte `at` counts the bytes behind it. */
function counted(at: number): Want {
  return { lengthOf: (bytes) => (bytes.length > at ? at + 1 + bytes[at]! : undefined) }
}

function loginLength(bytes: Buffer): number | undefined {
  if (bytes.length > 0 && bytes[0] !== LOGIN_VERSION)
    throw new ProxyRefusal('its login has an unknown version')
  const passwordAt = bytes.length > 1 ? 2 + bytes[1]! : Infinity
  return bytes.length > passwordAt ? passwordAt + 1 + bytes[passwordAt]! : undefined
}

function requestLength(bytes: Buffer): number | undefined {
  if (bytes.length <= HEAD_BYTES) return undefined
  const hostBytes = hostBytesOf(bytes)
  if (hostBytes === undefined)
    throw new ProxyRefusal('its address has an unknown type', reply(TYPE_NOT_SUPPORTED))
  return HEAD_BYTES + hostBytes + 2
}

/** The place that the program sends its packets to: as in front of a packet, behind other first bytes. */
function associated(bound: HostPort): Buffer {
  return Buffer.concat([Buffer.from([SOCKS_VERSION, REPLIES.ok, 0]), encodeSocksHead(bound).subarray(3)])
}

/** No program uses the address that it was connected from: zeros. */
function reply(code: number): Buffer {
  return Buffer.from([SOCKS_VERSION, code, 0, IPV4, 0, 0, 0, 0, 0, 0])
}
