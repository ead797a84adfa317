// SPDX-License-Identifier: Apache-2.0
/** `multipath monitor` in a real terminal: tmux gives it keys and reads its screen. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { CliProcess } from '../../support/cli-process.js'
import { freePorts } from '../../support/free-ports.js'
import { at, command } from '../../support/streams.js'

vi.setConfig({ testTimeout: 60_000 })

const MAIN = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))
const FOLDER = mkdtempSync(join(tmpdir(), 'multipath-monitor-'))
const env = { MULTIPATH_TOKEN: 'a token that only specs know', XDG_RUNTIME_DIR: FOLDER }
/** Tells how it ended, and what the terminal is like then. */
const AFTER = 'echo ended with $?; stty -a; sleep 60'
/** Each spec has a server of terminals of its own: one that has lost its last session is in the way of the next for a while. */
let servers = 0
beforeEach(() => {
  servers++
})
afterEach(() => {
  try {
    tmux('kill-server')
  } catch {
    // It has ended with its last session, or there was none.
  }
})
afterAll(() => {
  rmSync(FOLDER, { recursive: true })
})

function tmux(...args: readonly string[]): string {
  return execFileSync('tmux', ['-L', `multipath-${process.pid}-${servers}`, ...args], {
    encoding: 'utf8',
    stdio: 'pipe',
    env: { ...process.env, ...env, LANG: 'C.UTF-8' },
  })
}

function hasTmux(): boolean {
  try {
    execFileSync('tmux', ['-V'])
    return true
  } catch {
    return false
  }
}

/** Until the screen matches. @returns it */
async function screen(pattern: RegExp): Promise<string> {
  let text = ''
  for (let n = 0; n < 100; n++) {
    text = tmux('capture-pane', '-p')
    if (pattern.test(text)) return text
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`no ${pattern.source} on the screen:\n${text}`)
}

/** forward with two paths of which one is refused, and a monitor of it in a terminal. */
async function watched(columns: number): Promise<CliProcess> {
  const [port, nobody] = await freePorts(2)
  const there = command(['serve', '--listen', at(port!), '--allow', 'a:1'], { env })
  await there.line(/listening/)
  const to = ['--to', `${at(port!)},label=wifi`, '--to', `${at(nobody!)},label=lte`]
  const here = command(['forward', ...to, '--local', '0=a:1'], { env })
  await here.line(/lte .* down/)
  const monitor = `trap : INT; ${process.execPath} ${MAIN} monitor -t ${here.pid}; ${AFTER}`
  tmux('-f', '/dev/null', 'new-session', '-d', '-x', String(columns), '-y', '24', monitor)
  return here
}

describe.skipIf(!hasTmux())('the monitor', () => {
  it('shows each path with its state and reason, and acts on keys', async () => {
    const here = await watched(120)
    expect(await screen(/2 lte +down +connection refused, \d/)).toMatch(/1 wifi +up .* primary/)
    tmux('send-keys', '1')
    await screen(/1 wifi +paused/)
    await here.line(/wifi .*paused/)
    tmux('send-keys', 'p')
    await screen(/1 wifi +up/)
    tmux('send-keys', 't')
    await screen(/1 wifi +up .* secondary/)
    tmux('send-keys', 's')
    await screen(/ redundant/)
    tmux('send-keys', '?')
    await screen(/pause or resume the chosen path/)
    tmux('send-keys', 'q')
    await screen(/^ended with 0/m)
    expect(here.lines.some((line) => line.includes('suspended'))).toBe(false)
  })

  it('fits into a narrow terminal, and follows its size', async () => {
    await watched(44)
    const narrow = await screen(/wifi +up/)
    for (const line of narrow.split('\n')) expect(line.length).toBeLessThanOrEqual(44)
    expect(narrow).not.toContain('primary')
    tmux('resize-window', '-x', '120')
    await screen(/wifi +up .* primary/)
  })

  it('gives the terminal back when the watched command ends, or it is killed', async () => {
    const here = await watched(100)
    await screen(/wifi +up/)
    here.kill('SIGKILL')
    expect(await screen(/ended with 1/)).toMatch(/the watched command has ended/)
  })
})

/** The process of this command line within the terminal. */
function pidOf(words: string): number {
  return Number(execFileSync('pgrep', ['-f', '-n', words], { encoding: 'utf8' }).trim())
}

/** What the shell behind a command finds: keys are shown, lines are edited, the cursor is there, and the first screen. */
function expectSound(text: string): void {
  expect(text).toMatch(/ echo .*/)
  expect(text).not.toMatch(/ -echo |-icanon/)
  const flags = tmux('display-message', '-p', '#{alternate_on} #{cursor_flag}')
  expect(flags.trim()).toBe('0 1')
}

describe.skipIf(!hasTmux())('the terminal is as before', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'Ctrl-C'] as const)('%s ends the monitor', async (how) => {
    const here = await watched(100)
    await screen(/wifi +up/)
    if (how === 'Ctrl-C') tmux('send-keys', 'C-c')
    else process.kill(pidOf(`main.js monitor -t ${here.pid}`), how)
    expectSound(await screen(/ended with [\s\S]*\bisig\b/))
    expect(here.lines.some((line) => line.includes('draining'))).toBe(false)
  })

  it.each(['SIGTERM', 'SIGHUP'] as const)('%s ends a command with --monitor', async (how) => {
    const [port] = await freePorts(1)
    const serve = `${process.execPath} ${MAIN} serve --monitor --listen ${at(port!)} --allow a:1; ${AFTER}`
    tmux('-f', '/dev/null', 'new-session', '-d', '-x', '120', '-y', '24', serve)
    await screen(/serve-\d+/)
    process.kill(pidOf(`serve --monitor --listen ${at(port!)}`), how)
    expectSound(await screen(/ended with [\s\S]*\bisig\b/))
  })

  it('a terminal that is closed ends the monitor', async () => {
    const here = await watched(100)
    await screen(/wifi +up/)
    const pid = pidOf(`main.js monitor -t ${here.pid}`)
    tmux('kill-session')
    await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow(), 5000)
  })
})

describe.skipIf(!hasTmux())('--monitor', () => {
  it('shows the paths of the command itself; q gives the terminal and the log back, and Ctrl-C ends the command', async () => {
    const [port, nobody] = await freePorts(2)
    const there = command(['serve', '--listen', at(port!), '--allow', 'a:1'], { env })
    await there.line(/listening/)
    const to = `--to ${at(port!)},label=wifi --to ${at(nobody!)},label=lte`
    const here = `trap : INT; ${process.execPath} ${MAIN} forward --monitor ${to} --local 0=a:1; echo ended with $?; sleep 60`
    tmux('-f', '/dev/null', 'new-session', '-d', '-x', '120', '-y', '20', here)
    await screen(/wifi +up/)
    tmux('send-keys', '1')
    await screen(/1 wifi +paused/)
    tmux('send-keys', 'q')
    expect(await screen(/connected to serve/)).toMatch(/wifi .*paused/)
    tmux('send-keys', 'C-c')
    await screen(/ended with 0/)
  })

  it('ends the command with Ctrl-C while it is shown', async () => {
    const [port] = await freePorts(1)
    const serve = `${process.execPath} ${MAIN} serve --monitor --listen ${at(port!)} --allow a:1; echo ended with $?; sleep 60`
    tmux('-f', '/dev/null', 'new-session', '-d', '-x', '120', '-y', '20', serve)
    await screen(/serve-\d+/)
    tmux('send-keys', 'C-c')
    expect(await screen(/ended with 0/)).toMatch(/listening on/)
  })
})

it('--monitor needs a terminal', async () => {
  const args = ['serve', '--monitor', '--listen', '127.0.0.1:0', '--allow', 'a:1']
  const { code, lines } = await command(args, { env }).exited
  expect([code, lines.at(-1)]).toEqual([2, expect.stringMatching(/--monitor needs a terminal/)])
})

it('the monitor prints the state once where nobody looks', async () => {
  const port = (await freePorts(1))[0]!
  const there = command(['serve', '--listen', at(port), '--allow', 'a:1'], { env })
  await there.line(/listening/)
  const { code, out } = await command(['monitor', '-t', String(there.pid)], { env }).exited
  expect([code, out.toString()]).toEqual([0, expect.stringMatching(/^serve-\d+ {2}up .* 0 sessions/)])
})
