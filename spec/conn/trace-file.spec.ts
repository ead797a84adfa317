// SPDX-License-Identifier: Apache-2.0
/** Traces in files: when they are written, and what happens when they cannot be. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { MultipathDialer, MultipathListener } from '../../lib/index.js'
import { memoryPaths } from '../support/memory-path.js'
import type { Line } from '../support/traced.js'
import { connected, Lines } from '../support/traced.js'

const ONE = [{ rateMbps: 50, delayMs: 5 }]

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'multipath-trace-'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true })
})

const linesOf = (file: string): Line[] =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)

describe('a trace in a file', () => {
  it('is there when the connection is over, both ends in one, with numbers of their own', async () => {
    const trace = join(folder, 'both.trace')
    const { clock, near, far } = await connected({ links: ONE, dialer: { trace }, listener: { trace } })
    far.resume().end()
    near.resume().end('whole')
    await clock.run(1000)
    const lines = linesOf(trace)
    const sides = lines.filter(({ ev }) => ev === 'open')
    expect(sides.map(({ side }) => side).toSorted()).toEqual(['dialer', 'listener'])
    expect(sides[1]!.c - sides[0]!.c).toBe(1)
    expect(lines.filter(({ ev }) => ev === 'end')).toHaveLength(2)
    expect(lines.findLast(({ read }) => read !== undefined)).toMatchObject({ read: 5 })
  })

  it('follows what the file holds already', async () => {
    const trace = join(folder, 'old.trace')
    writeFileSync(trace, '{"old":true}\n')
    const { near } = await connected({ links: ONE, dialer: { trace } })
    near.destroy()
    expect(linesOf(trace)[0]).toEqual({ old: true })
    expect(linesOf(trace)[1]).toMatchObject({ ev: 'open', side: 'dialer' })
  })

  it('is written in large pieces', async () => {
    const trace = join(folder, 'long.trace')
    const { clock, near, far } = await connected({ links: ONE, dialer: { trace } })
    far.on('data', (chunk: Buffer) => far.write(chunk))
    near.on('data', (chunk: Buffer) => near.write(chunk))
    near.write('ball')
    await clock.run(1000)
    expect(readdirSync(folder)).toEqual([])
    await clock.run(20_000)
    const text = readFileSync(trace, 'utf8')
    expect(text.length).toBeGreaterThanOrEqual(65_536)
    expect(text.endsWith('}\n')).toBe(true)
    near.destroy()
    far.destroy()
  })

  it('that cannot be written is warned of once by its name, and no connection minds', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const { clock, near, far } = await connected({
      links: ONE,
      dialer: { trace: folder },
      listener: { trace: folder },
    })
    far.resume().end()
    near.resume().end('whole')
    await clock.run(1000)
    expect([near.errored, far.errored, far.bytesRead]).toEqual([null, null, 5])
    expect(warn).toHaveBeenCalledTimes(1)
    expect(String(warn.mock.calls[0]![0])).toContain(folder)
  })
})

describe('MULTIPATH_TRACE', () => {
  it('names the file for what has no trace of its own, with the number of the process', async () => {
    vi.stubEnv('MULTIPATH_TRACE', join(folder, 'by-environment.%p'))
    const lines = new Lines()
    const { near, far } = await connected({ links: ONE, dialer: { trace: lines.write } })
    near.destroy()
    far.destroy()
    const text = linesOf(join(folder, `by-environment.${process.pid}`))
    expect(text.filter(({ ev }) => ev === 'open').map(({ side }) => side)).toEqual(['listener'])
    expect(lines.events('open')).toHaveLength(1)
  })

  it('traces every connection of a process, to the last figures before it exits', async () => {
    const trace = join(folder, 'process.trace')
    const program = `
      import { createServer } from 'node:net'
      import { once } from 'node:events'
      import { MultipathDialer, MultipathListener, tcpDialer } from './dist/index.js'
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      const listener = new MultipathListener([server])
      const paths = [tcpDialer({ host: '127.0.0.1', port: server.address().port })]
      const [near, far] = await Promise.all([new MultipathDialer('x', paths).dial(), listener.accept()])
      near.write('cut short')
      await once(far, 'data')
      await near.flushed()
      process.exit()`
    await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], {
      env: { ...process.env, MULTIPATH_TRACE: trace },
    })
    const lines = linesOf(trace)
    const begun = lines.filter(({ ev }) => ev === 'open')
    expect(begun.map(({ c }) => c)).toEqual([1, 2])
    expect(begun.map(({ side }) => side).toSorted()).toEqual(['dialer', 'listener'])
    expect(lines.findLast(({ read }) => read !== undefined)).toMatchObject({ read: 9 })
    expect(lines.findLast(({ acked }) => acked !== undefined)).toMatchObject({ acked: 9 })
  })
})

describe('the option trace', () => {
  it.each([[''], [5], [null], [{}], [true]])('refuses %j by its name', (trace) => {
    const options = { trace: trace as never }
    const message = /^trace must be the name of a file or a function, got /
    expect(() => new MultipathDialer('x', memoryPaths(1), options)).toThrow(message)
    expect(() => new MultipathListener([memoryPaths(1)[0]!.server], [], options)).toThrow(message)
  })
})
