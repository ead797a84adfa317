// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { OptionError } from '../../lib/errors.js'
import { findAddressPairs } from '../../lib/paths/find-address-pairs.js'

describe('findAddressPairs', () => {
  it('gives the pairs that there are, and the names that have none', async () => {
    const lookup = async (host: string): Promise<{ address: string; family: number }[]> => {
      if (host === 'none.example') throw new Error('getaddrinfo ENOTFOUND')
      return [{ address: '127.0.0.5', family: 4 }]
    }
    const targets = ['none.example', 'peer.example'].map((host) => ({ host, port: 80 }))
    const { pairs, failures } = await findAddressPairs({ targets, lookup, addresses: '127.0.0.1' })
    expect(pairs).toMatchObject([
      { host: '127.0.0.5', port: 80, family: 4, localAddress: '127.0.0.1', target: 'peer.example' },
    ])
    expect(failures).toMatchObject([
      { code: 'ERR_MULTIPATH_NO_PATH', message: 'none.example:80: getaddrinfo ENOTFOUND' },
    ])
  })

  it('gives not more than maxPaths', async () => {
    const { pairs } = await findAddressPairs({ host: '127.0.0.1', port: 80, multiplier: 9, maxPaths: 7 })
    expect(pairs.map(({ label }) => label.at(-1)).join('')).toBe('1234567')
  })

  it('looks the names of the system up', async () => {
    const { pairs } = await findAddressPairs({ host: 'localhost', port: 80, family: 4, interfaces: false })
    expect(pairs.map(({ host }) => host)).toEqual(['127.0.0.1'])
  })

  it('refuses what interfacePaths would', async () => {
    await expect(findAddressPairs({ host: 'peer.example' })).rejects.toBeInstanceOf(OptionError)
  })
})
