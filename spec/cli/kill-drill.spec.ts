// SPDX-License-Identifier: Apache-2.0
/** Every command is killed at moments drawn from a seed: nothing of it is left. */
import { randomUUID } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { SeededRandom } from '../../lib/testing/seeded-random.js'
import type { CliExit, CliProcess } from '../support/cli-process.js'
import { freePorts } from '../support/free-ports.js'
import { at, command, echo } from '../support/streams.js'

vi.setConfig({ testTimeout: 120_000 })

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL'] as const
type Signal = (typeof SIGNALS)[number]

interface Drill {
  readonly random: SeededRandom
  readonly folder: string
  /** Stands in the environment of each process of the drill, and of its children. */
  readonly mark: string
  readonly start: (args: readonly string[], input?: 'pipe') => CliProcess
}

function drill(seed: number): Drill {
  const folder = mkdtempSync(join(tmpdir(), 'multipath-drill-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const mark = randomUUID()
  const env = { MULTIPATH_TOKEN: 'a token that only specs know', XDG_RUNTIME_DIR: folder, DRILL: mark }
  const start: Drill['start'] = (args, input) => command(args, { env, ...(input && { input }) })
  return { random: new SeededRandom(seed), folder, mark, start }
}

/** Command lines of the processes that have the mark. */
function left(mark: string): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      if (!/^\d+$/.test(pid) || !readFileSync(`/proc/${pid}/environ`, 'latin1').includes(mark)) return []
      return [readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ')]
    } catch {
      return [] // It has ended.
    }
  })
}

/** Every command, each at work. The program of `nc -e` has a child that would live on. */
async function allAtWork({ start }: Drill, signal: Signal): Promise<Record<string, CliProcess>> {
  const [port, web, far] = (await freePorts(3)) as [number, number, number]
  const target = await echo()
  const serve = start(['serve', '--listen', at(port), '--allow', at(target), '--web', String(web)])
  await serve.line(/page on/)
  const to = ['--to', at(port)]
  const forward = start(['forward', ...to, '--local', `0=${at(target)}`, '--web', '0', '--metrics', '0'])
  const socks = start(['socks', ...to, '--listen', '0'])
  const program = signal === 'SIGKILL' ? 'cat' : 'sleep 600 & cat; wait'
  const exec = start(['nc', '-l', '-p', String(far), '-e', program])
  await exec.line(/listening/)
  const nc = start(['nc', at(far)], 'pipe')
  nc.stdin.write('hello')
  const speed = start(['speed', at(port), '--seconds', '60'])
  await Promise.all([forward, socks].map((one) => one.line(/connected to/)))
  await exec.line(/connected/)
  return { serve, forward, socks, exec, nc, speed }
}

/**
 * How a signal may end a command: in good order, or as one that was cut short by it. A second one may come when the process
 * is as good as over, and has no handlers any more.
 */
function expectOrder({ code, signal: by }: CliExit, name: string, signal: Signal): void {
  if (by !== null) expect([name, by]).toEqual([name, signal])
  else expect([name, [0, 1, 128 + constants.signals[signal]].includes(code!)]).toEqual([name, true])
}

describe.skipIf(!existsSync('/proc/self/environ'))('a kill', () => {
  it.each(SIGNALS.map((signal, index) => [signal, index + 1] as const))(
    'by %s of commands at work leaves no process and no socket (seed %i)',
    async (signal, seed) => {
      const one = drill(seed)
      const { random, folder, mark, start } = one
      const all = await allAtWork(one, signal)
      await sleep(random.integer(0, 500))
      for (const name of Object.keys(all).toSorted(() => random.integer(-1, 1))) {
        all[name]!.kill(signal)
        await sleep(random.integer(0, 100))
      }
      // Whoever waits for streams to end does not any more.
      if (signal !== 'SIGKILL') for (const each of Object.values(all)) each.kill(signal)
      for (const [name, each] of Object.entries(all)) expectOrder(await each.exited, name, signal)
      await vi.waitFor(() => expect(left(mark)).toEqual([]), 5000)
      if (signal !== 'SIGKILL') expect(readdirSync(join(folder, 'multipath'))).toEqual([])
      const list = await start(['ctl', 'list']).exited
      expect([list.code, list.out.toString(), readdirSync(join(folder, 'multipath'))]).toEqual([0, '', []])
    },
  )

  it.each([1, 2])('at a moment drawn from seed %i while commands start leaves nothing', async (seed) => {
    const { random, folder, mark, start } = drill(seed)
    const [port] = await freePorts(1)
    const lines = [
      ['serve', '--listen', at(port!), '--allow', 'a:1', '--web', '0'],
      ['forward', '--to', at(port!), '--local', '0=a:1', '--web', '0'],
      ['nc', '-l', '-e', 'cat'],
    ]
    for (const signal of SIGNALS) {
      const started = lines.map((args) => start(args))
      for (const each of started) {
        await sleep(random.integer(0, 600))
        each.kill(signal)
      }
      await Promise.all(started.map(({ exited }) => exited))
    }
    expect(left(mark)).toEqual([])
    expect((await start(['ctl', 'list']).exited).out.toString()).toBe('')
    expect(readdirSync(join(folder, 'multipath'))).toEqual([])
  })

  it("leaves a socket that stands in nobody's way, even where another process has the number", async () => {
    const { folder, start } = drill(1)
    const serve = start(['serve', '--listen', at(0), '--allow', 'a:1'])
    await serve.line(/listening/)
    const killed = start(['forward', '--to', at(1), '--local', '0=a:1'])
    await killed.line(/listening/)
    killed.kill('SIGKILL')
    await killed.exited
    const stale = join(folder, 'multipath', `forward-${process.pid}.sock`)
    renameSync(join(folder, 'multipath', `forward-${killed.pid}.sock`), stale)
    expect((await start(['status']).exited).code).toBe(0)
    expect(existsSync(stale)).toBe(false)
  })
})
