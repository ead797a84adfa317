// SPDX-License-Identifier: Apache-2.0
/** Attempts at one path, of which a new one begins before the last has failed. */
import { Duplex } from 'node:stream'
import { beforeEach, describe, expect, it } from 'vitest'
import { openOverlapping } from '../../lib/dial/overlapping.js'
import { ManualClock } from '../../lib/testing/manual-clock.js'
import { quiet } from '../support/turns.js'

interface Attempt {
  readonly signal: AbortSignal
  readonly opens: (stream: Duplex) => void
  readonly fails: (error: Error) => void
}

let clock: ManualClock
let attempts: Attempt[]
let user: AbortController
let opened: Promise<Duplex>
beforeEach(() => {
  clock = new ManualClock()
  attempts = []
  user = new AbortController()
  opened = openOverlapping(
    clock,
    user.signal,
    (signal) =>
      new Promise((opens, fails) => {
        attempts.push({ signal, opens, fails })
        signal.addEventListener('abort', () => fails(signal.reason as Error))
      }),
  )
  opened.catch(() => {})
})

describe('attempts that overlap', () => {
  it('begin each half second, eight of them at most', () => {
    expect(attempts).toHaveLength(1)
    clock.advance(499)
    expect(attempts).toHaveLength(1)
    clock.advance(1)
    expect(attempts).toHaveLength(2)
    clock.advance(60_000)
    expect(attempts).toHaveLength(8)
  })

  it('end with the first that opens, and leave nothing of the others', async () => {
    clock.advance(1000)
    const [winner, late] = [new Duplex(), new Duplex()]
    attempts[1]!.opens(winner)
    attempts[2]!.opens(late)
    expect(await opened).toBe(winner)
    await quiet()
    expect(attempts[0]!.signal.aborted).toBe(true)
    expect([winner.destroyed, late.destroyed]).toEqual([false, true])
    clock.advance(5000)
    expect(attempts).toHaveLength(3)
  })

  it('end with the first failure: the path says something, and is waited for', async () => {
    clock.advance(500)
    attempts[0]!.fails(new Error('refused'))
    await expect(opened).rejects.toThrow('refused')
    expect(attempts[1]!.signal.aborted).toBe(true)
  })

  it('end with the reason of the signal', async () => {
    user.abort(new Error('no longer wanted'))
    await expect(opened).rejects.toThrow('no longer wanted')
    expect(attempts[0]!.signal.aborted).toBe(true)
  })
})
