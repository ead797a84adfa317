// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest'
import { Choice } from '../../lib/core/eligibility.js'
import { InFlight } from '../../lib/core/in-flight.js'
import type { ConnOptions } from '../../lib/core/options.js'
import { CONN_OPTIONS } from '../../lib/core/options.js'
import type { Subflow } from '../../lib/core/subflow.js'
import { resolveOptions } from '../../lib/options.js'
import { delivers, leaves, subflowOf } from '../support/flights.js'

const NOW = 1000

let inFlight: InFlight
let subflow: Subflow
let other: Subflow
let choice: Choice

function choosing(options: ConnOptions = {}): void {
  inFlight = new InFlight(resolveOptions(CONN_OPTIONS, options))
  choice = new Choice([subflow, other], inFlight)
  choice.review(NOW)
}

const verdict = (queuedBytes = 0): string => choice.of(subflow, queuedBytes, NOW)

beforeEach(() => {
  subflow = subflowOf(20)
  other = subflowOf(20, 2)
  choosing()
})

describe('a new frame', () => {
  it('may leave on a subflow that is up and has room', () => {
    expect(verdict()).toBe('eligible')
  })

  it('may not leave on one that is suspect or closed', () => {
    subflow.moveTo('suspect')
    expect(verdict()).toBe('suspect')
    subflow.moveTo('closed')
    expect(verdict()).toBe('closed')
  })

  it('may not leave on one whose path is paused or removed, whichever came first', () => {
    subflow.path.isPaused = true
    expect(verdict()).toBe('paused')
    subflow.gracefulClose = { order: 1, reason: 'removed', isWithdrawn: true, endedAt: undefined }
    expect(verdict()).toBe('removed')
  })

  it('may not leave on one whose path has sent all that it may', () => {
    subflow.path.set({ maxBytes: 1000 })
    subflow.path.spend(1000, NOW)
    expect(verdict()).toBe('byte-cap')
  })

  it('waits for the rate cap of the path', () => {
    subflow.path.set({ maxBytesPerSecond: 1000 })
    subflow.path.spend(1000, NOW)
    expect(verdict()).toBe('rate-cap')
  })

  it('waits for its turn while the window is spread over a round trip', () => {
    for (let round = 0; subflow.isStartup; round++) delivers(subflow, 20 * round, 14_000, 20)
    leaves(subflow, NOW, subflow.window.bytes / 2)
    expect(verdict()).toBe('paced')
    expect(choice.of(subflow, Infinity, NOW + 20)).toBe('eligible')
  })

  it('waits for the socket, and for the window', () => {
    leaves(subflow, NOW, subflow.window.bytes)
    expect(verdict()).toBe('window-full')
    subflow.blocked(0)
    expect(verdict()).toBe('blocked')
  })

  it('does not leave on a dearer tier while the first suffices', () => {
    subflow.path.set({ tier: 'backup' })
    delivers(other, 0, 14_000, 20)
    expect(verdict()).toBe('tier')
    other.path.isPaused = true
    expect(verdict()).toBe('eligible')
  })

  it('leaves on no subflow while the peer takes nothing, or as much is unacked as may be', () => {
    inFlight.peerWindow.hold(NOW)
    expect(verdict()).toBe('peer-full')
    choosing({ maxUnackedFrames: 1 })
    inFlight.cut([new Uint8Array(1)])
    expect(verdict()).toBe('send-window-full')
  })
})

describe('candidates', () => {
  it('are newcomers once, when they come in or come back', () => {
    expect(choice.newcomers).toEqual([subflow, other])
    choice.review(NOW)
    expect(choice.newcomers).toEqual([])
    subflow.path.isPaused = true
    choice.review(NOW)
    expect(choice.candidates).toEqual([other])
    subflow.path.isPaused = false
    choice.review(NOW)
    expect(choice.newcomers).toEqual([subflow])
  })

  it('that are all paused hold the data back, until one is not', () => {
    for (const { path } of [subflow, other]) path.isPaused = true
    choice.review(NOW)
    expect(choice.pausedUntil).toBe(Infinity)
    other.path.isPaused = false
    choice.review(NOW + 50)
    expect(choice.pausedUntil).toBe(NOW + 50)
  })
})
