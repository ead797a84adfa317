// SPDX-License-Identifier: Apache-2.0
/**
 * Names that programs inside have asked for, each with addresses that stand for it. The name itself goes to `multipath serve`,
 * which looks it up: its rules for names apply, and no connection waits for a lookup of ours.
 */
import { setNewest } from '../set-newest.js'
import { addressBytes } from './address-bytes.js'

/** What stands for one name: bytes of addresses. */
export interface NameAddresses {
  readonly ipv4: readonly number[]
  readonly ipv6: readonly number[]
}

/** Names at a time; the one used longest ago is forgotten. */
export const MAX_NAMES = 16_384
/** 198.18.0.0/15, which no network of the internet uses (RFC 2544), without 256 addresses: the interface has one of them. */
const FIRST = 256
const END = 131_072
const IPV4_PREFIX = [198, 18]
/** All of it, in the notation of networks. */
export const IPV4_NAMES: string = `${IPV4_PREFIX.join('.')}.0.0/15`
/** fd6d:7061:7468::/96, for local use (RFC 4193). */
const IPV6_PREFIX = [0xfd, 0x6d, 0x70, 0x61, 0x74, 0x68, 0, 0, 0, 0, 0, 0]

export class NameTable {
  /** In the order of their use. */
  readonly #indexes = new Map<string, number>()
  readonly #names = new Map<number, string>()
  #next: number

  /** @param skipped - addresses to pass over at first, any number: those that an earlier table may have given */
  constructor(skipped = 0) {
    this.#next = FIRST + (skipped % (END - FIRST))
  }

  get size(): number {
    return this.#names.size
  }

  /** The addresses for `name`, which is canonical: the same for as long as it is remembered. */
  addressesOf(name: string): NameAddresses {
    const index = this.#indexes.get(name) ?? this.#newIndex()
    this.#use(name, index)
    const [high, middle, low] = [index >> 16, (index >> 8) & 0xff, index & 0xff]
    return {
      ipv4: [IPV4_PREFIX[0]!, IPV4_PREFIX[1]! + high, middle, low],
      ipv6: [...IPV6_PREFIX, 0, high, middle, low],
    }
  }

  /** The name that an address stands for, if it does. */
  nameOf(address: string): string | undefined {
    const index = indexOf(addressBytes(address) ?? [])
    const name = index === undefined ? undefined : this.#names.get(index)
    if (name !== undefined) this.#use(name, index!)
    return name
  }

  #use(name: string, index: number): void {
    this.#names.set(index, name)
    const [, forgotten] = setNewest(this.#indexes, name, index, MAX_NAMES) ?? []
    if (forgotten !== undefined) this.#names.delete(forgotten)
  }

  /** One that was in use comes last: programs may keep what they were told. */
  #newIndex(): number {
    for (;;) {
      const index = this.#next
      this.#next = index + 1 === END ? FIRST : index + 1
      if (!this.#names.has(index)) return index
    }
  }
}

function indexOf(bytes: readonly number[]): number | undefined {
  const [high, middle, low] = bytes.slice(-3)
  if (bytes.length === 4 && bytes[0] === IPV4_PREFIX[0] && bytes[1]! - IPV4_PREFIX[1]! < 2)
    return (high! - IPV4_PREFIX[1]!) * 65_536 + middle! * 256 + low!
  const isOurs = bytes.length === 16 && IPV6_PREFIX.every((byte, at) => bytes[at] === byte)
  return isOurs ? high! * 65_536 + middle! * 256 + low! : undefined
}
