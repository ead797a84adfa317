// SPDX-License-Identifier: Apache-2.0
/** The server's part of the handshake of a local proxy: SOCKS5 and HTTP CONNECT, told apart by the first byte. */
import { httpHandshake } from './http-handshake.js'
import type { CheckLogin, ProxyHandshake, ProxyRequest, Want } from './proxy-handshake.js'
import { ProxyRefusal } from './proxy-handshake.js'
import { SOCKS_VERSION, socksHandshake } from './socks-handshake.js'

/** One client's handshake. Keeps what it is given until it is taken; whatever is wanted has a limit of its own. */
export class ProxyReader {
  readonly #login: CheckLogin
  #handshake: ProxyHandshake | undefined
  #want: Want | undefined
  #bytes: Buffer = Buffer.alloc(0)
  #request: ProxyRequest | undefined

  constructor(login: CheckLogin) {
    this.#login = login
  }

  /** Once there is one, nothing more is taken. */
  get request(): ProxyRequest | undefined {
    return this.#request
  }

  /** What has come behind the request: the first bytes of what is to be forwarded. */
  get rest(): Buffer {
    return this.#bytes
  }

  /**
   * Takes what has come.
   *
   * @returns what is to be sent back
   * @throws {ProxyRefusal}
   */
  push(chunk: Buffer): Buffer {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk])
    const sent: Uint8Array[] = []
    try {
      this.#advance(sent)
    } catch (error) {
      if (!(error instanceof ProxyRefusal)) throw error
      throw new ProxyRefusal(error.message, Buffer.concat([...sent, error.answer]))
    }
    return Buffer.concat(sent)
  }

  #advance(sent: Uint8Array[]): void {
    if (this.#bytes.length === 0 || this.#request !== undefined) return
    if (this.#handshake === undefined) {
      this.#handshake = handshakeFor(this.#bytes[0]!, this.#login)
      this.#step(this.#handshake.next(), sent)
    }
    while (this.#want !== undefined) {
      const length = this.#want.lengthOf(this.#bytes)
      if (length === undefined || length > this.#bytes.length) return
      const wanted = this.#bytes.subarray(0, length)
      this.#bytes = this.#bytes.subarray(length)
      this.#step(this.#handshake.next(wanted), sent)
    }
  }

  #step(step: IteratorResult<Want, ProxyRequest>, sent: Uint8Array[]): void {
    this.#want = step.done === true ? undefined : step.value
    if (step.done === true) this.#request = step.value
    else if (step.value.send !== undefined) sent.push(step.value.send)
  }
}

function handshakeFor(first: number, login: CheckLogin): ProxyHandshake {
  if (first === SOCKS_VERSION) return socksHandshake(login)
  if (first >= 0x41 && first <= 0x5a) return httpHandshake(login)
  throw new ProxyRefusal('it speaks neither SOCKS5 nor HTTP')
}
