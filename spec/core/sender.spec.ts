// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest'
import { encodeSettings } from '../../lib/wire/settings.js'
import { decodeWindow, encodeWindow } from '../../lib/wire/window-frame.js'
import type { ScriptedSubflow } from '../support/scripted-core.js'
import {
  acks,
  CAPABLE,
  EXTENDS,
  GO,
  HOLD,
  PING,
  PONG,
  range,
  ScriptedCore,
} from '../support/scripted-core.js'

const KIB = 1024

let core: ScriptedCore
beforeEach(() => {
  core = new ScriptedCore()
})

/** Acks everything that goes out on `subflow`, in rounds of `rttMs`, until nothing does. */
function ackAll(subflow: ScriptedSubflow, rttMs: number): number[] {
  const all: number[] = []
  for (let fns = subflow.sentData(); fns.length > 0; fns = subflow.sentData()) {
    all.push(...fns)
    core.passes(rttMs)
    subflow.hears(acks(PONG, ...fns))
  }
  return all
}

describe('cutting frames', () => {
  it('joins small writes of one turn into one frame', () => {
    const only = core.joinUp()
    for (const word of ['many ', 'small ', 'writes']) core.core.write(Buffer.from(word))
    core.flush()
    expect(only.sent()).toEqual(['data 10 17'])
    expect(only.payloads.get(10)).toBe('many small writes')
  })

  it('makes no frame of an empty write', () => {
    const only = core.joinUp()
    core.writes('')
    expect(only.sent()).toEqual([])
    expect(core.core.unflushedBytes).toBe(0)
  })

  it('numbers frames in order, and keeps every byte', () => {
    const only = core.joinUp()
    const bytes = Buffer.from(range(1, 60_000).join(' '))
    core.writes(bytes)
    const fns = ackAll(only, 20)
    expect(fns).toEqual(range(10, 9 + fns.length))
    expect(fns.map((fn) => only.payloads.get(fn)).join('')).toBe(bytes.toString())
    expect(core.core.unflushedBytes).toBe(0)
  })

  it('makes no frame larger than wanted', () => {
    core = new ScriptedCore({ maxFrameBytes: 1000 })
    const only = core.joinUp()
    core.writes(new Uint8Array(4500))
    expect(only.sent()).toEqual([
      'data 10 1000',
      'data 11 1000',
      'data 12 1000',
      'data 13 1000',
      'data 14 500',
    ])
  })

  it('binds bytes late: what does not fit waits, and goes where there is room first', () => {
    const [first, second] = [core.joinUp(), core.joinUp({ rttMs: 40 })]
    first.subflow.blocked(0)
    second.subflow.blocked(0)
    core.writes('waits')
    expect([...first.sentData(), ...second.sentData()]).toEqual([])
    second.drains()
    expect(second.sentData()).toEqual([10])
  })
})

describe('what may be unacked', () => {
  it('is bounded in frames', () => {
    core = new ScriptedCore({ maxFrameBytes: 10, maxUnackedFrames: 20, sendBufferBytes: 100_000 })
    const only = core.joinUp()
    core.writes(new Uint8Array(10_000))
    expect(only.sentData()).toEqual(range(10, 29))
    only.hears(acks(10, 11))
    expect(only.sentData()).toEqual([30, 31])
  })

  it('is bounded in bytes over all subflows', () => {
    core = new ScriptedCore({
      maxUnackedBytes: 64 * KIB,
      maxFrameBytes: KIB,
      sendBufferBytes: 1024 * KIB,
    })
    const all = Array.from({ length: 6 }, () => core.joinUp())
    core.writes(new Uint8Array(1024 * KIB))
    expect(all.flatMap((subflow) => subflow.sentData())).toHaveLength(64)
  })

  it('is never spread over more numbers than a Go receiver keeps', () => {
    core = new ScriptedCore({ maxFrameBytes: 1, sendBufferBytes: 100_000, maxUnackedFrames: 3000 })
    const only = core.joinUp()
    const second = core.joinUp({ rttMs: 400 })
    core.writes(new Uint8Array(20_000))
    const seen = [...only.sentData(), ...second.sentData()]
    expect(seen[0]).toBe(10)
    // All but the first are acked, over and over.
    for (let round = 0; round < 20; round++) {
      only.hears(acks(...seen.filter((fn) => fn > 10)))
      second.hears(acks(...seen.filter((fn) => fn > 10)))
      seen.splice(1, seen.length, ...only.sentData(), ...second.sentData())
    }
    expect(Math.max(...only.payloads.keys(), ...second.payloads.keys())).toBeLessThan(10 + 4096)
  })

  it('holds the application back beyond the send buffer, and not before', () => {
    core = new ScriptedCore({ sendBufferBytes: 10_000 })
    const only = core.joinUp()
    only.subflow.blocked(0)
    core.writes(new Uint8Array(9999))
    expect(core.core.hasRoom).toBe(true)
    core.writes(new Uint8Array(1))
    expect(core.core.hasRoom).toBe(false)
    only.drains()
    expect(core.core.hasRoom).toBe(true)
  })

  it('counts what was written until it is acked', () => {
    const only = core.joinUp()
    core.writes('12345')
    expect(core.core.unflushedBytes).toBe(5)
    only.hears(acks(10))
    expect(core.core.unflushedBytes).toBe(0)
  })
})

describe('an ack', () => {
  it('counts on whichever subflow it comes', () => {
    const [first, second] = [core.joinUp(), core.joinUp({ rttMs: 90 })]
    core.writes('hello')
    expect(first.sentData()).toEqual([10])
    second.hears(acks(10))
    expect(core.core.unflushedBytes).toBe(0)
  })

  it('is a sample of the round trip', () => {
    const only = core.joinUp({ isDialer: true, rttMs: 100 })
    core.writes('hello')
    core.now += 100
    only.hears(acks(10))
    expect(only.subflow.rtt.smoothed).toBe(100)
    expect(only.subflow.counters).toMatchObject({ framesSent: 1, bytesSent: 5, framesRetransmitted: 0 })
  })

  it('of a frame that was suspected is no sample: nobody knows how long the path was silent', () => {
    const [first, second] = [core.joinUp({ isDialer: true }), core.joinUp({ isDialer: true, rttMs: 40 })]
    core.writes('hello')
    core.passes(3000)
    expect(first.subflow.state).toBe('suspect')
    const { smoothed } = first.subflow.rtt
    first.hears(acks(10, PONG))
    expect(first.subflow.rtt.smoothed).toBe(smoothed)
    expect(second.sentData()).toEqual([10])
  })
})

describe('a subflow that fails', () => {
  it('has all that only it carried sent again on the others at once, lowest number first', () => {
    core = new ScriptedCore({ maxFrameBytes: 1000 })
    const [first, second] = [core.joinUp(), core.joinUp({ rttMs: 40 })]
    core.writes(new Uint8Array(5000))
    expect(first.sentData()).toEqual(range(10, 14))
    first.hears(acks(10, 11))
    first.loses(new Error('reset'))
    expect(second.sentData()).toEqual([12, 13, 14])
    expect(second.subflow.counters).toMatchObject({
      framesRetransmitted: 3,
      bytesRetransmitted: 3000,
      framesSent: 0,
    })
    second.hears(acks(12, 13, 14))
    expect(core.core.unflushedBytes).toBe(0)
  })

  it('has its data wait for a subflow that can take it', () => {
    const [first, second] = [core.joinUp(), core.join({ isDialer: true })]
    core.writes('hello')
    first.loses(new Error('reset'))
    expect(second.sentData()).toEqual([])
    second.hears(acks(PONG))
    expect(second.sentData()).toEqual([10])
  })
})

describe('a receiver that drops', () => {
  it('is recognized by an ack for a later frame: the earlier goes out again at once, and little else', () => {
    core = new ScriptedCore({ maxFrameBytes: 1000, sendBufferBytes: 1_000_000 })
    const only = core.joinUp()
    core.writes(new Uint8Array(4000))
    expect(only.sentData()).toEqual(range(10, 13))
    core.now += 20
    core.core.write(new Uint8Array(100_000))
    only.hears(acks(10, 12))
    const fns = only.sentData()
    expect(fns[0]).toBe(11)
    expect(fns.length).toBeLessThanOrEqual(4)
  })

  it('is not flooded with all that it dropped once it takes the probe', () => {
    core = new ScriptedCore({ maxFrameBytes: 1000 })
    const only = core.joinUp()
    core.writes(new Uint8Array(14_000))
    expect(only.sentData()).toHaveLength(14)
    let sent: number[] = []
    for (let step = 0; step < 500 && !sent.includes(10); step++) {
      core.passes(10)
      const frames = only.sent()
      if (frames.includes('ping')) only.hears(acks(PONG))
      sent = frames.filter((frame) => frame.startsWith('data')).map((frame) => Number(frame.split(' ')[1]))
    }
    expect(sent).toEqual([10])
    only.hears(acks(10))
    const next = only.sentData()
    expect(next[0]).toBe(11)
    expect(next.length).toBeLessThanOrEqual(8)
  })

  it('is sent the lowest frame as a probe after a while, then seldom', () => {
    core = new ScriptedCore({ maxFrameBytes: 1000 })
    const only = core.joinUp()
    core.writes(new Uint8Array(4000))
    only.sent()
    const probes: number[] = []
    // Pings are answered, frames are not.
    for (let step = 0; step < 3000; step++) {
      core.passes(10)
      for (const frame of only.sent()) {
        if (frame === 'ping') only.hears(acks(PONG))
        else if (frame.startsWith('data')) {
          expect(frame).toBe('data 10 1000')
          probes.push(core.now)
        }
      }
    }
    expect(only.subflow.state).toBe('up')
    expect(core.changes.map(({ state }) => state)).not.toContain('suspect')
    const waits = probes.slice(1).map((at, index) => at - probes[index]!)
    expect(probes.length).toBeGreaterThan(4)
    expect(probes.length).toBeLessThan(15)
    expect(waits.at(-1)).toBeGreaterThan(2 * waits[0]!)
  })

  it('gets the rest once it takes the probe', () => {
    core = new ScriptedCore({ maxFrameBytes: 1000 })
    const only = core.joinUp()
    core.writes(new Uint8Array(40_000))
    let isOpen = false
    const taken = new Set<number>()
    for (let step = 0; step < 1000; step++) {
      core.passes(10)
      for (const frame of only.sent()) {
        if (frame === 'ping') only.hears(acks(PONG))
        const fn = Number(frame.split(' ')[1])
        if (frame.startsWith('data') && isOpen) {
          taken.add(fn)
          only.hears(acks(fn))
        }
      }
      if (step === 300) isOpen = true
    }
    expect(core.core.unflushedBytes).toBe(0)
    expect(taken.size).toBe(40)
  })
})

describe('a receiver that asks us to hold', () => {
  it('gets nothing new until it says go', () => {
    const only = core.joinUp({}, CAPABLE)
    only.hears(acks(HOLD))
    core.writes('later')
    expect(only.sentData()).toEqual([])
    only.hears(acks(GO))
    expect(only.sentData()).toEqual([10])
  })

  it('still gets again what a failed subflow carried: it has promised room for that', () => {
    const [first, second] = [core.joinUp({}, CAPABLE), core.joinUp({ rttMs: 40 })]
    core.writes('promised')
    first.sent()
    second.hears(acks(HOLD))
    first.loses(new Error('reset'))
    expect(second.sentData()).toEqual([10])
  })

  it('is asked with a small probe after a while, should its go have been lost', () => {
    const only = core.joinUp({}, CAPABLE)
    only.hears(acks(HOLD))
    core.writes(new Uint8Array(100_000))
    core.passes(50)
    expect(only.sentData()).toEqual([])
    core.passes(1000)
    const probe = only.sent().find((frame) => frame.startsWith('data'))
    expect(Number(probe?.split(' ')[2])).toBeLessThanOrEqual(1400)
    only.hears(acks(PONG, 10))
    expect(only.sentData().length).toBeGreaterThan(0)
  })

  it('costs no wake-ups while no subflow can carry the probe', () => {
    core = new ScriptedCore({ deadMs: 60_000, keepAliveMs: 3_600_000 })
    const only = core.joinUp({}, CAPABLE)
    only.hears(acks(HOLD))
    only.isStuck = true
    only.subflow.blocked(0)
    core.writes('stuck')
    core.passes(20_000)
    expect(core.ticks).toBeLessThan(200)
  })

  it('costs few wake-ups while all subflows are suspect', () => {
    core = new ScriptedCore({ deadMs: 60_000 })
    const only = core.joinUp({}, CAPABLE)
    core.writes('unanswered')
    only.hears(acks(HOLD))
    core.passes(20_000)
    expect(only.subflow.state).toBe('suspect')
    expect(core.ticks).toBeLessThan(200)
  })
})

describe('a receiver that says how much it takes', () => {
  const opened = (limitBytes: number): Uint8Array => encodeWindow({ limitBytes })
  let only: ScriptedSubflow
  beforeEach(() => {
    only = core.joinUp({}, EXTENDS, CAPABLE)
    only.hears(encodeSettings({ holdMs: 0, capabilities: 1 }))
    only.sent()
  })

  it('gets so much and not a byte more, until it says more', () => {
    only.hears(opened(2500))
    core.writes(new Uint8Array(6000))
    expect(only.sent()).toEqual(['data 10 1400', 'data 11 1100'])
    only.hears(acks(10, 11))
    expect(only.sent()).toEqual([])
    only.hears(opened(3000))
    expect(only.sent()).toEqual(['data 12 500'])
  })

  it('counts what had left before it spoke', () => {
    core.writes(new Uint8Array(1000))
    only.hears(opened(1500))
    core.writes(new Uint8Array(1000))
    expect(only.sent()).toEqual(['data 10 1000', 'data 11 500'])
  })

  it('is asked again while data waits, on every subflow, and gets no frame for that', () => {
    const other = core.joinUp()
    only.hears(opened(1000))
    core.writes(new Uint8Array(3000))
    only.hears(acks(10))
    for (const subflow of [only, other]) subflow.sent()
    core.passes(250)
    const asked = only.extensions.filter(({ type }) => type === 7).map(decodeWindow)
    expect(asked).toContainEqual({ limitBytes: undefined, isAsking: true })
    expect(other.sent()).toContain('window')
    core.passes(60_000)
    const words = only.sent()
    expect(words.filter((word) => word.startsWith('data'))).toEqual([])
    expect(words.filter((word) => word === 'window').length).toBeLessThan(16)
  })

  it('still gets again what a failed subflow carried', () => {
    const second = core.joinUp()
    only.hears(opened(1000))
    core.writes(new Uint8Array(3000))
    only.loses(new Error('reset'))
    expect(second.sentData()).toEqual([10])
  })

  it('and never opens costs the connection nothing but time, and end() the linger limit', () => {
    core = new ScriptedCore({ lingerMs: 5000 })
    only = core.joinUp({}, EXTENDS, CAPABLE)
    only.hears(encodeSettings({ holdMs: 0, capabilities: 1 }), opened(0))
    core.writes('never taken')
    core.ends()
    for (let ms = 0; ms < 4900; ms += 100) {
      core.passes(100)
      only.hears(acks(PONG))
    }
    expect(core.isFinished).toBe(false)
    core.passes(200)
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_LINGER' })
  })
})

describe('the lowest frame', () => {
  it('goes out again on a much faster subflow once everybody waits for it', () => {
    core = new ScriptedCore({ maxFrameBytes: 1000, maxUnackedFrames: 8, sendBufferBytes: 100_000 })
    const slow = core.joinUp({ isDialer: true, rttMs: 800 })
    core.writes(new Uint8Array(1000))
    expect(slow.sentData()).toEqual([10])
    const fast = core.joinUp({ isDialer: true, rttMs: 10 }, PING)
    core.writes(new Uint8Array(50_000))
    const onFast = fast.sentData()
    const again = onFast.concat(
      ...[1, 2, 3].map(() => {
        fast.hears(acks(...onFast.filter((fn) => fn > 10)))
        return fast.sentData()
      }),
    )
    expect(again.filter((fn) => fn === 10)).toHaveLength(1)
  })
})
