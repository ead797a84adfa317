// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import type { FoundAddress } from '../../lib/paths/target-addresses.js'
import { TargetAddresses } from '../../lib/paths/target-addresses.js'

const answer = (...addresses: string[]): FoundAddress[] =>
  addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
const named = (family: 0 | 4 | 6 = 0, most = 64): TargetAddresses =>
  new TargetAddresses({ host: 'peer.example', port: 80 }, family, most)
const known = (addresses: TargetAddresses): string[] => addresses.addresses.map(({ address }) => address)
const never = async (): Promise<never> => {
  throw new Error('getaddrinfo ENOTFOUND')
}

describe('addresses of a target', () => {
  it('are those of the answer, each once, with what was asked for', async () => {
    const addresses = named()
    await addresses.lookUp(async () => answer('192.0.2.1', '192.0.2.1', '2001:db8::1'))
    expect(addresses.addresses).toEqual([
      { address: '192.0.2.1', family: 4, port: 80, target: 'peer.example' },
      { address: '2001:db8::1', family: 6, port: 80, target: 'peer.example' },
    ])
  })

  it.each(['::1', '192.0.2.9', 'fe80::1%eth0'])('are %s itself where that is the host', async (host) => {
    const addresses = new TargetAddresses({ host, port: 80 }, 0, 64)
    await addresses.lookUp(never)
    expect(known(addresses)).toEqual([host])
  })

  it('stay when a lookup fails', async () => {
    const addresses = named()
    addresses.take(answer('192.0.2.1'))
    await expect(addresses.lookUp(never)).rejects.toThrow('ENOTFOUND')
    expect(known(addresses)).toEqual(['192.0.2.1'])
  })

  it('go when they are missing from two answers in a row, for an answer may be half of the truth', () => {
    const addresses = named()
    addresses.take(answer('192.0.2.1', '2001:db8::1'))
    addresses.take(answer('192.0.2.1'))
    expect(known(addresses)).toEqual(['192.0.2.1', '2001:db8::1'])
    addresses.take(answer('192.0.2.1', '2001:db8::1'))
    addresses.take(answer('192.0.2.1'))
    expect(known(addresses)).toEqual(['192.0.2.1', '2001:db8::1'])
    addresses.take(answer('192.0.2.1'))
    expect(known(addresses)).toEqual(['192.0.2.1'])
  })

  it('are of the family that was asked for, whatever the answer has', async () => {
    const addresses = named(6)
    await addresses.lookUp(async () => answer('192.0.2.1', '2001:db8::1', 'no address'))
    expect(known(addresses)).toEqual(['2001:db8::1'])
    await expect(addresses.lookUp(async () => answer('192.0.2.1'))).rejects.toMatchObject({
      code: 'ERR_MULTIPATH_NO_PATH',
      message: 'peer.example:80: no IPv6 address found',
    })
    expect(known(addresses)).toEqual(['2001:db8::1'])
  })

  it('are not more than the limit, in one answer or in several', () => {
    const addresses = named(0, 3)
    addresses.take(answer('192.0.2.1', '192.0.2.2'))
    addresses.take(answer('192.0.2.3', '192.0.2.4'))
    expect(known(addresses)).toEqual(['192.0.2.3', '192.0.2.4', '192.0.2.1'])
    addresses.take(answer(...Array.from({ length: 200 }, (_, index) => `198.51.100.${index}`)))
    expect(known(addresses)).toHaveLength(3)
  })

  it('hold for as long as the shortest TTL says, where one is known', async () => {
    const found = answer('192.0.2.1', '192.0.2.2')
    expect(await named().lookUp(async () => found)).toBeUndefined()
    const withTtl = found.map((one, index) => ({ ...one, ttl: 60 - index }))
    expect(await named().lookUp(async () => withTtl)).toBe(59_000)
  })
})
