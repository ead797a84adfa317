// SPDX-License-Identifier: Apache-2.0
/** Traces made by hand, and what `multipath trace` makes of them. */
import { writeFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { expect } from 'vitest'
import { runCli } from '../../lib/cli/program.js'
import { FakeCliIo } from './fake-cli-io.js'

export const OPEN = {
  ev: 'open',
  v: 1,
  at: '2026-01-02T03:04:05.678Z',
  name: 'abc…',
  side: 'dialer',
  scheduler: 'hybrid',
}

/** A subflow joins and goes up. */
export function joins(id: number, label: string, t: number, c = 1): object[] {
  const line = { t, c, ev: 'subflow', id, label, tier: 'primary', from: 'probing' }
  return [
    { ...line, state: 'probing' },
    { ...line, state: 'up' },
  ]
}

/** A second of 8 Mbit/s on wifi, a suspicion, a second path, and an end in error: 2 s in all. */
export function handMade(c = 1): object[] {
  const wifi = { c, ev: 'subflow', id: 1, label: 'wifi', tier: 'primary' }
  const standing = { flight: 20_000, window: 50_000, rtt: 12.5, rate: 1_000_000 }
  const bulk = Array.from({ length: 50 }, (_, turn) => ({
    t: 20 * (turn + 1),
    c,
    acked: 20_000 * turn,
    read: 7 * turn,
    subs: [{ id: 1, sent: 19_000, resent: 1000, ...standing }],
  }))
  return [
    { t: 0, c, ...OPEN },
    ...joins(1, 'wifi', 0, c),
    ...bulk,
    { t: 1500, ...wifi, from: 'up', state: 'suspect' },
    ...joins(2, 'l<t>e "5G"', 1600, c),
    { t: 1700, c, ev: 'scheduler', scheduler: 'redundant' },
    { t: 1800, c, ev: 'policy', label: 'wifi', tier: 'backup', weight: 1, maxBytes: 5 },
    { t: 1900, ...wifi, from: 'suspect', state: 'closed', reason: 'failed', error: 'EPIPE' },
    { t: 1950, c, acked: 2_097_152, subs: [{ id: 2, sent: 1000, flight: 1000, window: 9000, rtt: 80 }] },
    { t: 2000, c, ev: 'end', error: 'ERR_MULTIPATH_UNACKED' },
  ]
}

/** Writes lines; those that are strings as they are. */
export function writeTrace(file: string, ...lines: readonly (object | string)[]): string {
  const all = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)))
  writeFileSync(file, `${all.join('\n')}\n`)
  return file
}

export interface Ran {
  readonly code: number
  /** Of diagnostics. */
  readonly lines: readonly string[]
  /** Standard output. */
  readonly out: string
}

export async function runTrace(...args: readonly string[]): Promise<Ran> {
  const io = new FakeCliIo()
  const out = text(io.stdout)
  const code = await runCli(['trace', ...args], io)
  if (!io.stdout.writableEnded) io.stdout.end()
  return { code, lines: io.lines, out: await out }
}

/** Every element is closed, in order, and every attribute is quoted. */
export function expectWellFormed(svg: string): void {
  const open: string[] = []
  const rest = svg.replaceAll(
    /<(\/?)(\w+)(?: [\w:-]+="[^"<]*")*(\/?)>/g,
    (_all, end: string, name: string, alone: string) => {
      if (end !== '') expect(open.pop()).toBe(name)
      else if (alone === '') open.push(name)
      return ''
    },
  )
  expect(open).toEqual([])
  expect(rest).not.toMatch(/[<>]/)
}
