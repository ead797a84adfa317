// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it, test, vi } from 'vitest'
import { LICENCE, reports, typed, untyped } from './reports.js'

// ESLint with types takes half a minute of a busy machine's time.
vi.setConfig({ testTimeout: 120_000 })

const lines = (count: number, line: string): string => Array.from({ length: count }, () => line).join('\n')
const body = (count: number): string => lines(count, '  void 0')

describe('sans-IO code', () => {
  const sources = [
    'Date.now()',
    'performance.now()',
    'process.hrtime()',
    'crypto.randomUUID()',
    'setTimeout(f, 1)',
    'setInterval(f, 1)',
    'setImmediate(f)',
    'queueMicrotask(f)',
    'globalThis.setTimeout(f, 1)',
  ]
  const cases = [
    'lib/wire/hello.ts',
    'lib/core/congestion/rtt.ts',
    'lib/core/schedulers/lowest-rtt.ts',
  ].flatMap((path) => sources.map((source) => [path, source] as const))

  test.each(cases)('%s must not call %s', async (path, source) => {
    expect(await reports(path, `export const f = (): unknown => ${source}`)).toContain(
      'no-restricted-globals',
    )
  })

  test.each(['lib/wire/hello.ts', 'lib/core/congestion/rtt.ts'])(
    '%s must not call Math.random',
    async (path) => {
      const code = 'export const f = (): number => Math.random()'
      expect(await reports(path, code)).toEqual(['no-restricted-properties'])
    },
  )

  it('leaves timers to the shell', async () => {
    expect(await reports('lib/conn/driver.ts', 'export const f = (): unknown => setTimeout(f, 1)')).toEqual(
      [],
    )
  })
})

describe('every file', () => {
  test.each(['lib/wire/hello.ts', 'lib/conn/driver.ts', 'spec/conn/driver.spec.ts', 'bench/main.ts'])(
    '%s must not call removeAllListeners',
    async (path) => {
      const code =
        'export const f = (socket: { removeAllListeners(): void }): void => socket.removeAllListeners()'
      expect(await reports(path, code)).toEqual(['no-restricted-properties'])
    },
  )

  it('says its licence in the first line, or behind that of an interpreter', async () => {
    for (const code of ['export const a = 1', '#!/usr/bin/env node\nexport const a = 1']) {
      const [result] = await untyped.lintText(code, { filePath: 'lib/conn/driver.ts' })
      expect(result?.messages.map(({ ruleId }) => ruleId)).toEqual(['local/licence'])
    }
    const script = `#!/usr/bin/env node\n${LICENCE}\nexport const a = 1`
    const [result] = await untyped.lintText(script, { filePath: 'lib/conn/driver.ts' })
    expect(result?.messages).toEqual([])
  })

  test.each([
    ['lib/conn/driver.ts', 300],
    ['bench/main.ts', 300],
    ['spec/conn/driver.spec.ts', 500],
    ['interop/we-dial.spec.ts', 500],
  ])('%s has at most %i lines', async (path, limit) => {
    expect(await reports(path, lines(limit, '// a'))).toEqual([])
    expect(await reports(path, lines(limit + 1, '// a'))).toEqual(['max-lines'])
  })

  it('has functions of at most 50 lines', async () => {
    expect(await reports('lib/conn/driver.ts', `export function f(): void {\n${body(48)}\n}`)).toEqual([])
    expect(await reports('lib/conn/driver.ts', `export function f(): void {\n${body(49)}\n}`)).toEqual([
      'max-lines-per-function',
    ])
  })

  it('has functions of complexity 12 at most', async () => {
    const chain = (terms: number): string =>
      `export const f = (a: boolean): boolean => ${lines(terms, 'a').split('\n').join(' && ')}`
    expect(await reports('lib/conn/driver.ts', chain(12))).toEqual([])
    expect(await reports('lib/conn/driver.ts', chain(13))).toEqual(['complexity'])
  })
})

describe('lib', () => {
  it('has no private keyword, since # is private at run time too', async () => {
    const code = 'export class A {\n  private b = 1\n  c = (): number => this.b\n}'
    expect(await reports('lib/conn/driver.ts', code)).toEqual(['no-restricted-syntax'])
  })

  it('writes to the console from the command alone', async () => {
    expect(await reports('lib/conn/driver.ts', "console.log('a')")).toEqual(['no-console'])
    expect(await reports('lib/cli/nc.ts', "console.log('a')")).toEqual([])
  })
})

describe('specs', () => {
  const path = 'spec/conn/driver.spec.ts'

  it('may have long callbacks of describe and it, of each and of hooks', async () => {
    for (const head of ['describe', 'it', 'test.each([1])', 'describe.skipIf(true)', 'beforeEach']) {
      const name = head === 'beforeEach' ? '' : "'a', "
      expect(await reports(path, `${head}(${name}() => {\n${body(60)}\n})`)).toEqual([])
    }
  })

  it('may not have other long functions', async () => {
    const rule = ['local/spec-function-lines']
    expect(await reports(path, `export function f(): void {\n${body(49)}\n}`)).toEqual(rule)
    expect(await reports(path, `it('a', () => {\n[1].map(() => {\n${body(49)}\n})\n})`)).toEqual(rule)
  })

  const heads = ['it', 'test', 'describe'].flatMap((head) =>
    ['only', 'skip', 'todo'].map((mark) => `${head}.${mark}`),
  )
  test.each(heads)('may not use %s', async (head) => {
    expect(await reports(path, `${head}('a', () => {})`)).toEqual(['no-restricted-properties'])
  })

  it('may not be named with should', async () => {
    expect(await reports(path, "it('should work', () => {})")).toEqual(['no-restricted-syntax'])
  })

  it('may not draw from the global generator', async () => {
    expect(await reports(path, 'export const a = Math.random()')).toEqual(['no-restricted-properties'])
  })

  test.each(['spec/wire/hello.spec.ts', 'spec/core/congestion/rtt.spec.ts'])(
    '%s may not wait in real time',
    async (name) => {
      expect(await reports(name, 'setTimeout(() => {}, 5)')).toEqual(['no-restricted-globals'])
    },
  )
})

// Rules that need types see only files that exist; this one is part of the project whatever lib holds.
describe('rules with types', () => {
  const path = 'spec/lint/rules.spec.ts'

  it('report a promise that nobody awaits', async () => {
    const code = 'export function f(): void {\n  Promise.reject(new Error())\n}'
    expect(await reports(path, code, typed)).toEqual(['@typescript-eslint/no-floating-promises'])
  })

  it('report a promise where nobody expects one', async () => {
    const code = "export const f = (a: string[]): void => a.forEach(async () => Promise.resolve('b'))"
    expect(await reports(path, code, typed)).toContain('@typescript-eslint/no-misused-promises')
  })

  it('report a union that a switch does not exhaust', async () => {
    const code = "export function f(a: 'b' | 'c'): void {\n  switch (a) {\n    case 'b':\n  }\n}"
    expect(await reports(path, code, typed)).toEqual(['@typescript-eslint/switch-exhaustiveness-check'])
  })
})
