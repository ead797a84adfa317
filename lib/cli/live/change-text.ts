// SPDX-License-Identifier: Apache-2.0
/** A change of a path, or of a session, in words and as fields. */
import type { Fields } from '../json-line.js'
import type { Change, PathChange, SessionChange } from './path-journal.js'

/** Where a path leads; `undefined` where that is not known, or its label says it. */
export interface PathEnds {
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly transport?: string | undefined
}

/** Less is not worth a number, milliseconds. */
const SOON_MS = 50

export interface ChangeLine {
  readonly event: 'path' | 'suspended' | 'resumed'
  readonly isWarning: boolean
  readonly message: string
  readonly fields: Fields
}

/** @param ends - of the path that changed */
export function changeLine(change: Change, ends: PathEnds | undefined): ChangeLine {
  if (!('label' in change)) return sessionLine(change)
  const { label, kind, reason, rttMs, downMs, nextAttemptMs, upCount, count } = change
  const state = kind === 'recovered' || kind === 'resumed' ? 'up' : kind
  return {
    event: 'path',
    isWarning: kind === 'down',
    message: `${upCount} of ${count} path${count === 1 ? '' : 's'} up; ${nameOf(label, ends)} ${turnText(change)}`,
    fields: {
      ...{ label, from: ends?.from, to: ends?.to, state, change: kind, reason },
      ...{ rttMs: round(rttMs), downMs: round(downMs), nextAttemptMs: round(nextAttemptMs) },
      ...{ upCount, count },
    },
  }
}

function sessionLine({ kind, downMs }: SessionChange): ChangeLine {
  return kind === 'suspended'
    ? { event: kind, isWarning: true, message: 'suspended: no path is up', fields: {} }
    : {
        event: kind,
        isWarning: false,
        message: `resumed after ${duration(downMs ?? 0)}`,
        fields: { downMs: round(downMs) },
      }
}

function turnText({ kind, reason, downMs, nextAttemptMs }: PathChange): string {
  const why = reason === undefined ? '' : `: ${reason}`
  switch (kind) {
    case 'recovered':
      return `recovered after ${duration(downMs ?? 0)}${why}`
    case 'down':
      return `down${why}${nextAttemptMs === undefined ? '' : nextText(nextAttemptMs)}`
    default:
      return kind
  }
}

function nextText(ms: number): string {
  return ms < SOON_MS ? ', next attempt at once' : `, next attempt in ${duration(ms)}`
}

/** `lte (10.64.3.7 → gw:7001)`; a label that names both ends says it all. */
export function nameOf(label: string, { from, to }: PathEnds = {}): string {
  if (to === undefined || label.includes(to)) return label
  return `${label} (${from === undefined ? '' : `${from} → `}${to})`
}

/** `0.2 s`, `4 s`, `2 min 5 s`. */
export function duration(ms: number): string {
  const seconds = ms / 1000
  if (seconds < 60) return `${Number(seconds.toFixed(seconds < 20 ? 1 : 0))} s`
  const whole = Math.round(seconds)
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  const minutes = Math.round(whole / 60)
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
  return `${Math.floor(minutes / 1440)} d ${Math.floor((minutes % 1440) / 60)} h`
}

function round(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.round(value * 10) / 10
}
