// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import {
  acks,
  CAPABLE,
  data,
  PING,
  PONG,
  ScriptedCore,
  type ScriptedSubflow,
} from '../support/scripted-core.js'

const MISSING = { missingMs: 20_000 }
const INCOMPLETE = { multipathCode: 'ERR_MULTIPATH_INCOMPLETE' }

/** A connection whose peer has sent frames 10 and 12. */
function withHole(): { conn: ScriptedCore; a: ScriptedSubflow; b: ScriptedSubflow } {
  const conn = new ScriptedCore(MISSING)
  const a = conn.joinUp()
  const b = conn.joinUp()
  a.hears(data(10, 'read'), data(12, 'held'))
  return { conn, a, b }
}

/** So many seconds in each of which the peer answers. */
function answers(conn: ScriptedCore, subflow: ScriptedSubflow, seconds: number): void {
  for (let i = 0; i < seconds && !conn.isFinished; i++) {
    conn.now += 1000
    subflow.hears(acks(PONG))
  }
}

describe('a frame that a Go peer does not send again', () => {
  it('fails the connection once the peer has answered for missingMs and sent nothing new, and is named', () => {
    const { conn, b } = withHole()
    expect(conn.reads()).toBe('read')
    answers(conn, b, 19)
    expect(conn.isFinished).toBe(false)
    answers(conn, b, 1)
    expect(conn.error).toMatchObject({
      ...INCOMPLETE,
      message: expect.stringContaining('frame 11 is missing') as string,
    })
  })

  it('is waited for while later frames still come', () => {
    const { conn, a, b } = withHole()
    for (let fn = 13; fn < 20; fn++) {
      answers(conn, b, 15)
      a.hears(data(fn, 'more'))
    }
    expect(conn.isFinished).toBe(false)
  })

  it('is waited for while a frame, however slowly, comes in', () => {
    const { conn, a, b } = withHole()
    const frame = data(11, 'x'.repeat(100))
    for (let at = 0; at < frame.length; at += 10) {
      answers(conn, b, 15)
      a.hears(frame.subarray(at, at + 10))
    }
    expect(conn.isFinished).toBe(false)
    expect(conn.reads()).toMatch(/^readx+held$/)
  })

  it('is not waited for because frames come that are there already', () => {
    const { conn, a, b } = withHole()
    for (let i = 0; i < 20; i++) {
      a.hears(data(12, 'held').subarray(0, 4))
      answers(conn, b, 1)
      a.hears(data(12, 'held').subarray(4))
    }
    expect(conn.error).toMatchObject(INCOMPLETE)
  })

  it('is waited for as long as the peer is silent: that is judged by path', () => {
    const conn = new ScriptedCore({ ...MISSING, deadMs: 3_600_000 })
    conn.joinUp().hears(data(10, 'read'), data(12, 'held'))
    conn.passes(300_000)
    expect(conn.isFinished).toBe(false)
  })

  it('is waited for through a standstill of our own machine, however many answers came meanwhile', () => {
    const { conn, b } = withHole()
    conn.now += 300_000
    for (let i = 0; i < 5; i++) b.hears(acks(PONG))
    expect(conn.isFinished).toBe(false)
  })

  it('is waited for while our reader leaves no room for it, however often the peer sends it', () => {
    const conn = new ScriptedCore({ ...MISSING, maxUnreadBytes: 10, maxReorderBytes: 10 })
    const a = conn.joinUp()
    a.hears(data(10, 'ten bytes.'), data(11, 'eleventh'))
    for (let i = 0; i < 100; i++) {
      conn.now += 1000
      a.hears(acks(PONG), data(11, 'eleventh'))
    }
    expect(conn.isFinished).toBe(false)
    expect(conn.reads()).toBe('ten bytes.')
    a.hears(data(11, 'eleventh'))
    expect(conn.reads()).toBe('eleventh')
  })

  it('is waited for while it alone does not fit, though the reader has some room', () => {
    const conn = new ScriptedCore({ ...MISSING, maxUnreadBytes: 1000, maxReorderBytes: 1000 })
    const a = conn.joinUp()
    a.hears(data(10, new Uint8Array(400)), data(11, new Uint8Array(700)))
    answers(conn, a, 100)
    expect(conn.isFinished).toBe(false)
    // Once there is room for it, the peer has to send it.
    conn.reads()
    answers(conn, a, 21)
    expect(conn.error).toMatchObject(INCOMPLETE)
  })

  it('does not matter where nothing is missing', () => {
    const conn = new ScriptedCore(MISSING)
    const a = conn.joinUp()
    a.hears(data(10, 'read'), data(11, 'read'))
    answers(conn, a, 100)
    expect(conn.isFinished).toBe(false)
  })

  it('is waited for with a peer of our kind, whose paths may be paused', () => {
    const conn = new ScriptedCore(MISSING)
    const a = conn.joinUp({}, CAPABLE)
    a.hears(acks(PING), data(10, 'read'), data(12, 'held'))
    answers(conn, a, 100)
    expect(conn.isFinished).toBe(false)
  })
})
