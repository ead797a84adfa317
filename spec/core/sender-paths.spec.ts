// SPDX-License-Identifier: Apache-2.0
/** Which subflow the sender gives a frame again, driven without a connection around it. */
import { beforeEach, describe, expect, it } from 'vitest'
import { InFlight } from '../../lib/core/in-flight.js'
import type { ConnOptions } from '../../lib/core/options.js'
import { CONN_OPTIONS } from '../../lib/core/options.js'
import type { Scheduler } from '../../lib/core/scheduler.js'
import { Sender } from '../../lib/core/sender.js'
import type { Subflow } from '../../lib/core/subflow.js'
import { resolveOptions } from '../../lib/options.js'
import { subflowOf } from '../support/flights.js'

const MS = 1000

let subflows: Subflow[]
let sender: Sender
let inFlight: InFlight
/** What the scheduler was told to be queued, at each choice. */
let queued: number[]

/** The first that has room. */
const first: Scheduler = {
  name: 'first',
  choose(snapshot) {
    queued.push(snapshot.queuedBytes)
    return snapshot.subflows.find((subflow) => snapshot.hasRoom(subflow))
  },
}

/** One subflow for each round trip. Frames of 1,000 bytes. */
function sending(rtts: readonly number[], options: ConnOptions = {}): void {
  queued = []
  subflows = rtts.map((rttMs, index) => subflowOf(rttMs, index + 1))
  const resolved = resolveOptions(CONN_OPTIONS, { maxFrameBytes: 1000, ...options })
  inFlight = new InFlight(resolved)
  sender = new Sender({ subflows, inFlight, scheduler: first, options: resolved })
}

function pumps(bytes: number, now = MS): void {
  if (bytes > 0) sender.write(new Uint8Array(bytes))
  sender.pump(now)
}

const carriedBy = (fn: number): number[] =>
  subflows.filter(({ flights }) => flights.has(fn)).map(({ id }) => id)
const resent = (): number =>
  subflows.reduce((sum, { counters }) => sum + counters.framesRetransmitted + counters.framesCopied, 0)

describe('the lowest frame, for which everybody waits,', () => {
  const one = { maxUnackedFrames: 1 }

  it('goes out again on the fastest of those that are twice as fast, once', () => {
    sending([100, 40, 20, 60], one)
    pumps(3000)
    expect(carriedBy(10)).toEqual([1, 3])
    pumps(0)
    expect(resent()).toBe(1)
  })

  it('does not on one that is hardly faster, or has no room', () => {
    sending([100, 60, 20], one)
    subflows[2]!.blocked(0)
    pumps(3000)
    expect(carriedBy(10)).toEqual([1])
  })

  it('does not where nothing waits behind it', () => {
    sending([100, 20], one)
    pumps(1000)
    expect(carriedBy(10)).toEqual([1])
  })

  it('does not where one that carries it is as fast', () => {
    sending([100, 20, 15], one)
    subflows[2]!.blocked(0)
    pumps(3000)
    subflows[2]!.drained()
    pumps(0)
    expect(carriedBy(10)).toEqual([1, 2])
  })

  it('does where the fast one that carried it is gone', () => {
    sending([100, 20, 15], one)
    subflows[2]!.blocked(0)
    pumps(3000)
    inFlight.lost(subflows[1]!)
    expect(subflows[1]!.inFlightBytes).toBe(0)
    subflows.splice(1, 1)
    subflows[1]!.drained()
    pumps(0)
    expect(carriedBy(10)).toEqual([1, 3])
  })

  it('does not while the receiver is full', () => {
    sending([100, 20], { maxUnackedFrames: 2 })
    subflows[1]!.blocked(0)
    pumps(5000)
    inFlight.droppedBefore(subflows[0]!, MS + 50, MS + 50)
    subflows[1]!.drained()
    pumps(0, MS + 60)
    expect(resent()).toBe(0)
  })
})

describe('a frame that two subflows carry', () => {
  beforeEach(() => {
    sending([100, 20, 90], { maxUnackedFrames: 1 })
    pumps(3000)
    expect(carriedBy(10)).toEqual([1, 2])
    subflows[0]!.moveTo('suspect')
  })

  it('does not go out again where one of them falls silent', () => {
    inFlight.suspect(subflows[0]!)
    pumps(0)
    expect(resent()).toBe(1)
  })

  it('does where both fall silent', () => {
    inFlight.suspect(subflows[0]!)
    subflows[1]!.moveTo('suspect')
    inFlight.suspect(subflows[1]!)
    pumps(0)
    expect(carriedBy(10)).toEqual([1, 2, 3])
  })

  it('does not where the receiver passed it over on one of them', () => {
    inFlight.droppedBefore(subflows[0]!, MS + 50, MS + 50)
    inFlight.peerWindow.go()
    pumps(0, MS + 60)
    expect(resent()).toBe(1)
  })
})

describe('a dropped frame', () => {
  it('is none where the frame was acked on another subflow', () => {
    sending([20, 40])
    pumps(1000)
    inFlight.acked(subflows[1]!, 10, MS + 10)
    inFlight.droppedBefore(subflows[0]!, MS + 50, MS + 50)
    expect(inFlight.peerWindow.isStopped).toBe(false)
  })

  it('has the frame go out again although its subflow was silent for a moment and recovered', () => {
    sending([20])
    pumps(1000)
    inFlight.droppedBefore(subflows[0]!, MS + 50, MS + 50)
    subflows[0]!.moveTo('suspect')
    inFlight.suspect(subflows[0]!)
    inFlight.recovered(subflows[0]!)
    subflows[0]!.moveTo('up')
    inFlight.peerWindow.go()
    pumps(0, MS + 60)
    expect(carriedBy(10)).toEqual([1])
  })
})

describe('a probe', () => {
  const probe = (): void => {
    pumps(0, inFlight.peerWindow.probeAt)
  }

  it('goes out on the fastest subflow that is not stuck', () => {
    sending([100, 20, 10])
    subflows[2]!.blocked(0)
    pumps(1000)
    inFlight.peerWindow.hold(MS)
    probe()
    expect(carriedBy(10)).toEqual([1, 2])
  })

  it('goes out where the cap of its path leaves room for it', () => {
    sending([20, 40])
    pumps(1000)
    subflows[0]!.path.set({ maxBytes: 1500 })
    inFlight.droppedBefore(subflows[0]!, MS + 50, MS + 50)
    probe()
    expect(carriedBy(10)).toEqual([2])
  })

  it('is not sent where it is on its way there', () => {
    sending([20])
    pumps(1000)
    inFlight.peerWindow.hold(MS)
    probe()
    probe()
    expect(resent()).toBe(0)
  })

  it('is not sent again with what else was dropped', () => {
    sending([20])
    pumps(1000)
    inFlight.droppedBefore(subflows[0]!, MS + 50, MS + 50)
    probe()
    inFlight.peerWindow.go()
    pumps(0, MS + 2000)
    expect(resent()).toBe(1)
  })
})

describe('the scheduler', () => {
  it('is told of a queue without end while the application waits for room, and a moment longer', () => {
    sending([20])
    sender.setWriterWaiting(true, MS)
    pumps(1000)
    sender.setWriterWaiting(false, MS)
    pumps(1000, MS + 9)
    pumps(1000, MS + 11)
    expect(queued).toEqual([Infinity, Infinity, 1000])
  })

  it('is not to wait with what goes out again', () => {
    sending([20, 40])
    pumps(1000)
    subflows[0]!.moveTo('suspect')
    inFlight.suspect(subflows[0]!)
    pumps(0)
    expect(queued).toEqual([1000, Infinity])
  })
})

describe('what a path delivers', () => {
  /** Whether the next frame on it will be taken for held up by the application or the receiver. */
  const isAppLimited = (): boolean => {
    subflows[0]!.flights.clear()
    return subflows[0]!.window.stamp(MS, 1, 0).isAppLimited
  }

  it('says nothing of it where there was too little to send', () => {
    sending([20])
    pumps(1000)
    expect(isAppLimited()).toBe(true)
  })

  it('counts where the application has just been let go, and will write on', () => {
    sending([20])
    sender.setWriterWaiting(true, MS)
    pumps(1000)
    expect(isAppLimited()).toBe(false)
  })

  it('counts where the window had no room for more', () => {
    sending([20])
    pumps(14_000)
    expect(isAppLimited()).toBe(false)
  })

  it('says nothing of it where the receiver holds us', () => {
    sending([20])
    inFlight.peerWindow.hold(MS)
    pumps(50_000)
    expect(isAppLimited()).toBe(true)
  })
})
