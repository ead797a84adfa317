// SPDX-License-Identifier: Apache-2.0
/** Runs one of Node's tests as Node's own runner does, with `net` replaced or not. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'

export type Over = 'net' | 'duplex' | 'facade'

export interface TestRun {
  readonly binary: string
  /** Folder that has `parallel/` and `common/`. */
  readonly tests: string
  /** What is preloaded: see patch/install.ts. */
  readonly patch: string
  readonly over: Over
  readonly paths: number
  readonly timeLimitMs: number
  /** Of runs at the same time, so that each has a temporary folder of its own. */
  readonly lane: number
}

export interface TestResult {
  readonly name: string
  readonly outcome: 'passed' | 'skipped' | 'failed' | 'hung'
  readonly ms: number
  /** What it printed; empty where it passed. */
  readonly output: string
}

const MOST_OUTPUT = 20_000

export function runTest(name: string, run: TestRun): Promise<TestResult> {
  const file = path.join(run.tests, 'parallel', name)
  const startedAt = performance.now()
  const child = spawn(run.binary, [...flagsOf(file), file], {
    cwd: run.tests,
    stdio: ['ignore', 'pipe', 'pipe'],
    // Of its own group, so that a test that is given up takes its children along.
    detached: true,
    env: environment(run),
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-MOST_OUTPUT)))
  let isHung = false
  const limit = setTimeout(() => {
    isHung = true
    killGroup(child.pid)
  }, run.timeLimitMs)
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(limit)
      killGroup(child.pid)
      const ms = Math.round(performance.now() - startedAt)
      resolve({
        name,
        outcome: outcomeOf(isHung, code, output),
        ms,
        output: said(isHung, code, signal, output),
      })
    })
  })
}

function outcomeOf(isHung: boolean, code: number | null, output: string): TestResult['outcome'] {
  if (isHung) return 'hung'
  if (code !== 0) return 'failed'
  return /^1\.\.0 # Skipped/m.test(output) ? 'skipped' : 'passed'
}

function said(isHung: boolean, code: number | null, signal: string | null, output: string): string {
  if (code === 0 && !isHung) return ''
  return `${output}\n${isHung ? 'hung' : `exit ${code ?? signal}`}`
}

/** Those of the line `// Flags: --expose-internals`. */
function flagsOf(file: string): string[] {
  const line = /\/\/ Flags:\s+(--.*)/.exec(readFileSync(file, 'utf8').slice(0, 1500))
  return line ? line[1]!.split(/\s+/).filter(Boolean) : []
}

function environment(run: TestRun): NodeJS.ProcessEnv {
  const {
    CI: _,
    NODE_ENV: __,
    NODE_V8_COVERAGE: ___,
    VITEST: ____,
    FORCE_COLOR: _____,
    ...rest
  } = process.env
  return {
    ...rest,
    TEST_THREAD_ID: String(run.lane),
    TEST_SERIAL_ID: String(run.lane),
    TEST_PARALLEL: '1',
    // The tests are those of one version, and later ones have more globals.
    NODE_TEST_KNOWN_GLOBALS: '0',
    NODE_TESTS_OVER: run.over,
    NODE_TESTS_PATHS: String(run.paths),
    // Children of a test are patched, too.
    NODE_OPTIONS: run.over === 'net' ? '' : `--require ${run.patch}`,
  }
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // None of it is left.
  }
}
