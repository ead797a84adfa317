// SPDX-License-Identifier: Apache-2.0
/** The file of `multipath up`: what it may hold, what is told of its mistakes, and how commands print it. */
import { join } from 'node:path'
import type { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { buildProgram, runCli } from '../../../lib/cli/program.js'
import { readConfig } from '../../../lib/cli/up/read-config.js'
import type { ConfigError, ConfigPart } from '../../../lib/cli/up/read-config.js'
import { flagsOf, keyOf, PROCESS_OPTIONS, SECTIONS } from '../../../lib/cli/up/sections.js'
import { closest } from '../../../lib/closest.js'
import { FakeCliIo } from '../../support/fake-cli-io.js'
import { tempFiles } from '../../support/temp-files.js'

const write = tempFiles()
const fileOf = (text: string): string => write('up.yaml', text)

/** What is told of the mistakes, without the name of the file. */
function problems(text: string): string[] {
  const file = fileOf(text)
  try {
    readConfig(file, {})
  } catch (error) {
    return (error as ConfigError).problems.map((problem) => problem.replace(`${file}:`, ''))
  }
  return []
}

const GOOD = `serve:
  listen: [127.0.0.1:7000, '127.0.0.1:7001']
  allow: web=localhost:8080
  speed: false
forward:
  - to: [gw:7000, "gw:7001@10.64.3.7,tier=backup"]
    local: 8080=web
    hold: 30
  - { to: gw:7002, local: [8081=web, 8082=web], once: true }
metrics: 9464
ctl: false
`

describe('a file of up', () => {
  it('has the options of each command below its name, those of the process at the top, and lists for several', () => {
    const { parts, flags } = readConfig(fileOf(GOOD), {})
    expect(parts.map(({ name }) => name)).toEqual(['serve', 'forward 1', 'forward 2'])
    expect(parts.map(({ part }) => part.places.map(({ port }) => port))).toEqual([
      [7000, 7001],
      [8080],
      [8081, 8082],
    ])
    expect(flags).toMatchObject({ metrics: { host: '127.0.0.1', port: 9464 }, ctl: false })
  })

  it.each([
    ['serve:\n  liste: 7000\n', ['2: unknown key "liste" (did you mean listen?)']],
    ['forwrad:\n  to: a:1\n', ['1: unknown key "forwrad" (did you mean forward?)']],
    ['listen: 7000\n', ['1: listen belongs below serve or socks']],
    [
      'socks:\n  to: gw:7000\n  metrics: 9464\n',
      ['3: metrics is for the whole process: it belongs at the top of the file, not below socks'],
    ],
    ['gateway:\n  to: a:1\n', ['1: gateway: no connections to capture (give --match)']],
    [
      'forward:\n  to:\n    - gw:7000\n    - gw\n  local: web\n',
      [
        '4: to: "gw" is refused. It must be HOST:PORT; write an IPv6 address in brackets: [::1]:4000.',
        '5: local: "web" is refused. It must be [BIND:]PORT=TARGET, such as 8080=web or 5432=db:5432.',
      ],
    ],
    ['socks:\n  to: gw:1\n  scheduler: fast\n', [/^3: scheduler: "fast" is refused\. Allowed choices are/]],
    ['socks:\n  to: gw:1\n  hold: [1, 2]\n', ['3: hold takes a single value']],
    ['socks:\n  to: gw:1\n  once: please\n', ['3: once must be true or false']],
    ['socks:\n  to: true\n', ['2: to must be text or a number (quote true and false)']],
    ['socks:\n  to: {a: 1}\n', ['2: to must be text, or a list of it']],
    ['socks:\n  to:\n', ['2: to must be text, or a list of it']],
    ['socks: 7\n', ['1: socks must hold keys with values, or be a list of such']],
    ['forward:\n  to: gw:1\n', ['1: forward: no port to forward (give --local or --remote)']],
    ['socks:\n  to: gw:1\n  to: gw:2\n', [/^3: this is not YAML: Map keys must be unique/]],
    ['socks:\n  to: *:1\n', ['2: *:1 is an alias without an anchor: put text that begins with * in quotes']],
    ['- 1\n', ['1: the file must hold keys with values']],
    ['metrics: 9464\n', ['1: nothing is to run: add serve, or forward, or socks, or gateway']],
    ['', ['1: nothing is to run: add serve, or forward, or socks, or gateway']],
    [
      'socks: {to: gw:1}\nforward: {to: gw:1, local: 1080=web}\n',
      ['1: socks and forward both listen on 127.0.0.1:1080'],
    ],
    ['metrics: here\nsocks: {to: gw:1}\n', [/^1: metrics: "here" is refused\. It must be a port/]],
  ])('%j is refused, with the line of each mistake', (text, expected) => {
    const found = problems(text)
    expect(found).toHaveLength(expected.length)
    for (const [index, one] of expected.entries())
      if (typeof one === 'string') expect(found[index]).toBe(one)
      else expect(found[index]).toMatch(one)
  })

  it('names files from its own folder', () => {
    write('secret', 'a token of sixteen bytes')
    expect(readConfig(fileOf('socks:\n  to: gw:1\n  token-file: secret\n'), {}).parts).toHaveLength(1)
  })

  it('may use an anchor for what occurs twice', () => {
    const text = 'socks: {to: &gw [gw:1, gw:2]}\nforward: {to: *gw, local: 8080=web}\n'
    expect(readConfig(fileOf(text), {}).parts.map(({ values }) => values.get('to'))).toEqual([
      ['gw:1', 'gw:2'],
      ['gw:1', 'gw:2'],
    ])
  })

  it('is read by up --check, which runs nothing and ends with 2 where there is a mistake', async () => {
    const io = new FakeCliIo()
    expect(await runCli(['up', '--check', fileOf(GOOD)], io)).toBe(0)
    const bad = write('bad.yaml', 'serve:\n  liste: 1\nsock: 1\n')
    expect(await runCli(['up', '--check', bad], io)).toBe(2)
    expect(io.lines).toEqual([
      `multipath: ${bad}:2: unknown key "liste" (did you mean listen?)`,
      `multipath: ${bad}:3: unknown key "sock" (did you mean socks?)`,
    ])
    expect(await runCli(['up', '/nowhere/up.yaml'], io)).toBe(2)
    expect(io.lines.at(-1)).toMatch(/cannot read \/nowhere\/up\.yaml/)
  })
})

describe('a slip', () => {
  it('is told from another word', () => {
    expect(closest('lisetn', ['listen', 'allow'])).toBe('listen')
    expect(closest('tls-crt', ['tls-ca', 'tls-cert', 'tls-key'])).toBe('tls-cert')
    expect(closest('bandwidth', ['listen', 'allow'])).toBeUndefined()
  })
})

const COMMAND_LINES: readonly string[][] = [
  ['serve', '--listen', '7000', '--listen', '[::1]:7001', '--insecure', '--allow', 'web=localhost:8080'],
  [
    'serve',
    '--listen',
    '127.0.0.1:0',
    '--allow-socks',
    '*:80,443',
    '--allow-socks',
    '[fd00::/8]:*',
    '--no-speed',
  ],
  [
    'serve',
    '--listen',
    '127.0.0.1:1',
    '--allow-remote',
    '8022',
    '--allow-private',
    '10.0.0.0/8',
    '--no-ctl',
    '-v',
  ],
  [
    'forward',
    '--to',
    'gw:1@wwan0,tier=backup,max-rate=5Mbit',
    '--to',
    'gw:2',
    '--local',
    '8080=web',
    '--json',
  ],
  ['forward', '--to', 'gw:1', '--remote', '8022=localhost:22', '--hold', '0.5', '--scheduler', 'redundant'],
  ['socks', '--to', 'gw:1', '--all-interfaces', '--early', 'never', '--metrics', '0.0.0.0:9464', '--once'],
  [
    'socks',
    '--to',
    'gw:1',
    '--all-interfaces',
    'eth*,wwan*:tier=backup,!docker*',
    '--tls',
    '--max-streams',
    '7',
  ],
]

/** What the command gets of a command line. */
function parsed(args: readonly string[]): object {
  const [name, ...rest] = args
  const command: Command = buildProgram(new FakeCliIo()).commands.find((one) => one.name() === name)!
  command.action(() => {})
  command.parse(rest, { from: 'user' })
  return command.opts()
}

describe('--print-config', () => {
  it.each(COMMAND_LINES)('prints a file that means the same: %s %s %s %s %s %s', async (...args) => {
    const io = new FakeCliIo()
    expect(await runCli([...args, '--print-config'], io)).toBe(0)
    const { parts, values, flags } = readConfig(fileOf(io.printed), {})
    const [{ section, values: own }] = parts as [ConfigPart]
    const refuse = (): never => expect.fail('refused')
    expect({ ...flagsOf(section.options, own, refuse), ...flags }).toEqual(parsed(args))
    expect(flagsOf(PROCESS_OPTIONS, values, refuse)).toEqual(flags)
  })

  it('makes the names of files absolute', async () => {
    const io = new FakeCliIo()
    await runCli(
      ['serve', '--listen', '127.0.0.1:1', '--allow', 'a:1', '--web-token-file', 'x', '--print-config'],
      io,
    )
    expect(io.printed).toContain(`web-token-file: ${join(process.cwd(), 'x')}`)
  })

  it('refuses what the command would refuse', async () => {
    const io = new FakeCliIo()
    expect(await runCli(['serve', '--print-config'], io)).toBe(2)
    expect(io).toMatchObject({ printed: '', lines: [expect.stringContaining('no address to listen on')] })
  })
})

/** Options that do something else than to run. */
const INSTEAD_OF_RUNNING = ['print-config', 'dry-run', 'set-up', 'clean']

it('every option of the commands is a key of the file', () => {
  const program = buildProgram(new FakeCliIo())
  const top = PROCESS_OPTIONS.map(keyOf)
  for (const { name, options, reloadable } of SECTIONS) {
    const command = program.commands.find((one) => one.name() === name)!
    const wanted = command.options.map(keyOf).filter((key) => !INSTEAD_OF_RUNNING.includes(key))
    expect([...options.map(keyOf), ...top].toSorted()).toEqual(wanted.toSorted())
    for (const key of reloadable) expect(options.map(keyOf)).toContain(key)
  }
})
