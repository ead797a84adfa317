// SPDX-License-Identifier: Apache-2.0
import type { Duplex } from 'node:stream'
import { PassThrough, Readable, Writable } from 'node:stream'
import { describe, expect, it, onTestFinished } from 'vitest'
import { OptionError } from '../../lib/index.js'
import type { MuxOptions } from '../../lib/mux/index.js'
import { MuxSession } from '../../lib/mux/index.js'
import { MUX_TABLE } from '../../lib/mux/options.js'
import type { OptionRange } from '../../lib/options.js'

const ROWS: [string, OptionRange][] = Object.entries(MUX_TABLE)

function sessionWith(options: unknown, below: unknown = new PassThrough()): MuxSession {
  const session = new MuxSession(below as Duplex, options as MuxOptions)
  onTestFinished(() => void session.destroy())
  return session
}

/** What refuses `make`, which must be an OptionError. */
function refusal(make: () => unknown): string {
  try {
    make()
  } catch (error) {
    expect(error).toBeInstanceOf(OptionError)
    expect(error).toMatchObject({ code: 'ERR_MULTIPATH_OPTION' })
    return (error as Error).message
  }
  return 'nothing was refused'
}

describe('a session', () => {
  it.each(ROWS)('takes %s at both ends of its range', (name, range) => {
    for (const value of [range.min, range.max, range.default, undefined])
      expect(sessionWith({ role: 'client', [name]: value }).isOpen).toBe(true)
  })

  it.each(ROWS)('refuses %s out of its range, with name, range and value', (name, { min, max }) => {
    const wrong = [min - 1, min + 0.5, Number.NaN, -Infinity, '5', null, true, {}, 5n]
    if (max !== Infinity) wrong.push(max + 1, Infinity)
    for (const value of wrong) {
      const message = refusal(() => sessionWith({ role: 'client', [name]: value }))
      expect(message).toContain(`${name} must be an integer from ${min} to ${max}, got `)
      if (typeof value === 'number') expect(message).toContain(String(value))
    }
  })

  it.each([
    [{}, 'role must be "client" or "server", got undefined'],
    [{ role: 'Client' }, 'role must be "client" or "server", got "Client"'],
    [{ role: 'client', allowHalfOpen: 1 }, 'allowHalfOpen must be true or false, got 1'],
    [{ role: 'client', clock: {} }, 'clock must have now(), wall() and callAt(), got an object'],
    [{ role: 'client', maxStream: 5 }, 'unknown option maxStream; did you mean maxStreams?'],
    [null, 'options must be an object, got null'],
    ['client', 'options must be an object, got "client"'],
  ])('refuses %j', (options, message) => {
    expect(refusal(() => sessionWith(options))).toContain(message)
  })

  it.each([
    ['nothing', null],
    ['a Readable', new Readable()],
    ['a Writable', new Writable()],
  ])('refuses %s in the place of its Duplex, and leaves it alone', (_, below) => {
    expect(refusal(() => sessionWith({ role: 'client' }, below))).toContain('duplex must be a Duplex')
    expect(below?.listenerCount('close') ?? 0).toBe(0)
  })

  it.each([
    [{ allowHalfOpen: 'yes' }, 'allowHalfOpen must be true or false, got "yes"'],
    [{ halfOpen: true }, 'unknown option halfOpen; known are allowHalfOpen'],
    [7, 'options must be an object, got 7'],
  ])('opens no stream with %j', (options, message) => {
    const session = sessionWith({ role: 'client' })
    expect(refusal(() => session.open(options as never))).toContain(message)
    expect(session.streams).toBe(0)
  })
})
