// SPDX-License-Identifier: Apache-2.0
import { endianness } from 'node:os'
import { describe, expect, it } from 'vitest'
import { Destinations } from '../../../lib/cli/run/destinations.js'
import type { Accepted } from '../../../lib/cli/run/kernel-table.js'
import { DialledPorts } from '../../../lib/cli/run/kernel-table.js'
import { NameTable } from '../../../lib/cli/run/name-table.js'

const HEAD =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n'
const REST =
  '01 00000000:00000000 00:00000000 00000000     0        0 9462415 2 0000000077648ec4 20 0 0 10 -1\n'
/** The client's socket, then that which was accepted for it. */
const TCP = `${HEAD}   0: 010012C6:A52C 077100CB:01BB ${REST}`
const TCP6 = `${HEAD}   0: 0000000000000000FFFF0000077100CB:0001 0000000000000000FFFF0000010012C6:A52C ${REST}\
   1: B80D0120000000000000000007000000:0001 61706DFD000068740000000001000000:979E ${REST}\
  12: 61706DFD000068740000000001000000:979E B80D0120000000000000000007000000:20FB ${REST}\
  13: 0000000000000000FFFF0000010012C6:B000 0000000000000000FFFF0000077100CB:0016 ${REST}`

const from = (clientAddress: string, clientPort: number, serverAddress: string): Accepted => ({
  clientAddress,
  clientPort,
  serverAddress,
})
const OF_IPV4 = from('::ffff:198.18.0.1', 0xa52c, '::ffff:203.0.113.7')

describe.skipIf(endianness() !== 'LE')('the port that was dialled', () => {
  const ports = new DialledPorts([TCP, TCP6])

  it.each([
    ['of an IPv4 socket', OF_IPV4, 443],
    ['of an IPv6 socket', from('fd6d:7061:7468::1', 0x979e, '2001:db8::7'), 8443],
    ['of an IPv6 socket that dialled IPv4', from('198.18.0.1', 0xb000, '203.0.113.7'), 22],
  ])('is in the row %s', (_, accepted, port) => {
    expect(ports.of(accepted)).toBe(port)
  })

  it.each([
    from('198.18.0.1', 1, '203.0.113.7'),
    from('198.18.0.1', 0xa52c, '203.0.113.8'),
    from('198.18.0.2', 0xa52c, '203.0.113.7'),
    from('', 0, ''),
    from('fe80::1%lo', 0xa52c, 'fe80::1%lo'),
  ])('is not known of %j', (accepted) => {
    expect(ports.of(accepted)).toBeUndefined()
  })
})

describe.skipIf(endianness() !== 'LE')('destinations', () => {
  it('of connections that come at the same time need one look at the tables', async () => {
    const reads: ((tables: string[]) => void)[] = []
    const destinations = new Destinations(
      new NameTable(),
      () => new Promise((resolve) => reads.push(resolve)),
    )
    const first = destinations.of(OF_IPV4)
    const [second, third] = [destinations.of(OF_IPV4), destinations.of(from('198.18.0.1', 1, '203.0.113.7'))]
    expect(reads).toHaveLength(1)
    reads[0]!([TCP, TCP6])
    expect(await first).toEqual({ host: '203.0.113.7', port: 443 })
    expect(reads).toHaveLength(2)
    // They had come after that look began.
    reads[1]!([TCP, TCP6])
    expect(await second).toEqual({ host: '203.0.113.7', port: 443 })
    expect(await third).toBeUndefined()
    expect(reads).toHaveLength(2)
  })

  it('are names where an address stands for one', async () => {
    const names = new NameTable()
    names.addressesOf('web.example')
    const row = `   0: 010012C6:A52C 000112C6:01BB ${REST}`
    const destinations = new Destinations(names, async () => [HEAD + row])
    expect(await destinations.of(from('198.18.0.1', 0xa52c, '198.18.1.0'))).toEqual({
      host: 'web.example',
      port: 443,
    })
  })

  it('are found in the tables of this machine', async () => {
    const destinations = new Destinations(new NameTable())
    expect(await destinations.of(from('203.0.113.1', 1, '203.0.113.2'))).toBeUndefined()
  })
})
