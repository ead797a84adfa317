// SPDX-License-Identifier: Apache-2.0
/**
 * The first words on each stream of a session, written by the side that opened it, and the answer to them:
 *
 * ```
 * request   version 1 | kind 1 | port 2 | length 1 | host or name …
 * answer    version 1 | code 1
 * ```
 *
 * What a stream carries follows right behind its request, without waiting for the answer.
 */

/** Unknown versions and kinds are refused. */
const VERSION = 1
/** Before host or name. */
export const REQUEST_HEAD_BYTES = 5
export const ANSWER_BYTES = 2
const MAX_HOST_BYTES = 255

/**
 * What a stream is for.
 * - `connect`: to a TCP server at `host` and `port`
 * - `service`: to the place that is called `host`; `port` is 0
 * - `listen`: listen at `host` and `port` for as long as this stream is open
 * - `incoming`: a connection that came to the place that `listen` asked for
 * - `udp`: to a UDP server at `host` and `port`, or to the place that is called `host` where `port` is 0. Packets follow, each behind
 *   its length as a varint, until the answer; from then on they are datagrams of the connection, each behind the number of the stream
 * - `measure`: bytes without meaning, for the seconds in `port`; `host` is `download` or `upload`, as the client sees it
 */
export type RequestKind = 'connect' | 'service' | 'listen' | 'incoming' | 'measure' | 'udp'
const KINDS: readonly RequestKind[] = ['connect', 'service', 'listen', 'incoming', 'measure', 'udp']

export interface StreamRequest {
  readonly kind: RequestKind
  readonly host: string
  readonly port: number
}

/** Why a stream was refused; its place in the list is its code on the wire, from 1. */
export type Refusal =
  | 'not-allowed'
  | 'not-found'
  | 'unreachable'
  | 'refused'
  | 'timeout'
  | 'limit'
  | 'address-in-use'
  | 'bad-request'
  | 'failed'
const REFUSALS: readonly Refusal[] = [
  'not-allowed',
  'not-found',
  'unreachable',
  'refused',
  'timeout',
  'limit',
  'address-in-use',
  'bad-request',
  'failed',
]

export type Answer = 'ok' | Refusal

/** @throws {RangeError} for a host that is empty or too long */
export function encodeRequest({ kind, host, port }: StreamRequest): Buffer {
  const name = Buffer.from(host)
  if (name.length === 0 || name.length > MAX_HOST_BYTES)
    throw new RangeError(`host must have 1 to ${MAX_HOST_BYTES} bytes`)
  const head = Buffer.from([VERSION, KINDS.indexOf(kind) + 1, port >> 8, port & 0xff, name.length])
  return Buffer.concat([head, name])
}

/** What a head says: how many bytes of host follow. `undefined`: it is no head of ours. */
export function decodeRequestHead(
  head: Uint8Array,
): { readonly kind: RequestKind; readonly port: number; readonly hostBytes: number } | undefined {
  const [version, kindCode = 0, high = 0, low = 0, hostBytes = 0] = head
  const kind = KINDS[kindCode - 1]
  const port = high * 256 + low
  if (version !== VERSION || kind === undefined || hostBytes === 0) return undefined
  if (kind !== 'udp' && (kind === 'service') !== (port === 0)) return undefined
  return { kind, port, hostBytes }
}

export function encodeAnswer(answer: Answer): Buffer {
  return Buffer.from([VERSION, answer === 'ok' ? 0 : REFUSALS.indexOf(answer) + 1])
}

/** Codes of a later version are failures. `undefined`: it is no answer of ours. */
export function decodeAnswer([version, code]: Uint8Array): Answer | undefined {
  if (version !== VERSION || code === undefined) return undefined
  return code === 0 ? 'ok' : (REFUSALS[code - 1] ?? 'failed')
}
