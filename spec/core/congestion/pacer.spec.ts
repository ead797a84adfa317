// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest'
import { Pacer } from '../../../lib/core/congestion/pacer.js'

const BURST_MS = 10

function paced(bytesPerMs: number): Pacer {
  const pacer = new Pacer()
  pacer.set(bytesPerMs, BURST_MS)
  return pacer
}

/** Milliseconds for so many frames. */
function takes(pacer: Pacer, frames: number, bytes: number): number {
  let now = 0
  for (let sent = 0; sent < frames; sent++) {
    now = pacer.readyAt(now)
    pacer.spend(bytes, now)
  }
  return pacer.readyAt(now)
}

it('lets everything go at once unless it has a rate', () => {
  expect(takes(new Pacer(), 1000, 65_536)).toBe(0)
})

it('keeps to its rate, whatever the size of frames', () => {
  for (const bytes of [1, 100, 5000]) expect(takes(paced(10), 10_000 / bytes, bytes)).toBeCloseTo(990, -1)
})

it('lets a burst go after a pause, no longer than it may be', () => {
  const pacer = paced(10)
  pacer.spend(1000, 0)
  expect(pacer.readyAt(5000)).toBe(5000)
  pacer.spend(100, 5000)
  expect(pacer.readyAt(5000)).toBeGreaterThan(5000)
})

it('has no burst left once it is emptied', () => {
  const pacer = paced(10)
  pacer.readyAt(0)
  pacer.empty()
  expect(pacer.readyAt(0)).toBeGreaterThan(0)
})

it('follows a rate that changes', () => {
  const pacer = paced(10)
  pacer.spend(1100, 0)
  expect(pacer.readyAt(0)).toBeCloseTo(100, 0)
  pacer.set(100, BURST_MS)
  expect(pacer.readyAt(0)).toBeCloseTo(10, 0)
})
