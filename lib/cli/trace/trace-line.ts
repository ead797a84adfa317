// SPDX-License-Identifier: Apache-2.0
/** One line of a trace: an event, or the figures of a moment. */

/** What every line has: milliseconds since the trace began, and the connection. */
interface LineBase {
  readonly t: number
  readonly c: number
}

export interface SubflowFigures {
  readonly id: number
  /** Bytes since the sample before, what was sent again included. */
  readonly sent: number
  readonly flight: number
  readonly window: number
  /** Milliseconds; 0 while unknown. */
  readonly rtt: number
}

export interface SampleLine extends LineBase {
  readonly kind: 'sample'
  /** Bytes so far. */
  readonly acked: number
  readonly read: number
  readonly subs: readonly SubflowFigures[]
}

export interface OpenLine extends LineBase {
  readonly kind: 'open'
  readonly at: string
  readonly name: string
  readonly side: string
  readonly scheduler: string
}

export interface SubflowLine extends LineBase {
  readonly kind: 'subflow'
  readonly id: number
  readonly label: string
  readonly state: string
  /** Why it closed: reason and code, as far as there are any. */
  readonly why: string
}

/** Anything else that happens, in words. */
export interface OtherLine extends LineBase {
  readonly kind: 'scheduler' | 'policy' | 'end'
  readonly words: string
}

export type TraceLine = SampleLine | OpenLine | SubflowLine | OtherLine

type Fields = Readonly<Record<string, unknown>>

/** The version of the lines that we read. */
const VERSION = 1

/** @throws {Error} that says what is wrong with the line */
export function parseLine(text: string): TraceLine {
  const fields = parseObject(text)
  if (typeof fields['t'] !== 'number' || typeof fields['c'] !== 'number')
    throw new Error('not a line of a trace: the numbers t and c are missing')
  const base = { t: fields['t'], c: fields['c'] }
  switch (fields['ev']) {
    case undefined:
      return { ...base, ...sample(fields) }
    case 'open':
      return { ...base, ...open(fields) }
    case 'subflow':
      return { ...base, ...subflow(fields) }
    case 'scheduler':
      return { ...base, kind: 'scheduler', words: `scheduler ${textOf(fields, 'scheduler')}` }
    case 'policy':
      return { ...base, kind: 'policy', words: policyWords(fields) }
    case 'end':
      return { ...base, kind: 'end', words: joined('end', fields['error']) }
    default:
      throw new Error(`unknown event ${JSON.stringify(fields['ev'])}`)
  }
}

function parseObject(text: string): Fields {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Error('not JSON')
  }
  if (typeof value !== 'object' || value === null) throw new Error('not a line of a trace: not an object')
  return value as Fields
}

function open(fields: Fields): Omit<OpenLine, keyof LineBase> {
  if (fields['v'] !== VERSION)
    throw new Error(
      `the trace has version ${JSON.stringify(fields['v'])}, and only version ${VERSION} is supported`,
    )
  const [at, name, side, scheduler] = ['at', 'name', 'side', 'scheduler'].map((key) => textOf(fields, key))
  return { kind: 'open', at: at!, name: name!, side: side!, scheduler: scheduler! }
}

function subflow(fields: Fields): Omit<SubflowLine, keyof LineBase> {
  const why = joined(fields['reason'], fields['error'])
  const [label, state] = [textOf(fields, 'label'), textOf(fields, 'state')]
  return { kind: 'subflow', id: numberOf(fields, 'id'), label, state, why }
}

function sample(fields: Fields): Omit<SampleLine, keyof LineBase> {
  const subs = fields['subs'] ?? []
  if (!Array.isArray(subs)) throw new Error('subs must be a list')
  return {
    kind: 'sample',
    acked: numberOf(fields, 'acked'),
    read: numberOf(fields, 'read'),
    subs: subs.map(figures),
  }
}

function figures(sub: unknown): SubflowFigures {
  if (typeof sub !== 'object' || sub === null) throw new Error('an element of subs must be an object')
  const fields = sub as Fields
  return {
    id: numberOf(fields, 'id'),
    sent: numberOf(fields, 'sent') + numberOf(fields, 'resent'),
    flight: numberOf(fields, 'flight'),
    window: numberOf(fields, 'window'),
    rtt: numberOf(fields, 'rtt'),
  }
}

function policyWords(fields: Fields): string {
  const settings = ['tier', 'weight', 'maxBytes', 'maxBytesPerSecond']
    .filter((key) => fields[key] !== undefined)
    .map((key) => `${key} ${String(fields[key])}`)
  return `policy of ${textOf(fields, 'label')}: ${settings.join(', ')}`
}

function joined(...parts: readonly unknown[]): string {
  return parts.filter((part) => typeof part === 'string').join(', ')
}

/** What is left out is 0. */
function numberOf(fields: Fields, key: string): number {
  const value = fields[key] ?? 0
  if (typeof value !== 'number') throw new Error(`${key} must be a number`)
  return value
}

function textOf(fields: Fields, key: string): string {
  const value = fields[key]
  if (typeof value !== 'string') throw new Error(`${key} must be a string`)
  return value
}
