// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { kernelRetransmits, parseRetransmits } from '../../lib/conn/kernel-retransmits.js'
import { nodePorts } from '../../lib/conn/node-ports.js'
import { systemClock } from '../../lib/clock.js'
import { SimulatedNetwork } from '../../lib/testing/simulated-network.js'

const NETSTAT = `TcpExt: SyncookiesSent TCPFastRetrans TCPSlowStartRetrans TCPLossProbes
TcpExt: 0 5692 17 231528
IpExt: InNoRoutes InMcastPkts
IpExt: 0 7
`

describe('the segments that the kernel has sent again', () => {
  it('are read by the name of their column', () => {
    expect(parseRetransmits(NETSTAT)).toBe(5692)
  })

  it.each([
    '',
    'TcpExt: TCPFastRetrans\n',
    'TcpExt: OutSegs\nTcpExt: 5\n',
    'TcpExt: TCPFastRetrans\nTcpExt: many\n',
  ])('are unknown where %j is all that there is', (text) => {
    expect(parseRetransmits(text)).toBeUndefined()
  })

  it.runIf(process.platform === 'linux')('are what Linux says', () => {
    const before = parseRetransmits(readFileSync('/proc/net/netstat', 'latin1'))!
    const now = kernelRetransmits()!
    const after = parseRetransmits(readFileSync('/proc/net/netstat', 'latin1'))!
    expect(now).toBeGreaterThanOrEqual(before)
    expect(now).toBeLessThanOrEqual(after)
  })

  it('are those of a simulated stream itself, and no others in simulated time', async () => {
    const network = new SimulatedNetwork()
    const [near, far] = network.link({ lossRate: 0.2 }).open()
    const { retransmits } = nodePorts(network.clock)
    expect(retransmits(near)).toBe(0)
    far.resume()
    near.write(Buffer.alloc(100_000))
    await network.clock.run(2000)
    expect(retransmits(near)).toBeGreaterThan(0)
    expect(retransmits(far)).toBe(0)
    expect(retransmits(new PassThrough())).toBeUndefined()
    if (process.platform === 'linux')
      expect(nodePorts(systemClock).retransmits(new PassThrough())).toBeTypeOf('number')
  })
})
