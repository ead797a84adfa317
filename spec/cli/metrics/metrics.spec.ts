// SPDX-License-Identifier: Apache-2.0
/** `--metrics` of processes, as Prometheus and a load balancer ask. */
import { execFileSync } from 'node:child_process'
import { describe, expect, it, vi } from 'vitest'
import { freePorts } from '../../support/free-ports.js'
import { at, command, echo, serve } from '../../support/streams.js'

vi.setConfig({ testTimeout: 60_000 })

const LINE =
  /^[a-z_]+(?:\{[a-z_]+="(?:[^"\\]|\\.)*"(?:,[a-z_]+="(?:[^"\\]|\\.)*")*\})? -?\d+(?:\.\d+)?(?:e[+-]\d+)?$/

async function ask(port: number, path: string, method = 'GET'): Promise<[number, string]> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method })
  return [response.status, await response.text()]
}

describe('--metrics', () => {
  it('gives each path with its state, in the text format of Prometheus', async () => {
    const [nobody, port] = await freePorts(2)
    const there = await serve(['--allow', at(await echo())])
    const to = ['--to', `${at(there.port)},label=wi"fi`.replace('"', '+'), '--to', `${at(nobody!)},label=lte`]
    const here = command(['forward', ...to, '--local', '0=x:1', '--metrics', String(port)])
    await here.line(/lte .*down: connection refused/)
    await here.line(/metrics on/)
    const [code, text] = await ask(port!, '/metrics')
    expect(code).toBe(200)
    expect(text).toMatch(/multipath_path_up\{session="[0-9a-f]{6}",path="wi\+fi",tier="primary"\} 1\n/)
    expect(text).toMatch(/multipath_path_up\{session="[0-9a-f]{6}",path="lte",tier="primary"\} 0\n/)
    expect(text).toContain('# TYPE multipath_path_sent_bytes_total counter\n')
    for (const line of text.trimEnd().split('\n')) if (!line.startsWith('#')) expect(line).toMatch(LINE)
    if (hasPromtool()) execFileSync('promtool', ['check', 'metrics'], { input: text })
  })

  it('tells whether the command lives, and whether a path is up', async () => {
    const [nobody, port] = await freePorts(2)
    const alone = command(['forward', '--to', at(nobody!), '--local', '0=x:1', '--metrics', String(port)])
    await alone.line(/no session/)
    await alone.line(/metrics on/)
    expect(await ask(port!, '/healthz')).toEqual([200, 'ok\n'])
    expect((await ask(port!, '/readyz'))[0]).toBe(503)
    expect((await ask(port!, '/other'))[0]).toBe(404)
    expect((await ask(port!, '/metrics', 'POST'))[0]).toBe(405)
    const [other] = await freePorts(1)
    const there = await serve(['--allow', 'a:1', '--metrics', String(other)])
    await there.cli.line(/metrics on/)
    expect((await ask(other!, '/readyz'))[0]).toBe(200)
  })

  it('fails where the port is in use', async () => {
    const there = await serve(['--allow', 'a:1'])
    const { code, lines } = await command([
      ...['serve', '--listen', '127.0.0.1:0', '--allow', 'a:1', '--metrics', String(there.port)],
    ]).exited
    expect([code, lines.at(-1)]).toEqual([1, expect.stringMatching(/EADDRINUSE.*--metrics/)])
  })
})

function hasPromtool(): boolean {
  try {
    execFileSync('promtool', ['--version'])
    return true
  } catch {
    return false
  }
}
