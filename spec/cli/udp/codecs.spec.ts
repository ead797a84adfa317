// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it, vi } from 'vitest'
import { packetOf } from '../../../lib/cli/udp/flow-hub.js'
import { FlowTable } from '../../../lib/cli/udp/flow-table.js'
import { decodeSocksPacket, encodeSocksHead } from '../../../lib/cli/udp/socks-packet.js'

describe('a packet of SOCKS5', () => {
  it.each([
    ['10.0.0.1', '000000010a000001' + '0035'],
    ['fd00::1', '00000004fd000000000000000000000000000001' + '0035'],
    ['a.example', '0000000309612e6578616d706c65' + '0035'],
  ])('says where it goes: %s', (host, hex) => {
    const head = encodeSocksHead({ host, port: 53 })
    expect(head.toString('hex')).toBe(hex)
    const decoded = decodeSocksPacket(Buffer.concat([head, Buffer.from('query')]))!
    expect(decoded.port).toBe(53)
    expect(decoded.payload.toString()).toBe('query')
    expect(encodeSocksHead(decoded).toString('hex')).toBe(hex)
  })

  it.each([
    ['is a fragment', '000001010a0000010035'],
    ['is cut', '000000010a00000100'],
    ['has an unknown type', '000000020a0000010035'],
    ['is empty', ''],
  ])('is none where it %s', (_what, hex) => {
    expect(decodeSocksPacket(Buffer.from(hex, 'hex'))).toBeUndefined()
  })
})

describe('a packet of a flow', () => {
  it('stands behind the number of its flow', () => {
    const { id, packet } = packetOf(Buffer.from('4141' + '78', 'hex'))!
    expect([id, packet.toString()]).toEqual([0x141, 'x'])
  })

  it.each([
    ['has no number', Buffer.of()],
    ['ends in its number', Buffer.of(0x40)],
    ['has a number that is too large', Buffer.alloc(8, 0xff)],
    ['is longer than UDP has', Buffer.alloc(65_509)],
  ])('is none where it %s', (_what, bytes) => {
    expect(packetOf(bytes)).toBeUndefined()
  })
})

describe('a table of flows', () => {
  it('has the flow that was used longest ago make room', () => {
    const table = new FlowTable<{ close: () => void }>()
    const flows = Array.from({ length: 513 }, () => ({ close: vi.fn() }))
    for (let n = 0; n < 512; n++) table.use(String(n), () => flows[n]!)
    table.use('0', () => expect.unreachable())
    table.use('512', () => flows[512]!)
    expect(table.size).toBe(512)
    expect(flows.filter(({ close }) => close.mock.calls.length > 0)).toEqual([flows[1]])
    table.clear()
    expect(table.size).toBe(0)
    for (const { close } of flows) expect(close).toHaveBeenCalledTimes(1)
  })
})
