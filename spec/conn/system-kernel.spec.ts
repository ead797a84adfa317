// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import {
  CongestionControls,
  COUNT_FRESH_MS,
  isModelBasedName,
  kernelRetransmits,
  parseRetransmits,
  parseSockets,
  parseWindow,
  Recent,
  SystemKernel,
} from '../../lib/conn/system-kernel.js'
import { nodePorts } from '../../lib/conn/node-ports.js'
import { systemClock } from '../../lib/clock.js'
import { tcpPair } from '../support/mux.js'
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

  it('are read again after 20 ms, however often they are asked for', () => {
    let reads = 0
    const retransmits = new Recent(COUNT_FRESH_MS, () => ++reads)
    expect([0, 1, 19, 20, 39, 60].map((now) => retransmits.at(now))).toEqual([1, 1, 1, 2, 2, 3])
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
    expect(kernels.map((stream) => kernelOf(stream)?.isModelBased())).toEqual([false, false, true])
  })

  it.each([
    ['bbr\n', true],
    ['bbr3\n', true],
    ['cubic\n', false],
    ['', false],
  ])('is one whose congestion control is %j', (name, isModelBased) => {
    expect(isModelBasedName(name)).toBe(isModelBased)
  })

  it.runIf(process.platform === 'linux')('is what Linux says of a socket', async () => {
    const [near, far] = await tcpPair()
    far.pipe(far)
    near.write('hello')
    // With it comes the ack.
    await once(near, 'data')
    const name = readFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'latin1')
    expect(new SystemKernel(near).isModelBased()).toBe(isModelBasedName(name))
    expect(new SystemKernel(new PassThrough()).isModelBased()).toBe(isModelBasedName(name))
    near.destroy()
    far.destroy()
  })
})

const HEAD =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n'
const row = (local: string, remote: string, state: string, window: number): string =>
  `   1: 01004D0A:${local} 02004D0A:${remote} ${state} 00000000:00000000 00:00000000 00000000     0        0 77 1 0000000000000000 20 4 30 ${window} -1   \n`

describe('the congestion window of a socket', () => {
  it('is found by its ports among those that are connected', () => {
    const sockets =
      HEAD + row('EE0E', '1B58', '06', 8) + row('EE0F', '1B58', '01', 9) + row('EE0E', '1B58', '01', 12)
    expect(parseWindow(sockets, 0xee0e, 7000)).toBe(12)
    expect(parseWindow(sockets, 7000, 0xee0e)).toBeUndefined()
  })

  it('is unknown where two have the same ports', () => {
    expect(
      parseWindow(HEAD + row('0050', '1B58', '01', 9) + row('0050', '1B58', '01', 12), 80, 7000),
    ).toBeUndefined()
  })
})

describe('the congestion control of a socket', () => {
  const ENDS = { localPort: 80, localFamily: 'IPv4', remotePort: 7000 }
  const FILES: Readonly<Record<string, string>> = {
    '/proc/sys/net/ipv4/tcp_congestion_control': 'bbr\n',
    '/proc/self/net/sockstat': 'sockets: used 8\nTCP: inuse 2 orphan 0 tw 1 alloc 2 mem 208\n',
    '/proc/self/net/tcp': HEAD + row('0050', '1B58', '01', 10),
    '/proc/self/net/tcp6': HEAD + row('0050', '1B58', '01', 11),
  }
  const reading = (
    files: Readonly<Record<string, string | undefined>>,
  ): CongestionControls & { read: string[] } => {
    const read: string[] = []
    const all = { ...FILES, ...files }
    return Object.assign(new CongestionControls((file) => (read.push(file), all[file])), { read })
  }

  it('is not the one of the system where the window has not grown: its route names another', () => {
    expect(reading({}).isModelBased(ENDS, 0)).toBe(false)
    expect(reading({}).isModelBased({ ...ENDS, localFamily: 'IPv6' }, 0)).toBe(true)
  })

  it.each([
    ['the socket is not listed', { '/proc/self/net/tcp': HEAD }],
    ['there is no list', { '/proc/self/net/tcp': undefined }],
    ['nobody knows how many sockets there are', { '/proc/self/net/sockstat': undefined }],
    [
      'there are more sockets than can be listed in no time',
      { '/proc/self/net/sockstat': 'TCP: inuse 700 orphan 0 tw 301 alloc 702 mem 208\n' },
    ],
  ])('is the one of the system where %s', (_, files) => {
    expect(reading(files).isModelBased(ENDS, 0)).toBe(true)
  })

  it('is asked for without a list where the system has one that all losses slow down', () => {
    const controls = reading({ '/proc/sys/net/ipv4/tcp_congestion_control': 'cubic\n' })
    expect(controls.isModelBased(ENDS, 0)).toBe(false)
    expect(controls.read).toHaveLength(1)
  })

  it('is read from the list twenty times a second at most, whoever connects', () => {
    const controls = reading({})
    const found = Array.from({ length: 100 }, () => controls.isModelBased(ENDS, 5))
    expect(found.filter((isModelBased) => !isModelBased)).toHaveLength(20)
    expect(controls.read.filter((file) => file === '/proc/self/net/tcp')).toHaveLength(20)
    expect(controls.isModelBased(ENDS, 1005)).toBe(false)
  })

  it('counts the sockets that wait for late packets', () => {
    expect(parseSockets(FILES['/proc/self/net/sockstat']!)).toBe(3)
  })
})
