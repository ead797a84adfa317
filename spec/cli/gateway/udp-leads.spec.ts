// SPDX-License-Identifier: Apache-2.0
/** Which packets of the port of a gateway go where, in virtual time. */
import { describe, expect, it } from 'vitest'
import { UdpLeads } from '../../../lib/cli/gateway/udp-leads.js'
import type { Traced } from '../../../lib/cli/run/udp-trace.js'

const CLIENT = '192.168.7.2'

function traced(text: string, clientPort: number, address: string): Traced {
  const bytes = Buffer.from(text)
  const beginning = bytes.toString('hex', 0, 12)
  return { clientAddress: CLIENT, clientPort, address, port: 443, bytes: bytes.length, beginning }
}

class Leads extends UdpLeads {
  /** Ports, destinations and packets that were told of. */
  told: string[]

  constructor() {
    const told: string[] = []
    super(({ client, destination }, packet) =>
      told.push(`${client.port} → ${destination.host}: ${String(packet)}`),
    )
    this.told = told
  }

  packet(text: string, port: number, now: number): void {
    this.came({ host: CLIENT, port }, Buffer.from(text), now)
  }
}

describe('packets at the port of a gateway', () => {
  it('go where the line about the first of a flow says, whichever comes first, and the next ones follow', () => {
    const leads = new Leads()
    leads.packet('a0', 5000, 0)
    leads.traced(traced('a0', 5000, 'A'), 1)
    leads.traced(traced('b0', 6000, 'B'), 2)
    leads.packet('b0', 6000, 3)
    leads.packet('a1', 5000, 4)
    leads.packet('b1', 6000, 5)
    expect(leads.told).toEqual(['5000 → A: a0', '6000 → B: b0', '5000 → A: a1', '6000 → B: b1'])
  })

  it('are told apart where the kernel has changed the port of a second flow from the same one', () => {
    const leads = new Leads()
    for (const [text, address] of [
      ['to A', 'A'],
      ['to B', 'B'],
    ] as const)
      leads.traced(traced(text, 5000, address), 0)
    leads.packet('to A', 5000, 1)
    leads.packet('to B', 31_000, 1)
    leads.packet('more', 31_000, 2)
    leads.packet('more', 5000, 2)
    expect(leads.told).toEqual(['5000 → A: to A', '31000 → B: to B', '31000 → B: more', '5000 → A: more'])
  })

  it('of one flow all go when the line comes, in their order, also when they look alike', () => {
    const leads = new Leads()
    for (const text of ['ping', 'ping', 'pong']) leads.packet(text, 31_000, 0)
    leads.packet('other', 32_000, 0)
    leads.traced(traced('ping', 5000, 'A'), 5)
    expect(leads.told).toEqual(['31000 → A: ping', '31000 → A: ping', '31000 → A: pong'])
    leads.tick(1000)
    expect(leads.dueAt).toBe(Infinity)
    expect(leads.told).toHaveLength(3)
  })

  it('that look alike go by their ports, and are dropped where those do not tell', () => {
    const leads = new Leads()
    leads.packet('same', 5000, 0)
    leads.packet('same', 6000, 0)
    leads.traced(traced('same', 6000, 'B'), 1)
    leads.traced(traced('same', 5000, 'A'), 1)
    expect(leads.told.toSorted()).toEqual(['5000 → A: same', '6000 → B: same'])
    const others = new Leads()
    for (const port of [31_000, 32_000]) others.packet('same', port, 0)
    for (const address of ['A', 'B']) others.traced(traced('same', 5000, address), 1)
    others.tick(1000)
    expect(others.told).toEqual([])
  })

  it('of a flow that was idle wait for a line first: its port may have been taken for another place', () => {
    const leads = new Leads()
    leads.traced(traced('a0', 5000, 'A'), 0)
    leads.packet('a0', 5000, 0)
    leads.packet('b0', 5000, 31_000)
    leads.traced(traced('b0', 5000, 'B'), 31_001)
    leads.packet('b1', 5000, 90_000)
    expect(leads.dueAt).toBe(90_100)
    leads.tick(90_099)
    expect(leads.told).toEqual(['5000 → A: a0', '5000 → B: b0'])
    leads.tick(90_100)
    expect(leads.told.at(-1)).toBe('5000 → B: b1')
    expect(leads.dueAt).toBe(Infinity)
  })

  it('without a line are dropped, and neither they nor lines without a packet add up', () => {
    const leads = new Leads()
    for (let n = 0; n < 1000; n++) leads.packet(`p${n}`, 1000 + n, 0)
    leads.tick(1000)
    for (let n = 0; n < 1000; n++) leads.traced(traced(`q${n}`, 1000 + n, 'A'), 1000)
    leads.packet('q0', 1000, 1001)
    leads.packet('q999', 1999, 1001)
    leads.tick(10_000)
    leads.packet('q998', 1998, 10_000)
    leads.tick(20_000)
    expect(leads.told).toEqual(['1999 → A: q999'])
  })
})
