// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { DialError, MultipathError, OptionError, RemoteProtocolError, toError } from '../lib/errors.js'

const SOURCE = readFileSync('lib/errors.ts', 'utf8')
const PAGE = readFileSync('docs/errors.md', 'utf8')

/** The members of the union type ErrorCode. */
const CODES = [...SOURCE.matchAll(/^ {2}\| '(ERR_MULTIPATH_\w+)'$/gm)].map(([, code]) => code!)
/** Code and cells of each row of the page. */
const ROWS = new Map(
  [...PAGE.matchAll(/^\| `(ERR_\w+)` \|(.*)\|$/gm)].map(([, code, cells]) => [
    code!,
    cells!.split(' | ').map((cell) => cell.trim()),
  ]),
)

describe('docs/errors.md', () => {
  it('lists every code once, and no other', () => {
    expect(CODES.length).toBeGreaterThan(10)
    expect([...ROWS.keys()].sort()).toEqual([...CODES].sort())
    expect(PAGE.match(/^\| `ERR_/gm)).toHaveLength(CODES.length)
  })

  it.each(CODES)('says of %s when, what dies and what to do', (code) => {
    const cells = ROWS.get(code)
    expect(cells).toHaveLength(3)
    for (const cell of cells!) expect(cell.length).toBeGreaterThan(10)
    expect(cells![1]).toMatch(/^The (subflow|connection|call|stream|session)/)
  })

  it("names Go's four errors", () => {
    for (const name of ['ErrUnexpectedVersion', 'ErrUnexpectedCID', 'ErrFailOnAllDialers', 'ErrClosed'])
      expect(PAGE).toContain(`Go: \`${name}\``)
  })

  it('names every reason for which a subflow closes', () => {
    const union = /export type CloseReason =([\s\S]*?)\n\n/.exec(readFileSync('lib/core/health.ts', 'utf8'))
    const reasons = [...union![1]!.matchAll(/\| '(\w+)'/g)].map(([, reason]) => reason!)
    expect(reasons.length).toBeGreaterThan(5)
    for (const reason of reasons) expect(PAGE).toContain(`\`${reason}\``)
  })
})

describe('a code', () => {
  const lib = (readdirSync('lib', { recursive: true }) as string[])
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(`lib/${name}`, 'utf8'))
    .join('\n')

  it.each(CODES)('is used: %s', (code) => {
    expect(lib.split(`'${code}'`).length).toBeGreaterThan(2)
  })
})

describe('MultipathError', () => {
  it('keeps code, cause and the name of its class', () => {
    const cause = new Error('underneath')
    const error = new MultipathError('ERR_MULTIPATH_CLOSED', 'closed', { cause })
    expect(error).toMatchObject({ code: 'ERR_MULTIPATH_CLOSED', message: 'closed', name: 'MultipathError' })
    expect(error.cause).toBe(cause)
    expect(error).toBeInstanceOf(Error)
    expect(new OptionError('x')).toMatchObject({ code: 'ERR_MULTIPATH_OPTION', name: 'OptionError' })
    expect(new RemoteProtocolError('x')).toMatchObject({ code: 'ERR_MULTIPATH_FRAME' })
  })
})

describe('DialError', () => {
  it('tells of every path in its message, its failures and its cause', () => {
    const [one, two] = [new Error('no route'), new Error('')]
    const error = new DialError('there', [
      { label: 'a', error: one },
      { label: 'b', error: two },
    ])
    expect(error.message).toBe('no path to there: a: no route; b: Error')
    expect(error.failures.map(({ label }) => label)).toEqual(['a', 'b'])
    expect((error.cause as AggregateError).errors).toEqual([one, two])
  })
})

describe('toError()', () => {
  it('leaves errors alone and wraps everything else', () => {
    const error = new TypeError('x')
    expect(toError(error)).toBe(error)
    expect(toError('text')).toMatchObject({ message: 'text' })
    expect(toError(undefined)).toBeInstanceOf(Error)
  })
})

describe('the code that programs for net know', () => {
  const refused = (port: number): Error =>
    Object.assign(new Error(`connect ECONNREFUSED 127.0.0.1:${port}`), {
      ...{ code: 'ECONNREFUSED', errno: -111, syscall: 'connect', address: '127.0.0.1', port },
    })
  const dialError = (...errors: Error[]): DialError =>
    new DialError(
      'there',
      errors.map((error, index) => ({ label: `path ${index}`, error })),
    )

  it('is what every path failed with, with the detail of the first', () => {
    expect(dialError(refused(1), refused(2))).toMatchObject({
      ...{ code: 'ECONNREFUSED', errno: -111, syscall: 'connect', address: '127.0.0.1', port: 1 },
      multipathCode: 'ERR_MULTIPATH_FAIL_ON_ALL_DIALERS',
    })
  })

  it('is ours where the paths failed in different ways, or in one that net does not know', () => {
    const silent = new MultipathError('ERR_MULTIPATH_HANDSHAKE_TIMEOUT', 'silent')
    for (const error of [dialError(refused(1), silent), dialError(new Error('odd')), dialError()])
      expect(error.code).toBe('ERR_MULTIPATH_FAIL_ON_ALL_DIALERS')
    expect(dialError(silent, silent).code).toBe('ETIMEDOUT')
  })

  it('of a connection that died is what ended its last subflow, or ECONNRESET', () => {
    const dead = (cause?: unknown): string =>
      new MultipathError('ERR_MULTIPATH_UNACKED', 'unacked', { cause }).code
    expect(dead()).toBe('ECONNRESET')
    expect(dead(new Error('odd'))).toBe('ECONNRESET')
    expect(dead(Object.assign(new Error('late'), { code: 'EHOSTUNREACH' }))).toBe('EHOSTUNREACH')
    expect(dead(new MultipathError('ERR_MULTIPATH_SUBFLOW_DEAD', 'silent'))).toBe('ETIMEDOUT')
  })

  it('is the same as ours everywhere else', () => {
    for (const code of ['ERR_MULTIPATH_FRAME', 'ERR_MULTIPATH_IDLE'] as const)
      expect(new MultipathError(code, 'x', { cause: refused(1) })).toMatchObject({
        code,
        multipathCode: code,
      })
  })
})
