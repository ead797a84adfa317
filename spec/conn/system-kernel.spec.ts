// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import {
  isModelBasedName,
  kernelRetransmits,
  parseRetransmits,
  systemKernel,
} from '../../lib/conn/system-kernel.js'
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
    const { kernelOf } = nodePorts(network.clock)
    const { retransmits } = kernelOf(near)!
    expect(retransmits()).toBe(0)
    far.resume()
    near.write(Buffer.alloc(100_000))
    await network.clock.run(2000)
    expect(retransmits()).toBeGreaterThan(0)
    expect(kernelOf(far)?.retransmits()).toBe(0)
    expect(kernelOf(new PassThrough())).toBeUndefined()
    if (process.platform === 'linux')
      expect(nodePorts(systemClock).kernelOf(new PassThrough())?.retransmits()).toBeTypeOf('number')
  })
})

describe('a kernel that sends by a model of the path', () => {
  it('is one with BBR, in simulations', () => {
    const network = new SimulatedNetwork()
    const { kernelOf } = nodePorts(network.clock)
    const kernels = (['none', 'cubic', 'bbr'] as const).map((kernel) => network.link({ kernel }).open()[0])
    expect(kernels.map((stream) => kernelOf(stream)?.isModelBased)).toEqual([false, false, true])
  })

  it.each([
    ['bbr\n', true],
    ['bbr3\n', true],
    ['cubic\n', false],
    ['', false],
  ])('is one whose congestion control is %j', (name, isModelBased) => {
    expect(isModelBasedName(name)).toBe(isModelBased)
  })

  it.runIf(process.platform === 'linux')('is what Linux says', () => {
    const name = readFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'latin1')
    expect(systemKernel().isModelBased).toBe(isModelBasedName(name))
  })
})
