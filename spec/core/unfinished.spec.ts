// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { memoryInUse, inMib } from '../support/memory.js'
import type { ScriptedSubflow } from '../support/scripted-core.js'
import { acks, CAPABLE, data, PING, range, ScriptedCore } from '../support/scripted-core.js'

const KIB = 1024
const MIB = 1024 * KIB
const BUDGET = 64 * KIB
const LIMITS = {
  maxUnackedBytes: BUDGET,
  sendBufferBytes: BUDGET,
  maxUnreadBytes: BUDGET,
  maxReorderBytes: BUDGET,
  maxOutstandingAckBytes: 1024,
}

describe('frames that have begun and not ended', () => {
  it('count within maxReorderBytes from their first byte on', () => {
    const core = new ScriptedCore({ maxReorderBytes: 4000 })
    const subflows = range(11, 30).map((fn) => [core.joinUp(), data(fn, new Uint8Array(1000))] as const)
    for (const [subflow, frame] of subflows) subflow.hears(frame.subarray(0, 10))
    expect(core.core.metrics.unfinishedBytes).toBeGreaterThan(2000)
    expect(core.core.metrics.unfinishedBytes).toBeLessThanOrEqual(4000)
    for (const [subflow, frame] of subflows) subflow.hears(frame.subarray(10))
    expect(core.core.metrics.unfinishedBytes).toBe(0)
    expect(core.core.metrics.outOfOrderBytes).toBeLessThanOrEqual(4000)
    expect(core.core.metrics.outOfOrderBytes).toBeGreaterThan(2000)
  })

  it('give their room back when their subflows go', () => {
    const core = new ScriptedCore({ maxReorderBytes: 4000 })
    const [first, second] = [core.joinUp(), core.joinUp()]
    second.hears(data(11, new Uint8Array(4000)).subarray(0, 100))
    expect(core.core.metrics.unfinishedBytes).toBe(4000)
    second.loses()
    expect(core.core.metrics.unfinishedBytes).toBe(0)
    first.hears(data(11, new Uint8Array(4000)))
    expect(core.core.metrics.outOfOrderBytes).toBe(4000)
  })

  it('never keep out the frame that the reader waits for, were it larger than every budget', () => {
    const core = new ScriptedCore(LIMITS)
    const [first, second, third] = [core.joinUp(), core.joinUp(), core.joinUp()]
    second.hears(data(11, new Uint8Array(BUDGET)).subarray(0, 100))
    first.hears(data(10, new Uint8Array(MIB)).subarray(0, MIB / 2))
    // A copy, while the first one stands still.
    third.hears(data(10, new Uint8Array(MIB)))
    expect(third.sent()).toEqual(['ack 10'])
    expect(core.reads()).toHaveLength(MIB)
    first.hears(data(10, new Uint8Array(MIB)).subarray(MIB / 2))
    expect(first.sent()).toEqual(['ack 10'])
  })

  it('go on where a copy of another subflow has got further', () => {
    const core = new ScriptedCore(LIMITS)
    const [first, second] = [core.joinUp(), core.joinUp()]
    const frame = data(10, Buffer.from('0123456789'))
    first.hears(frame.subarray(0, 8))
    second.hears(frame.subarray(0, 4))
    first.loses(new Error('reset'))
    second.hears(frame.subarray(4))
    expect(core.reads()).toBe('0123456789')
    expect(second.sent()).toEqual(['ack 10'])
  })

  it('give way to a frame of the same number and another size', () => {
    const core = new ScriptedCore(LIMITS)
    const [first, second] = [core.joinUp(), core.joinUp()]
    first.hears(data(10, new Uint8Array(MIB)).subarray(0, 1000))
    const frame = data(10, 'short')
    second.hears(frame.subarray(0, 4))
    second.hears(frame.subarray(4))
    expect(core.reads()).toBe('short')
  })

  it('are all kept where they fit, as those of a Go peer that writes 1 MiB at once', () => {
    const core = new ScriptedCore({ maxUnreadBytes: 64 * MIB })
    const subflows = range(1, 16).map(() => core.joinUp({}, PING))
    const frames = range(10, 25).map((fn) => data(fn, Buffer.alloc(MIB, 64 + fn)))
    for (let at = 0; at < frames[0]!.length; at += 65_536)
      for (const [index, subflow] of subflows.entries())
        subflow.hears(frames[index]!.subarray(at, at + 65_536))
    const read = core.reads()
    expect(read).toHaveLength(16 * MIB)
    for (const [index, fn] of range(10, 25).entries())
      expect(read.slice(index * MIB, (index + 1) * MIB)).toBe(String.fromCharCode(64 + fn).repeat(MIB))
  })
})

describe('the memory of a connection with every limit reached at once', () => {
  /** docs/limits.md: the frame that the reader waits for may be larger than a budget, and arrays grow by doubling. */
  const BOUND = MIB + 3 * BUDGET + 64 * 2 * LIMITS.maxOutstandingAckBytes
  /** Of 64 subflows and some hundred frames: objects, not bytes. */
  const BOOKKEEPING = 2 * MIB

  function hearFrames(subflow: ScriptedSubflow, from: number, to: number): void {
    for (const fn of range(from, to)) subflow.hears(data(fn, new Uint8Array(4096)))
  }

  /** Frame `fn` of 1 MiB, without its last byte, on each. */
  function begin(subflows: readonly ScriptedSubflow[], fn: (index: number) => number): void {
    subflows.forEach((subflow, index) => {
      const frame = data(fn(index), new Uint8Array(MIB))
      for (let at = 0; at < frame.length - 1; at += 65_536)
        subflow.hears(frame.subarray(at, Math.min(at + 65_536, frame.length - 1)))
    })
  }

  function fillOurSide(core: ScriptedCore, subflows: readonly ScriptedSubflow[]): void {
    for (const subflow of subflows) subflow.isStuck = true
    while (core.core.hasRoom) core.writes(new Uint8Array(4096))
    for (const subflow of subflows) subflow.hears(acks(...range(1, 400).map(() => PING)))
  }

  it('adds up where the reader has read all, and every subflow has begun the next frame', async () => {
    const core = new ScriptedCore(LIMITS)
    const subflows = [core.joinUp({}, CAPABLE), ...range(2, 64).map(() => core.joinUp())]
    const before = await memoryInUse()
    hearFrames(subflows[0]!, 11, 40)
    fillOurSide(core, subflows)
    begin(subflows, () => 10)
    const bytes = (await memoryInUse()) - before
    expect(core.core.metrics.outOfOrderBytes).toBeGreaterThan(BUDGET / 2)
    expect(core.core.unflushedBytes).toBeGreaterThanOrEqual(BUDGET)
    expect(bytes, inMib(bytes)).toBeLessThan(BOUND + BOOKKEEPING)
  })

  it('adds up where the reader has stopped, and every subflow has begun a frame of its own', async () => {
    const core = new ScriptedCore(LIMITS)
    const subflows = [core.joinUp({}, CAPABLE), ...range(2, 64).map(() => core.joinUp())]
    const before = await memoryInUse()
    hearFrames(subflows[0]!, 10, 24)
    hearFrames(subflows[0]!, 26, 41)
    hearFrames(subflows[0]!, 25, 25)
    hearFrames(subflows[0]!, 43, 58)
    fillOurSide(core, subflows)
    begin(subflows, (index) => 42 + index)
    const bytes = (await memoryInUse()) - before
    expect(core.core.unreadBytes).toBeGreaterThanOrEqual(BUDGET)
    expect(core.core.unreadBytes + core.core.metrics.outOfOrderBytes).toBeLessThanOrEqual(2 * BUDGET)
    expect(bytes, inMib(bytes)).toBeLessThan(BOUND + BOOKKEEPING)
  })
})

describe('frames that are acked while they still lie in our socket', () => {
  it('count as unacked: a peer that reads nothing gets no more than maxUnackedBytes, whatever it acks', () => {
    const core = new ScriptedCore({ ...LIMITS, sendBufferBytes: MIB, maxOutstandingAckBytes: 64 * KIB })
    const subflows = [core.joinUp({}, CAPABLE), ...range(2, 64).map(() => core.joinUp())]
    for (const subflow of subflows) subflow.isStuck = true
    // The application has more.
    core.core.setWriterWaiting(true)
    let sent = 0
    for (let round = 0; round < 200; round++) {
      core.now += 1
      core.writes(new Uint8Array(BUDGET))
      const fresh = subflows.flatMap((subflow) => subflow.sentData())
      sent += fresh.length * 1400
      subflows[0]!.hears(acks(...fresh))
    }
    expect(sent).toBeLessThanOrEqual(2 * BUDGET)
    for (const subflow of subflows) subflow.drains()
    expect(subflows.flatMap((subflow) => subflow.sentData()).length).toBeGreaterThan(0)
  })
})
