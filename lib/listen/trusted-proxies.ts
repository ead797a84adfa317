// SPDX-License-Identifier: Apache-2.0
/** Streams of trusted balancers: their PROXY header is read, and the stream gets the addresses that it names. */
import { BlockList, isIP } from 'node:net'
import type { ReadHelloInit } from '../conn/hello-io.js'
import { readOpening } from '../conn/hello-io.js'
import { OptionError } from '../errors.js'
import type { IncomingStream } from '../transport/transport.js'
import { giveAddresses } from './addresses.js'
import { decodeProxyHeader } from './proxy-header.js'
import { assertPlain } from './servers.js'

/** Who may name another address than its own: a list of Node, or addresses and networks such as `10.0.0.0/24`. */
export type TrustedProxies = BlockList | readonly string[]

/** What a balancer's stream turned out to be. */
export type ProxiedKind = 'client' | 'check'

/** @throws {OptionError} for a wrong list, or where there is a TLS server */
export function gateFor(
  servers: readonly object[],
  trusted: TrustedProxies | undefined,
): ProxyGate | undefined {
  if (trusted === undefined) return undefined
  assertPlain(servers, 'trustedProxies')
  return new ProxyGate(trusted)
}

export class ProxyGate {
  readonly #trusted: BlockList

  /** @throws {OptionError} */
  constructor(trusted: TrustedProxies) {
    this.#trusted = trustedList(trusted)
  }

  /** Whether the stream has to begin with a PROXY header: a trusted proxy is at its other end. */
  expectsHeader({ remoteAddress: address = '' }: IncomingStream): boolean {
    const family = isIP(address)
    return family !== 0 && this.#trusted.check(address, family === 6 ? 'ipv6' : 'ipv4')
  }

  /**
   * Takes the header off the stream; afterwards it has the client's addresses, and what came behind the header is its
   * next bytes. Resolves with `check` where the balancer speaks for itself, and with `undefined` where it closes
   * without a word, as health checks do.
   *
   * @throws as readOpening; ERR_MULTIPATH_HANDSHAKE for what is no header
   */
  async admit(stream: IncomingStream, init: ReadHelloInit): Promise<ProxiedKind | undefined> {
    let heardBytes = 0
    const decode: typeof decodeProxyHeader = (bytes) => {
      heardBytes = bytes.length
      return decodeProxyHeader(bytes)
    }
    try {
      const { value, head } = await readOpening(stream, decode, init)
      if (value.addresses !== undefined) giveAddresses(stream, value.addresses)
      if (head.length > 0) stream.unshift(head)
      return value.isLocal ? 'check' : 'client'
    } catch (error) {
      if (heardBytes === 0 && (error as { code?: unknown }).code === 'ERR_MULTIPATH_HANDSHAKE')
        return undefined
      throw error
    }
  }
}

/** @throws {OptionError} */
export function trustedList(trusted: unknown): BlockList {
  if (trusted instanceof BlockList) return trusted
  if (!Array.isArray(trusted)) throw wrong('must be a net.BlockList or an array')
  const list = new BlockList()
  for (const entry of trusted) add(list, entry)
  return list
}

function add(list: BlockList, entry: unknown): void {
  if (typeof entry !== 'string') throw wrong('must hold texts')
  const [, address = '', prefix] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(entry) ?? []
  const family = isIP(address)
  if (family === 0 || Number(prefix ?? 0) > (family === 4 ? 32 : 128))
    throw wrong(`must hold addresses, or networks such as 10.0.0.0/24, got ${JSON.stringify(entry)}`)
  const name = family === 4 ? 'ipv4' : 'ipv6'
  if (prefix === undefined) list.addAddress(address, name)
  else list.addSubnet(address, Number(prefix), name)
}

function wrong(what: string): OptionError {
  return new OptionError(`trustedProxies ${what}`)
}
