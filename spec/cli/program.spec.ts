// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { runCli } from '../../lib/cli/program.js'
import { FakeCliIo } from '../support/fake-cli-io.js'

async function run(...args: string[]): Promise<{ code: number; lines: string[]; printed: string }> {
  const io = new FakeCliIo()
  const code = await runCli(args, io)
  return { code, lines: io.lines, printed: io.printed }
}

describe('the command line', () => {
  it('prints the version of the package', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
    expect(await run('--version')).toEqual({ code: 0, lines: [], printed: `${version}\n` })
  })

  it('prints help with the exit codes, of all and of each command', async () => {
    for (const args of [
      ['--help'],
      ['nc', '--help'],
      ['doctor', '--help'],
      ['serve', '--help'],
      ['trace', '--help'],
    ]) {
      const { code, printed } = await run(...args)
      expect(code).toBe(0)
      expect(printed).toMatch(/Usage: multipath/)
      expect(printed).toMatch(/Exit codes:/)
    }
  })

  it('prints help where no command is given, as a wrong usage', async () => {
    const { code, lines, printed } = await run()
    expect({ code, printed }).toEqual({ code: 2, printed: '' })
    expect(lines.join('\n')).toMatch(/nc \[options\]/)
  })

  it.each([
    [['nd'], /unknown command 'nd'.*multipath --help/],
    [['nc', '-z'], /unknown option '-z'.*multipath nc --help/],
    [['nc', 'here'], /'here'.*must be HOST:PORT/],
    [['nc', '-x', '0', 'a:1'], /-x, --multiplier.*from 1 to 64/],
    [['nc', '-l', '-p', '70000'], /--port.*from 0 to 65535/],
    [['nc', '-l', '--relay', 'x'], /--relay.*HOST:PORT/],
    [['nc', '-i', 'soon', 'a:1'], /--idle-timeout.*seconds/],
    [['nc'], /no target to connect to \(give HOST:PORT/],
    [['nc', '-l', 'a:1'], /--listen does not take HOST:PORT/],
    [['doctor'], /missing required argument 'HOST:PORT'.*multipath doctor --help/],
    [['doctor', '-s', '0', 'a:1'], /--seconds must be more than 0 .*--no-load/],
    [['doctor', '--address', 'eth0', 'a:1'], /--address.*IP address/],
    [['doctor', '-4', '-6', 'a:1'], /cannot be used with/],
    [['serve', '--listen', 'a:1'], /--listen.*PORT or ADDRESS:PORT/],
    [['serve', '--listen', '1', '--allow', 'web'], /--allow.*\[NAME=\]HOST:PORT/],
    [['serve', '--listen', '1', '--allow-socks', '*'], /--allow-socks.*HOST:PORTS/],
    [['serve', '--listen', '1', '--allow-private', 'a'], /--allow-private.*range/],
    [['serve', '--listen', '1', '--allow-remote', '0'], /--allow-remote.*from 1/],
    [['forward', '--local', '1=a:1'], /no server to connect to \(give --to/],
    [['forward', '--to', 'a:1'], /no port to forward \(give --local or --remote/],
    [['forward', '--to', 'a:1@1.2.3', '--local', '1=a:1'], /--to.*follow the @/],
    [['forward', '--to', 'a:1', '--remote', '1=web'], /--remote.*HOST:PORT/],
    [['forward', '--to', 'a:1', '--local', '0=b', '--tls-fingerprint', 'AB'], /fingerprints must be/],
    [['socks'], /no server to connect to \(give --to/],
    [['socks', '--to', 'a:1@127.0.0.1', '--all-interfaces'], /--all-interfaces chooses the source.*a:1@127/],
    [
      ['socks', ...Array.from({ length: 33 }, () => ['--to', 'a:1']).flat()],
      /--to asks for 33 paths; at most 32 are/,
    ],
    [['socks', '--to', 'a:1', '--listen', '0.0.0.0:1'], /0\.0\.0\.0:1 would be an open proxy.*--login-file/],
    [['socks', '--to', 'a:1', '--login-file', '/no/such'], /cannot read \/no\/such/],
    [['trace'], /missing required argument 'FILE'.*multipath trace --help/],
    [['trace', 'x', '-c', '0'], /-c, --connection.*from 1 to/],
  ])('refuses %j in one line with a hint', async (args, message) => {
    const { code, lines, printed } = await run(...args)
    expect({ code, printed }).toEqual({ code: 2, printed: '' })
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/^multipath: /)
    expect(lines[0]).toMatch(message)
    expect(lines[0]).toMatch(/\(.+\)$/)
  })

  it.each([
    [['serve', '--json', '--listen', 'a:1'], /--listen.*PORT or ADDRESS:PORT.*multipath serve --help/],
    [['forward', '--nonsense', '--json'], /unknown option '--nonsense'/],
    [['forward', '--to', 'a:1', '--json'], /no port to forward/],
    [['socks', '--json', '--to', 'a:1', '--listen', '0.0.0.0:1'], /would be an open proxy/],
    [['socks', '--json'], /no server to connect to/],
    [['doctor', '--json'], /missing required argument/],
    [['doctor', '-s', '0', 'a:1', '--json'], /--seconds must be more than 0/],
  ])('refuses %j in one line of JSON', async (args, message) => {
    const { code, lines, printed } = await run(...args)
    expect({ code, printed }).toEqual({ code: 2, printed: '' })
    expect(lines).toHaveLength(1)
    const said = JSON.parse(lines[0]!) as Record<string, unknown>
    expect(said).toMatchObject({ level: 'error', event: 'failed', exitCode: 2 })
    expect(said['message']).toMatch(message)
    expect(said['time']).toMatch(/^\d{4}-\d\d-\d\dT/)
  })

  it('takes a --json behind -- for no flag', async () => {
    const { lines } = await run('nc', '--', '--json')
    expect(lines).toEqual([expect.stringMatching(/^multipath: /)])
  })

  it('refuses more paths than one connection may have', async () => {
    const { code, lines } = await run(
      'nc',
      '-a',
      '-x',
      '64',
      ...Array.from({ length: 5 }, () => '127.0.0.1:9'),
    )
    expect(code).toBe(2)
    expect(lines).toEqual([expect.stringContaining('320 paths were requested, and at most 256 are allowed')])
  })
})
