// SPDX-License-Identifier: Apache-2.0
/** What the dialers make of the options that they have in common. */
import { OptionError } from '../errors.js'
import { refuseUnknown, requireObject } from '../options.js'
import type { PathOptions, SubflowDialer } from './transport.js'

/** The options that every path has. */
const PATH_NAMES: Names<PathOptions> = {
  label: true,
  tracker: true,
  tier: true,
  weight: true,
  maxBytes: true,
  maxBytesPerSecond: true,
  parallel: true,
}

/** Every option by name: one that is missing is a type error. */
export type Names<Options> = { readonly [Name in keyof Options]-?: true }

/**
 * Refuses options that neither `own` nor a path has: a misspelt cap is no cap.
 *
 * @throws {OptionError}
 */
export function refuseUnknownOptions(options: object, own: object): void {
  requireObject(options)
  refuseUnknown(options, PATH_NAMES, own)
}

/** Of `options`, those that `own` or a path has. */
export function knownOptions(options: object, own: object): object {
  return Object.fromEntries(Object.entries(options).filter(([name]) => name in PATH_NAMES || name in own))
}

/** The parts of a dialer that don't depend on its transport. */
export function pathOf(options: PathOptions, place: string): Omit<SubflowDialer, 'dial'> {
  const { label = place, tracker, tier, weight, maxBytes, maxBytesPerSecond, parallel } = options
  return { label, tracker, policy: { tier, weight, maxBytes, maxBytesPerSecond, parallel } }
}

/** What is the transport's own. */
export function withoutPath<Options extends PathOptions>(options: Options): Omit<Options, keyof PathOptions> {
  const {
    label: _label,
    tracker: _tracker,
    tier: _tier,
    weight: _weight,
    maxBytes: _maxBytes,
    maxBytesPerSecond: _maxBytesPerSecond,
    parallel: _parallel,
    ...rest
  } = options
  return rest
}

/** Where a path leads, and which uplink it takes. */
export function placeOf(host: string, port: number, localAddress?: string): string {
  const remote = `${host.includes(':') ? `[${host}]` : host}:${port}`
  return localAddress === undefined ? remote : `${localAddress}|${remote}`
}

/**
 * A port, which may be given in digits, as to net.
 *
 * @throws {OptionError}
 */
export function checkPort(port: unknown, name = 'port'): number {
  const number = typeof port === 'string' && port.trim() !== '' ? Number(port) : port
  if (Number.isInteger(number) && (number as number) >= 0 && (number as number) <= 65_535)
    return number as number
  const isOfType = typeof port === 'number' || typeof port === 'string'
  throw new OptionError(
    `${name} must be an integer from 0 to 65535, got ${String(port)}`,
    isOfType ? 'ERR_SOCKET_BAD_PORT' : 'ERR_INVALID_ARG_TYPE',
  )
}

/** @throws {OptionError} for a value that is neither of `type` nor missing */
export function checkType(values: Readonly<Record<string, unknown>>, type: string): void {
  for (const [name, value] of Object.entries(values))
    if (value !== undefined && typeof value !== type)
      throw new OptionError(`${name} must be a ${type}, got ${typeof value}`, 'ERR_INVALID_ARG_TYPE')
}

/** @throws {OptionError} for a value that is neither a string nor missing */
export function checkStrings(values: Readonly<Record<string, unknown>>): void {
  checkType(values, 'string')
}
