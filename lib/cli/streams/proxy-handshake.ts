// SPDX-License-Identifier: Apache-2.0
/** What the handshakes of a local proxy have in common: each is a generator over bytes, and does no IO. */
import type { HostPort } from '../parse.js'
import type { Answer } from './stream-request.js'

/** What is said first, if anything, and what is waited for then. */
export interface Want {
  readonly send?: Uint8Array
  /** Bytes of what is wanted, as far as `bytes` shows; `undefined`: more is needed to tell. It may throw. */
  readonly lengthOf: (bytes: Buffer) => number | undefined
}

/** What a client asked for, and the words of the answers. */
export interface ProxyRequest {
  readonly protocol: 'socks5' | 'http'
  /** As the client wrote it: a name or an address. */
  readonly host: string
  readonly port: number
  readonly answer: (answer: Answer | 'unavailable') => Uint8Array
  /** It wants a UDP port rather than a connection: the answer with the place that it sends to. */
  readonly associated?: (bound: HostPort) => Uint8Array
}

/** Whether user and password are right; `undefined` where none are wanted. */
export type CheckLogin = ((user: string, password: string) => boolean) | undefined

/** Is given what it wanted, and returns the request. @throws {ProxyRefusal} */
export type ProxyHandshake = Generator<Want, ProxyRequest, Buffer>

/** The client did not speak as it should, or may not. */
export class ProxyRefusal extends Error {
  /** Goes out before the connection is closed. */
  readonly answer: Uint8Array

  constructor(message: string, answer: Uint8Array = new Uint8Array()) {
    super(message)
    this.name = 'ProxyRefusal'
    this.answer = answer
  }
}
