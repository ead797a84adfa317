// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { CONN_OPTIONS } from '../lib/core/options.js'
import { DIALER_TABLE, resolveDialerOptions } from '../lib/dial/options.js'
import { OptionError } from '../lib/errors.js'
import type { ListenerOptions } from '../lib/listen/options.js'
import { LISTENER_TABLE, resolveListenerOptions } from '../lib/listen/options.js'
import type { OptionRange } from '../lib/options.js'
import { resolveOptions } from '../lib/options.js'
import { optionsPage } from './support/docs.js'

const TABLES = { dialer: DIALER_TABLE, listener: LISTENER_TABLE } as const
/** With as many descriptors as there may be: those of this process bound some defaults. */
const resolveRich = (options: ListenerOptions = {}) =>
  Object(options) === options
    ? resolveListenerOptions({
        ...options,
        maxSockets: options.maxSockets === undefined ? Infinity : options.maxSockets,
      })
    : resolveListenerOptions(options)
const RESOLVERS = { dialer: resolveDialerOptions, listener: resolveRich } as const
const rows = (side: keyof typeof TABLES): [string, OptionRange][] => Object.entries(TABLES[side])

describe.each(['dialer', 'listener'] as const)('options of a %s', (side) => {
  const resolve = RESOLVERS[side] as (options?: object) => Record<string, number>

  it('have a default in their own range', () => {
    const defaults = resolve()
    for (const [name, range] of rows(side)) {
      expect(defaults[name]).toBe(range.default)
      expect(range.default).toBeGreaterThanOrEqual(range.min)
      expect(range.default).toBeLessThanOrEqual(range.max)
    }
  })

  it.each(rows(side))('take both ends of the range of %s', (name, { min, max }) => {
    expect(resolve({ [name]: min })[name]).toBe(min)
    expect(resolve({ [name]: max })[name]).toBe(max)
    expect(resolve({ [name]: undefined })[name]).toBe(TABLES[side][name as 'lingerMs'].default)
  })

  it.each(rows(side))(
    'refuse what is out of the range of %s with name, range and value',
    (name, { min, max }) => {
      const wrong = [min - 1, min + 0.5, Number.NaN, -Infinity, '5', null, true, {}, 5n]
      if (max !== Infinity) wrong.push(max + 1, Infinity)
      for (const value of wrong) {
        let message = ''
        try {
          resolve({ [name]: value })
        } catch (error) {
          expect(error).toBeInstanceOf(OptionError)
          expect(error).toMatchObject({ code: 'ERR_MULTIPATH_OPTION' })
          ;({ message } = error as Error)
        }
        expect(message).toContain(`${name} must be an integer from ${min} to ${max}, got `)
        if (typeof value === 'number') expect(message).toContain(String(value))
      }
    },
  )

  it('leave the object of the caller as it is', () => {
    const options = Object.freeze({ maxFrameBytes: 1000, allowHalfOpen: true })
    const resolved = resolve(options)
    expect(resolved).not.toBe(options)
    expect(options).toEqual({ maxFrameBytes: 1000, allowHalfOpen: true })
    expect(Object.isFrozen(resolved)).toBe(true)
  })

  it('refuse a name that nobody knows, and list those that are known', () => {
    expect(() => resolve({ maxFrameByte: 5 })).toThrow(
      'unknown option maxFrameByte; did you mean maxFrameBytes?',
    )
  })

  it.each([['text'], [5], [null]])('refuse %s in their place', (value) => {
    expect(() => resolve(value as never)).toThrow('options must be an object')
  })

  it.each([
    [{ allowHalfOpen: 1 }, 'allowHalfOpen must be true or false, got 1'],
    [{ allowHalfOpen: null }, 'allowHalfOpen must be true or false, got null'],
    [{ clock: {} }, 'clock must have now(), wall() and callAt(), got an object'],
    [{ clock: 'now' }, 'clock must have now(), wall() and callAt(), got "now"'],
  ])('refuse %j', (options, message) => {
    expect(() => resolve(options)).toThrow(message)
  })
})

describe('the options of a connection', () => {
  it('are the same on both sides', () => {
    for (const [name, range] of Object.entries(CONN_OPTIONS)) {
      expect(DIALER_TABLE).toHaveProperty(name, range)
      expect(LISTENER_TABLE).toHaveProperty(name, range)
    }
  })
})

describe('resolveOptions()', () => {
  it('takes no inherited value for a given one of another table', () => {
    const table = { ms: { default: 5, min: 0, max: Infinity } }
    expect(resolveOptions<{ ms?: number }>(table, undefined)).toEqual({ ms: 5 })
    expect(resolveOptions<{ ms?: number }>(table, { ms: Infinity })).toEqual({ ms: Infinity })
  })
})

describe('docs/options.md', () => {
  it('is what the code says: every option with its default and range', () => {
    expect(readFileSync('docs/options.md', 'utf8')).toBe(optionsPage())
  })
})
