// SPDX-License-Identifier: Apache-2.0
/** `multipath trace`: what it draws, and what it says of files that it cannot draw. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { expectWellFormed, handMade, joins, OPEN, runTrace, writeTrace } from '../support/drawn-trace.js'
import { connected } from '../support/traced.js'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'multipath-drawn-'))
  file = join(folder, 'a.trace')
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

/** What is drawn of these lines, without a word of diagnostics. */
async function drawn(...lines: readonly (object | string)[]): Promise<string> {
  const { code, lines: told, out } = await runTrace(writeTrace(file, ...lines))
  expect({ code, told }).toEqual({ code: 0, told: [] })
  expectWellFormed(out)
  return out
}

const titles = (svg: string): string[] =>
  [...svg.matchAll(/<title>(.*?)<\/title>/g)].map((match) => match[1]!)

describe('the drawing of a trace', () => {
  it('has four panels, a legend, and a head that names the connection', async () => {
    const svg = await drawn(...handMade())
    expect(svg.match(/font-weight="bold">[^<]+/g)).toEqual([
      expect.stringContaining('Connection abc… (dialer, hybrid), 2026-01-02T03:04:05.678Z'),
      expect.stringContaining('Sent on each path, Mbit/s'),
      expect.stringContaining('In flight, and window (dashed), KiB'),
      expect.stringContaining('Smoothed round-trip time, ms'),
      expect.stringContaining('Acked by the peer, and read by the application (dashed), MiB'),
    ])
    for (const label of ['wifi', 'l&lt;t&gt;e &quot;5G&quot;']) expect(svg).toContain(`>${label}</text>`)
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="\d+" height="\d+" viewBox/)
    expect(svg).toContain('fill="#ffffff"')
  })

  it('marks suspicions, closings, schedulers, policies and the end with the time and the reason', async () => {
    expect(titles(await drawn(...handMade()))).toEqual([
      '1.500 s: wifi suspect',
      '1.700 s: scheduler redundant',
      '1.800 s: policy of wifi: tier backup, weight 1, maxBytes 5',
      '1.900 s: wifi closed (failed, EPIPE)',
      '2.000 s: end, ERR_MULTIPATH_UNACKED',
    ])
  })

  it('counts time from the beginning of the connection, not of the trace', async () => {
    const late = handMade().map((line) => ({ ...line, t: (line as { t: number }).t + 3_600_000 }))
    expect(await drawn(...late)).toBe(await drawn(...handMade()))
  })

  it('stays small however long the trace is, and loses no peak', async () => {
    const samples = Array.from({ length: 50_000 }, (_, turn) => ({
      t: 20 * (turn + 1),
      c: 1,
      acked: turn,
      subs: [{ id: 1, sent: 10, flight: turn === 31_415 ? 9_000_000 : turn % 1000, window: 2000, rtt: 5 }],
    }))
    const svg = await drawn({ t: 0, c: 1, ...OPEN }, ...joins(1, 'wifi', 0), ...samples)
    expect(svg.length).toBeLessThan(300_000)
    // 9,000,000 bytes are 8.6 MiB, and the axis ends at 10.
    expect(svg).toContain('In flight, and window (dashed), MiB')
    expect(svg).toMatch(/>10<\/text>/)
  })

  it('can be made of a connection that has sent nothing yet', async () => {
    const svg = await drawn({ t: 5, c: 1, ...OPEN })
    expect(svg).not.toMatch(/NaN|Infinity|undefined/)
  })

  it('is made of what a connection has really traced', async () => {
    const { clock, links, near, far } = await connected({
      links: [
        { rateMbps: 50, delayMs: 5 },
        { rateMbps: 20, delayMs: 20 },
      ],
      dialer: { trace: file },
    })
    far.resume()
    near.write(Buffer.alloc(5_000_000))
    await clock.run(300)
    links[1]!.cut()
    await clock.run(2000)
    near.destroy()
    const { code, lines, out } = await runTrace(file)
    expect({ code, lines }).toEqual({ code: 0, lines: [] })
    expectWellFormed(out)
    expect(out).not.toMatch(/NaN|Infinity|undefined/)
    expect(out).toContain('>link 1</text>')
    expect(titles(out)[0]).toMatch(/^0\.\d+ s: link 1 closed \(failed, ECONNRESET\)$/)
  })
})

describe('multipath trace', () => {
  it('writes the drawing where --output says, and nothing to standard output', async () => {
    const { out: expected } = await runTrace(writeTrace(file, ...handMade()))
    const output = join(folder, 'a.svg')
    expect(await runTrace(file, '--output', output)).toEqual({ code: 0, lines: [], out: '' })
    expect(readFileSync(output, 'utf8')).toBe(expected)
  })

  it('draws the first connection and says that there are others; --connection chooses', async () => {
    const second = handMade(2).map((line) =>
      'ev' in line && line.ev === 'open' ? { ...line, name: 'xyz…' } : line,
    )
    writeTrace(file, ...[...handMade(1), ...second].toSorted((a, b) => timeOf(a) - timeOf(b)))
    const first = await runTrace(file)
    expect(first.out).toContain('Connection abc…')
    expect(first.lines).toEqual([
      expect.stringMatching(/the first of 2 connections; choose a different one with -c/),
    ])
    const chosen = await runTrace(file, '--connection', '2')
    expect(chosen).toMatchObject({ code: 0, lines: [] })
    expect(chosen.out).toContain('Connection xyz…')
    expect(chosen.out.replace('xyz…', 'abc…')).toBe(first.out)
  })

  it('counts on where a later process numbered its connections anew', async () => {
    writeTrace(file, ...handMade(), ...handMade().map((line) => ({ ...line, side: 'listener' })))
    expect((await runTrace(file, '-c', '2')).out).toContain('abc… (listener')
  })

  it.each([
    ['not JSON', ['{"t":0,']],
    ['not a line of a trace', ['5']],
    ['not a line of a trace', ['{"t":0}']],
    ['unknown event "other"', [{ t: 0, c: 1, ev: 'other' }]],
    ['the trace has version 2, and only version 1 is supported', [{ t: 0, c: 1, ...OPEN, v: 2 }]],
    ['the trace has version undefined, and only version 1', [{ t: 0, c: 1, ...OPEN, v: undefined }]],
    ['connection 4 has no open event', [{ t: 0, c: 4 }]],
    ['acked must be a number', [{ t: 0, c: 1, acked: '5' }]],
    ['subs must be a list', [{ t: 0, c: 1, subs: 5 }]],
    ['an element of subs must be an object', [{ t: 0, c: 1, subs: [null] }]],
    ['id must be a number', [{ t: 0, c: 1, subs: [{ id: 'x' }] }]],
    ['label must be a string', [{ t: 0, c: 1, ev: 'subflow', id: 1, state: 'up' }]],
  ])('says in which line it found "%s"', async (what, lines) => {
    const head = [{ t: 0, c: 1, ...OPEN }, ...joins(1, 'wifi', 0)]
    const { code, lines: told, out } = await runTrace(writeTrace(file, ...head, ...lines))
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(told).toEqual([expect.stringMatching(/^multipath: .*a\.trace, line 4: .*\(.+\)$/)])
    expect(told[0]).toContain(what)
  })

  it.each([
    ['is not there', ['none.trace'], 1, /cannot read .*none\.trace: ENOENT/],
    ['is a directory', ['.'], 1, /cannot read .*: EISDIR/],
    ['holds nothing', ['empty.trace'], 1, /empty\.trace contains no connection \(.+\)/],
    [
      'has fewer connections',
      ['one.trace', '-c', '2'],
      2,
      /one\.trace contains only 1 connection \(.*from 1 to 1\)/,
    ],
    ['cannot be written beside', ['one.trace', '-o', '.'], 1, /cannot write to .*: EISDIR/],
  ])('says that the file %s', async (_what, [name, ...more], exitCode, message) => {
    writeTrace(join(folder, 'empty.trace'), '')
    writeTrace(join(folder, 'one.trace'), ...handMade())
    const args = more.map((arg) => (arg === '.' ? folder : arg))
    const { code, lines, out } = await runTrace(join(folder, name!), ...args)
    expect({ code, out }).toEqual({ code: exitCode, out: '' })
    expect(lines).toEqual([expect.stringMatching(message)])
  })
})

const timeOf = (line: object): number => (line as { t: number }).t
