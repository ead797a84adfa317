// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest'
import { Ending } from '../../lib/core/ending.js'
import { Peer } from '../../lib/core/peer-profile.js'

describe('the end of a connection', () => {
  let ending: Ending
  let peer: Peer
  beforeEach(() => {
    peer = new Peer()
    ending = new Ending(peer)
  })

  function peerEnds(): void {
    ending.finHeard(10)
    ending.reached(10)
  }

  it('waits for end(), and for the first word of the peer', () => {
    expect(ending.next(false)).toBe('wait')
    ending.asked(0)
    expect(ending.next(false)).toBe('wait')
  })

  it('is a close at once with a peer that knows no codes', () => {
    ending.asked(0)
    peer.spoke()
    expect(ending.next(false)).toBe('close')
  })

  it('is a FIN, then a close when the peer has said the same', () => {
    ending.asked(0)
    peer.announced()
    expect(ending.next(false)).toBe('fin')
    ending.finSent(10)
    expect(ending.next(false)).toBe('wait')
    peerEnds()
    expect(ending.next(false)).toBe('close')
  })

  it('lingers from end() or the last ack on, until all is said', () => {
    expect(ending.lingerAt(500, 1000)).toBe(Infinity)
    ending.asked(2000)
    expect(ending.lingerAt(500, 1000)).toBe(3000)
    expect(ending.lingerAt(2700, 1000)).toBe(3700)
    ending.finSent(10)
    expect(ending.lingerAt(2700, 1000)).toBe(Infinity)
  })

  it('waits for a gap to close where the peer could not be asked for it any more', () => {
    ending.asked(0)
    peer.spoke()
    expect(ending.next(true)).toBe('wait')
    expect(ending.next(false)).toBe('close')
  })

  it('is an error where something was unacked, first of all', () => {
    const cause = new Error('reset')
    ending.failed(cause, 1000)
    expect(ending.verdict(false, true, 1000)).toMatchObject({ multipathCode: 'ERR_MULTIPATH_UNACKED', cause })
  })

  it('is an error where something is missing', () => {
    expect(ending.verdict(true, true, 1000)).toMatchObject({ multipathCode: 'ERR_MULTIPATH_INCOMPLETE' })
  })

  it('is an error where a peer that would say so has not said that it was done', () => {
    peer.announced()
    expect(ending.verdict(true, false, 1000)).toMatchObject({ multipathCode: 'ERR_MULTIPATH_INCOMPLETE' })
    peerEnds()
    expect(ending.verdict(true, false, 1000)).toBeUndefined()
  })

  it('is an error where the peer went before it had said what it is', () => {
    const error = ending.verdict(true, false, 1000)
    expect(error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_INCOMPLETE' })
    expect(error?.message).toMatch(/before the peer had said what it is/)
  })

  it('is in order where a peer that knows no codes closed and nothing is missing', () => {
    peer.spoke()
    expect(ending.verdict(true, false, 1000)).toBeUndefined()
  })

  it('is an error where such a peer closed right after a subflow broke: what that carried may never have come', () => {
    const cause = new Error('reset')
    peer.spoke()
    ending.failed(cause, 1000)
    expect(ending.verdict(true, false, 1500)).toMatchObject({
      multipathCode: 'ERR_MULTIPATH_INCOMPLETE',
      cause,
    })
    expect(ending.verdict(true, false, 60_000)).toBeUndefined()
  })
})
