// SPDX-License-Identifier: Apache-2.0
/** `multipath gateway` on a router with three uplinks, and an unchanged machine behind it. */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { Program } from '../bench/shared/program.js'
import type { CliProcess } from '../spec/support/cli-process.js'
import { GatewayStage, IPV4, LAN, NAME, OTHER, OTHER_NAME, ROUTER } from './support/gateway-stage.js'
import { whyNoRun } from './support/run-stage.js'

const why =
  whyNoRun() ?? (spawnSync('perl', ['-v']).error === undefined ? undefined : 'apt-get install perl-base')

const MAIN = 'dist/cli/main.js'

let stage: GatewayStage

beforeAll(async () => {
  if (why !== undefined) return
  stage = new GatewayStage()
  await stage.open()
})
afterAll(async () => {
  if (why === undefined) await stage[Symbol.asyncDispose]()
})

/** A process with all that it has started. */
function family(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim()
  return [pid, ...children.split(' ').filter(Boolean).map(Number).flatMap(family)]
}

/** By default as a power cut ends them. */
function killAll(cli: CliProcess, signal: NodeJS.Signals = 'SIGKILL'): void {
  for (const pid of family(cli.pid)) process.kill(pid, signal)
}

const ECHOES = (host: string, count: number): string => `
const { connect } = require('node:net')
const socket = connect({ port: 81, host: '${host}', noDelay: true })
let [left, worst, sentAt] = [${count}, 0, 0]
const send = () => { sentAt = performance.now(); socket.write('x') }
socket.on('connect', () => { console.log('connected'); send() })
socket.on('data', () => {
  worst = Math.max(worst, performance.now() - sentAt)
  if (left-- > 0) setTimeout(send, 5)
  else { console.log(worst); socket.destroy() }
})`

/** Asks each place in turn, all from one port, so many times: what each says, and where that comes from. */
const UDP_ASK = (places: readonly string[], times: number): string => `
const places = ${JSON.stringify(places)}
const socket = require('node:dgram').createSocket('udp4')
const said = new Set()
let left = ${times} * places.length
socket.on('message', (answer, { address, port }) => {
  said.add(answer + ' by ' + address + ' ' + port)
  if (--left === 0) { console.log([...said].sort().join(', ')); socket.close() }
})
setTimeout(() => process.exit(console.log('missing ' + left + ': ' + [...said].sort().join(', '))), 5000).unref()
for (let n = 0; n < ${times}; n++)
  setTimeout(() => { for (const [at, place] of places.entries()) socket.send('ask ' + at, 82, place) }, 20 * n)`

/** What systemd does for a unit with `Transparent=yes`. */
const ACTIVATE = `use Socket; $^F = 9;
socket(my $socket, AF_INET, SOCK_STREAM, 0); setsockopt($socket, 0, 19, 1); setsockopt($socket, SOL_SOCKET, SO_REUSEADDR, 1);
bind($socket, pack_sockaddr_in(7090, INADDR_LOOPBACK)) && listen($socket, 9) or die $!;
die if fileno $socket != 3;
$ENV{LISTEN_FDS} = 1; $ENV{LISTEN_PID} = $$; exec @ARGV`

describe.skipIf(why !== undefined)(`multipath gateway${why ? ` (skipped: ${why})` : ''}`, () => {
  it('captures what its rules name, by address, port and name, and leaves all else alone, also when it ends', async () => {
    const before = await stage.asker(IPV4)
    const match = ['--match', `${IPV4}:80`, '--match', 'web.example,scheduler=redundant']
    const dns = ['--dns', `${ROUTER}:53`, '--dns-server', '10.83.250.1']
    await using gateway = await stage.gateway([...match, ...dns, '--interface', 'lan0'])
    const places = [IPV4, OTHER, NAME, OTHER_NAME]
    const askers = await Promise.all(places.map((place) => stage.asker(place)))
    const router = await stage.asker(IPV4, 'router')
    const udp = await stage.run([
      process.execPath,
      '-e',
      `require('node:dns').lookup('${NAME}', (error, address) => {
        const socket = require('node:dgram').createSocket('udp4').on('error', ({ code }) => process.exit(console.log(code)))
        socket.connect(443, address, () => socket.send('x'))
      })`,
    ])
    expect([before, router]).toEqual([LAN, '10.83.1.2'])
    expect(askers).toEqual(['serve', LAN, 'serve', LAN])
    expect(udp).not.toBe('')
    for (const profile of ['default', 'redundant'])
      await gateway.line(new RegExp(`${profile}: .*3 of 3 (paths )?up`))
    const status = JSON.parse(
      await stage.run(
        ['env', `XDG_RUNTIME_DIR=${stage.folder}`, process.execPath, MAIN, 'status', '--json'],
        'router',
      ),
    ) as { sessions: { part: string; paths: unknown[] }[] }
    expect(status.sessions.map(({ part, paths }) => [part, paths.length])).toEqual([
      ['default', 3],
      ['redundant', 3],
    ])
    gateway.kill('SIGTERM')
    expect((await gateway.exited).code).toBe(0)
    expect(await stage.rules()).toEqual([])
    expect(await stage.asker(IPV4)).toBe(LAN)
  })
  it('has a worst echo of a blink for a place with the policy redundant, while a link is silent', async () => {
    const match = ['--match', `${IPV4},scheduler=redundant`, '--interface', 'lan0']
    await using gateway = await stage.gateway(match)
    await gateway.line(/3 of 3 (paths )?up/)
    const echoes = new Program([...stage.inLan, process.execPath, '-e', ECHOES(IPV4, 300)])
    await using _ = echoes
    await echoes.line(/connected/)
    await delay(300)
    stage.uplinks.silence(1)
    const worst = Number(await echoes.line(/^[0-9.]+$/))
    stage.uplinks.restore(1)
    expect(worst).toBeLessThan(250)
  })

  it('captures UDP by rules of its own, of any client port and place, and leaves all else alone', async () => {
    const match = ['--match', `udp:${IPV4}:82`, '--match', `udp:${NAME},scheduler=redundant`]
    const dns = ['--dns', `${ROUTER}:53`, '--dns-server', '10.83.250.1']
    const ask = (places: readonly string[], times = 5): Promise<string> =>
      stage.run([process.execPath, '-e', UDP_ASK(places, times)])
    // The server answers from another address of its own.
    const direct = (at: number): string => `ask ${at} from ${LAN} by 10.83.1.1 82`
    expect(await ask([IPV4, OTHER])).toBe(`${direct(0)}, ${direct(1)}`)
    await using gateway = await stage.gateway([...match, ...dns, '--interface', 'lan0'])
    const led = `ask 0 from ${IPV4} by ${IPV4} 82`
    expect(await ask([IPV4, OTHER])).toBe(`${led}, ${direct(1)}`)
    // Each has a flow, although all come from one port.
    const name = await stage.run([
      ...[process.execPath, '-e'],
      `require('node:dns').lookup('${NAME}', (error, address) => console.log(address))`,
    ])
    expect(name).toMatch(/^198\.1[89]\./)
    expect(await ask([name, IPV4, OTHER])).toBe(
      `ask 0 from ${IPV4} by ${name} 82, ask 1 from ${IPV4} by ${IPV4} 82, ${direct(2)}`,
    )
    // TCP to a captured name has the same rule; TCP to an address of a rule for UDP has none.
    expect([await stage.asker(NAME), await stage.asker(IPV4)]).toEqual(['serve', LAN])
    // The port itself takes nothing.
    expect(
      await stage.run([
        process.execPath,
        '-e',
        `
      require('node:dgram').createSocket('udp4').on('message', console.log).send('x', 7090, '${ROUTER}', () => setTimeout(process.exit, 300))`,
      ]),
    ).toBe('')
    gateway.kill('SIGTERM')
    expect((await gateway.exited).code).toBe(0)
    expect(await ask([IPV4])).toBe(direct(0))
  })

  it('takes its rules away when all of its processes are told to end, as systemd tells those of a service', async () => {
    const gateway = await stage.gateway(['--match', `${IPV4}:80`, '--interface', 'lan0'])
    killAll(gateway, 'SIGTERM')
    expect((await gateway.exited).code).toBe(0)
    expect(await stage.rules()).toEqual([])
  })

  it('takes its rules away when it is killed; what stays where all is killed harms nothing, and --clean or the next start removes it', async () => {
    const args = ['--match', `${IPV4}:80`, '--interface', 'lan0', '--local-output']
    const gateway = await stage.gateway(args)
    expect([await stage.asker(IPV4), await stage.asker(IPV4, 'router')]).toEqual(['serve', 'serve'])
    process.kill(gateway.pid, 'SIGKILL')
    await vi.waitFor(async () => expect(await stage.rules()).toEqual([]))

    const second = await stage.gateway(args)
    killAll(second)
    await second.exited
    expect((await stage.rules()).length).toBeGreaterThan(0)
    expect([await stage.asker(OTHER), await stage.asker(OTHER, 'router')]).toEqual([LAN, '10.83.1.2'])
    // Without a listener, what comes from the network goes its usual way.
    expect(await stage.asker(IPV4)).toBe(LAN)
    const file = join(stage.folder, 'up.yaml')
    const to = stage.to.filter((word) => word !== '--to')
    writeFileSync(
      file,
      `gateway: { to: ${JSON.stringify(to)}, match: '${IPV4}:80', interface: lan0, local-output: true }`,
    )
    await using third = stage.start(['up', file])
    await third.line(/are captured/)
    expect(await stage.asker(IPV4)).toBe('serve')
    killAll(third)
    await third.exited
    await stage.start(['gateway', '--clean']).exited
    expect(await stage.rules()).toEqual([])
    expect(await stage.asker(IPV4, 'router')).toBe('10.83.1.2')
  })

  it('needs no privilege with a port of systemd, and rules that root has set; otherwise it says what it needs', async () => {
    const args = ['--match', IPV4, '--interface', 'lan0']
    const user = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--bounding-set=-all']
    const refused = await stage.start(['gateway', ...stage.to, ...args, '--no-ctl'], { within: user }).exited
    expect(refused.lines.join()).toMatch(/NET_ADMIN.*deploy\/systemd.*multipath socks/)
    const setUp = await stage.start(['gateway', ...stage.to, ...args, '--set-up']).exited
    expect([setUp.code, setUp.lines]).toEqual([0, []])
    expect(await stage.asker(IPV4)).toBe(LAN)
    await using _ = await stage.gateway([...args, '--no-ctl'], {
      within: ['perl', '-e', ACTIVATE, ...user],
    })
    expect(await stage.asker(IPV4)).toBe('serve')
    await stage.start(['gateway', '--clean']).exited
    expect(await stage.asker(IPV4)).toBe(LAN)
  })

  it.skipIf(spawnSync('sing-box', ['version']).error !== undefined)(
    'has a TUN engine in front of socks beside it, for names and for UDP, as docs/gateway.md describes it',
    async () => {
      const [config] = /(?<=```json\n)[^]*?(?=```)/.exec(readFileSync('docs/gateway.md', 'utf8'))!
      const file = join(stage.folder, 'sing-box.json')
      writeFileSync(file, config.replace('192.0.2.1/32', '10.83.0.0/16'))
      const socks = stage.start(['socks', ...stage.to])
      await socks.line(/listening/)
      await using engine = new Program([...stage.within, 'sing-box', 'run', '-c', file])
      await engine.line(/started/)
      expect([await stage.asker(IPV4), await stage.asker(NAME)]).toEqual(['serve', 'serve'])
      expect([await stage.asker(OTHER, 'router'), await stage.asker(NAME, 'router')]).toEqual([
        'serve',
        'serve',
      ])
      const source = `
const socket = require('node:dgram').createSocket('udp4')
socket.on('message', (answer) => { console.log(String(answer)); socket.close() }).send('ping', 82, '${IPV4}')`
      expect(await stage.run([process.execPath, '-e', source])).toBe(`ping from ${IPV4}`)
      await socks[Symbol.asyncDispose]()
    },
  )
})
