// SPDX-License-Identifier: Apache-2.0
/**
 * One table, one pass for numeric options: a wrong value is refused with its name, range and value; the
 * caller's object is never changed; the rest of the code sees only the resolved, frozen result.
 */
import type { Clock } from './clock.js'
import { closest } from './closest.js'
import { OptionError } from './errors.js'

/** What one numeric option takes. */
export interface OptionRange {
  readonly default: number
  readonly min: number
  readonly max: number
}

/** A row for each option; an option without a row is a type error. */
export type OptionTable<Options> = { readonly [Name in keyof Options]-?: OptionRange }

export type Resolved<Options> = { readonly [Name in keyof Options]-?: number }

/**
 * Resolves `options` against `table`.
 *
 * @throws {OptionError} for a value that is no integer in its range
 */
export function resolveOptions<Options extends object>(
  table: OptionTable<Options>,
  options: Partial<Options> | undefined,
): Resolved<Options> {
  assertObject(options)
  const resolved: Record<string, number> = {}
  for (const [name, range] of Object.entries(table) as [keyof Options & string, OptionRange][]) {
    const value: unknown = options?.[name]
    resolved[name] = value === undefined ? range.default : checkRange(name, value, range)
  }
  return Object.freeze(resolved) as Resolved<Options>
}

/** Refuses names that no table knows: a misspelt limit would limit nothing. */
export function refuseUnknown(
  options: object | undefined,
  ...known: readonly (object | readonly string[])[]
): void {
  assertObject(options)
  const names = new Set(
    known.flatMap((part) => (Array.isArray(part) ? (part as string[]) : Object.keys(part))),
  )
  for (const name of Object.keys(options ?? {}))
    if (!names.has(name)) throw new OptionError(unknownOption(name, [...names]))
}

function unknownOption(name: string, known: readonly string[]): string {
  const meant = closest(name, known)
  const hint = meant === undefined ? `known are ${known.join(', ')}` : `did you mean ${meant}?`
  return `unknown option ${name}; ${hint}`
}

function assertObject(options: unknown): void {
  if (options !== undefined) requireObject(options)
}

/**
 * For options that have to be given.
 *
 * @throws {OptionError} for anything but an object
 */
export function requireObject(options: unknown): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new OptionError(`options must be an object, got ${describe(options)}`)
}

/** A signal; `undefined` where none is given. */
export function checkSignal(signal: unknown): void {
  const { aborted, addEventListener } = (signal ?? {}) as Partial<AbortSignal>
  if (signal !== undefined && (typeof aborted !== 'boolean' || typeof addEventListener !== 'function'))
    throw new OptionError(`signal must be an AbortSignal, got ${typeof signal}`, 'ERR_INVALID_ARG_TYPE')
}

/** A yes or no; `undefined` where it is not given. */
export function checkBoolean(name: string, value: unknown): boolean | undefined {
  if (value !== undefined && typeof value !== 'boolean')
    throw new OptionError(`${name} must be true or false, got ${describe(value)}`)
  return value
}

/** A source of time; the system's where none is given. */
export function checkClock(value: unknown): Clock | undefined {
  if (value === undefined) return undefined
  const { now, wall, callAt } = (value ?? {}) as Partial<Clock>
  if ([now, wall, callAt].some((method) => typeof method !== 'function'))
    throw new OptionError(`clock must have now(), wall() and callAt(), got ${describe(value)}`)
  return value as Clock
}

function checkRange(name: string, value: unknown, { min, max }: OptionRange): number {
  const whole = Number.isInteger(value) || (value === Infinity && max === Infinity)
  if (!whole || (value as number) < min || (value as number) > max)
    throw new OptionError(`${name} must be an integer from ${min} to ${max}, got ${describe(value)}`)
  return value as number
}

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}
