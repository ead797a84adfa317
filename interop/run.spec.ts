// SPDX-License-Identifier: Apache-2.0
/** `multipath run` over two links, with programs that know nothing of it. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env } from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { CliProcess } from '../spec/support/cli-process.js'
import { PORTS, SLOW_BYTES } from './support/run-server.js'
import type { RunStage, User } from './support/run-stage.js'
import { IPV4, IPV6, NAME, useRunStage, whyNoRun, whyNot } from './support/run-stage.js'

const why = whyNoRun()
const USERS: readonly User[] = ['root', 'an ordinary user']

let stage: RunStage

useRunStage(why, (opened) => (stage = opened))

/** Processes in a network namespace, by its name; nothing but processes keeps one. */
function processesIn(namespace: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/ns/net`) === namespace
    } catch {
      return false
    }
  })
}

/** What is left in the file system of a command that has ended. */
function filesOf(pid: number, user: User): string[] {
  const own = join(tmpdir(), `multipath-${user === 'root' ? 0 : 65_534}`)
  const folder = env.XDG_RUNTIME_DIR === undefined ? own : join(env.XDG_RUNTIME_DIR, 'multipath')
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
  return [...readdirSync(folder), ...mounts].filter(
    (text) => text.includes(`run-${pid}.`) || text.includes('resolv.conf'),
  )
}

/** A command that cannot close something ends only after this time. */
const CLOSING_MS = 5000

/** Node itself, with a source that has `args` behind it. */
const node = (source: string, ...args: string[]): string[] => [process.execPath, '-e', source, ...args]

const MANY = `
const { connect } = require('node:net')
let left = 1000
let good = 0
const next = () => {
  if (left-- <= 0) return
  let said = ''
  const socket = connect(${PORTS.http}, '${IPV4}', () => socket.end('GET / HTTP/1.0\\r\\n\\r\\n'))
  socket.on('data', (data) => (said += data)).on('error', console.log)
  socket.on('close', () => { if (said.endsWith('hello from ${PORTS.http}\\n')) good++; next() })
}
for (let lane = 0; lane < 20; lane++) next()
process.on('exit', () => console.log(good + ' good in ' + require('node:fs').readlinkSync('/proc/self/ns/net')))
`

/** Packets of one socket to several places, each of which answers, and of another that is connected. */
const UDP = `
const { createSocket } = require('node:dgram')
const sockets = { udp4: createSocket('udp4'), udp6: createSocket('udp6') }
const connected = createSocket('udp4')
const waiting = new Set(['${IPV4}', '${IPV6}', '${NAME}', 'connected'])
setTimeout(process.exit, 10_000)
// An answer may come twice, since packets may be lost and are sent again.
const answered = (place, ...lines) => {
  if (waiting.delete(place)) for (const line of lines) console.log(line)
  if (waiting.size === 0) process.exit()
}
for (const socket of Object.values(sockets))
  socket.on('message', (packet, { address, port }) => {
    const place = String(packet).slice('echo to '.length)
    const isRight = place === address && port === ${PORTS.other}
    if (place === '${NAME}') answered(place, 'names ' + address, String(packet))
    else answered(place, isRight ? String(packet) : 'from ' + address + ' ' + port)
  })
const send = () => {
  for (const [type, place] of [['udp4', '${IPV4}'], ['udp6', '${IPV6}'], ['udp4', '${NAME}']])
    if (waiting.has(place)) setTimeout(() => sockets[type].send('to ' + place, ${PORTS.other}, place), place === '${NAME}' ? 100 : 0)
  if (waiting.has('connected')) connected.send('to connected')
}
connected.on('message', (packet) => answered('connected', String(packet)))
connected.connect(${PORTS.other}, '${IPV4}', () => { send(); setInterval(send, 1000) })
`

describe.skipIf(why !== undefined)(`multipath run${why ? ` (skipped: ${why})` : ''}`, () => {
  describe.each(USERS.map((user) => [user, why === undefined ? whyNot(user) : why] as const))(
    'as %s',
    (user, whyNot) => {
      it.skipIf(whyNot !== undefined)(
        'leads to names, addresses of both families and all ports',
        async () => {
          const places = [NAME, IPV4, `[${IPV6}]`, `${NAME}:${PORTS.other}`, `[${IPV6}]:${PORTS.other}`]
          const { code, out, lines } = await stage.exit(user, [
            'curl',
            '-sS',
            ...places.map((place) => `http://${place}/`),
          ])
          expect(lines).toEqual([])
          expect(out.toString()).toBe(
            places.map((place) => `hello from ${place.includes('23456') ? 23_456 : 80}\n`).join(''),
          )
          expect(code).toBe(0)
        },
      )

      it.skipIf(whyNot !== undefined)('brings a file whole while one of two links is silent', async () => {
        const cli = stage.run(user, ['curl', '-sS', `http://${NAME}/slow`])
        await delay(800)
        stage.uplinks.silence(1)
        const { code, out } = await cli.exited
        stage.uplinks.restore(1)
        expect([code, out.length]).toEqual([0, SLOW_BYTES])
        expect(out.equals(Buffer.alloc(SLOW_BYTES, Buffer.alloc(SLOW_BYTES / 128, 'multipath ')))).toBe(true)
      })

      it.skipIf(whyNot !== undefined)(
        'leads UDP to names and addresses of both families, and answers come from there',
        async () => {
          const { code, out, lines } = await stage.exit(user, node(UDP))
          const echoes = ['connected', IPV4, IPV6, NAME].map((place) => `echo to ${place}`)
          expect([code, lines]).toEqual([0, []])
          expect(out.toString().trim().split('\n').toSorted()).toEqual(
            [...echoes, 'names 198.18.1.0'].toSorted(),
          )
        },
      )

      it.skipIf(whyNot !== undefined)('leaves nothing behind 1,000 short connections', async () => {
        const cli = stage.run(user, node(MANY))
        const { out, code, lines } = await cli.exited
        const [, namespace] = /^1000 good in (net:\[\d+\])\n$/.exec(out.toString()) ?? [out.toString()]
        expect([namespace, lines, code]).toEqual([expect.any(String), [], 0])
        expect([processesIn(namespace!), filesOf(cli.pid, user)]).toEqual([[], []])
      })

      it.skipIf(whyNot !== undefined)('has the exit code of the program, or its signal', async () => {
        const codes = [['sh', '-c', 'exit 7'], ['sh', '-c', 'kill -KILL $$'], ['/nonesuch']].map(
          async (program) => (await stage.exit(user, program)).code,
        )
        expect(await Promise.all(codes)).toEqual([7, 137, 127])
      })

      it.skipIf(whyNot !== undefined)(
        'leaves the user, the folder, the environment and standard input as they are',
        async () => {
          const cli = stage.run(user, ['sh', '-c', 'id -u; pwd; echo $HOME $MULTIPATH_TOKEN; cat'], {
            input: 'pipe',
          })
          cli.stdin.end('input\n')
          const { out } = await cli.exited
          const uid = user === 'root' ? '0' : '65534'
          expect(out.toString()).toBe([uid, process.cwd(), stage.folder, 'input', ''].join('\n'))
        },
      )
    },
  )

  it('takes the variables of Node for the command and the program, not for its own helper', async () => {
    const hook = join(stage.folder, 'hook.cjs')
    writeFileSync(
      hook,
      "require('node:fs').writeSync(2, 'loaded by ' + (process.argv[1] ?? 'node -p') + '\\n')",
    )
    const cli = stage.run('root', [process.execPath, '-p', 'process.env.NODE_OPTIONS'], {
      env: { NODE_OPTIONS: `--require ${hook}` },
    })
    const { out, lines } = await cli.exited
    expect(out.toString().trim()).toBe(`--require ${hook}`)
    const loaded = lines.filter((line) => line.startsWith('loaded by'))
    expect(loaded).toEqual([expect.stringMatching(/main\.[a-z]+$/), 'loaded by node -p'])
  })

  it('leads UDP that is sent again, if nobody heard where its first packet was to go', async () => {
    const folder = join(stage.folder, 'late')
    mkdirSync(folder)
    // As on a machine that is busy.
    const late = '[ "$1" != monitor ] || sleep 1.5\nPATH="${PATH#*:}:/usr/sbin:/sbin"\nexec nft "$@"'
    writeFileSync(join(folder, 'nft'), `#!/bin/sh\n${late}\n`, { mode: 0o755 })
    const cli = stage.run('root', node(UDP), { env: { PATH: `${folder}:${env.PATH}` } })
    const { code, out } = await cli.exited
    expect([code, out.toString()]).toEqual([0, expect.stringContaining(`echo to ${IPV6}`)])
    expect(out.toString().trim().split('\n')).toHaveLength(5)
  })

  it('resets a connection that serve refuses, and says why', async () => {
    const { code, lines } = await stage.exit('root', [
      'curl',
      '-sS',
      'http://nonesuch.example/',
      `http://${IPV4}:81/`,
    ])
    expect(code).toBe(56)
    expect(lines.join('\n')).toMatch(/nonesuch\.example:80: not-found[^]*203\.0\.113\.7:81: refused/)
  })

  it('answers queries of names whatever server they are for', async () => {
    const source = `
const { Resolver } = require('node:dns').promises
const resolver = new Resolver()
resolver.setServers(['192.0.2.53', '[2001:db8::53]'])
Promise.all([resolver.resolve4('${NAME}'), resolver.resolve6('${NAME}')]).then(console.log)`
    const { out } = await stage.exit('root', node(source))
    expect(out.toString()).toBe("[ [ '198.18.1.0' ], [ 'fd6d:7061:7468::100' ] ]\n")
  })

  it('keeps loopback within, and publishes a port of it', async () => {
    const source = `
const { createServer, connect } = require('node:net')
createServer((socket) => socket.end('inside\\n')).listen(7392, '127.0.0.1', () => {
  connect(7392, 'localhost').on('data', (data) => process.stdout.write(data))
})`
    const cli = stage.run('root', node(source), { options: ['--publish', '7392'], output: 'pipe' })
    await once(cli.stdout, 'data')
    const ask = (port: number): string =>
      execFileSync(stage.within[0]!, [
        ...stage.within.slice(1),
        ...node(`
require('node:net').connect(${port}, '127.0.0.1').on('data', (data) => process.stdout.write(data)).on('error', (error) => console.log(error.code))`),
      ]).toString()
    expect(ask(7392)).toBe('inside\n')
    cli.kill('SIGTERM')
    expect((await cli.exited).code).toBe(143)
    expect(ask(7392)).toBe('ECONNREFUSED\n')
  })

  it('resets connections to a published port on which the program does not listen', async () => {
    const cli = stage.run('root', ['sleep', '60'], { options: ['--verbose', '--publish', '7393'] })
    await cli.line(/listening on 127\.0\.0\.1:7393/)
    await cli.line(/connected to serve/)
    const source = `require('node:net').connect(7393, '127.0.0.1').on('error', (error) => console.log(error.code))`
    const [program, ...words] = [...stage.within, ...node(source)]
    expect(execFileSync(program!, words).toString()).toBe('ECONNRESET\n')
  })

  it('passes signals on, but not those of the terminal, which the program has got', async () => {
    const source = `
let heard = 0
process.on('SIGINT', () => heard++)
process.on('SIGTERM', () => { console.log(heard); process.exit(5) })
setInterval(() => {}, 1000)
console.log('up')`
    const cli = stage.run('root', node(source), { output: 'pipe', isGroup: true })
    let said = ''
    cli.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
    await once(cli.stdout, 'data')
    cli.kill('SIGINT')
    await delay(100)
    // As a terminal does.
    process.kill(-cli.pid, 'SIGINT')
    await delay(100)
    cli.kill('SIGTERM')
    expect((await cli.exited).code).toBe(5)
    expect(said).toBe('up\n2\n')
  })

  it('resets connections beyond --max-streams', async () => {
    const source = `
const { connect } = require('node:net')
let open = 0
const sockets = Array.from({ length: 5 }, () => connect(${PORTS.http}, '${IPV4}').on('error', (error) => {
  console.log(error.code)
  for (const socket of sockets) socket.destroy()
}))`
    const { out, lines } = await stage.exit('root', node(source), ['--max-streams', '4'])
    expect(out.toString()).toBe('ECONNRESET\n')
    expect(lines.join('\n')).toContain('has 4 connections: new ones are reset')
  })

  it('ends the program when it is killed', async () => {
    const cli = stage.run('root', ['sh', '-c', 'readlink /proc/self/ns/net; exec sleep 60'], {
      output: 'pipe',
    })
    const [said] = (await once(cli.stdout, 'data')) as [Buffer]
    const namespace = said.toString().trim()
    // The helper, what it hears the kernel by, and the program, once readlink is gone.
    await expect.poll(() => processesIn(namespace)).toHaveLength(3)
    cli.kill('SIGKILL')
    await cli.exited
    while (processesIn(namespace).length > 0) await delay(20)
  })

  it('ends the program where the far end has another token', async () => {
    const cli = stage.run('root', ['sleep', '60'], { options: ['--token-file', `${stage.folder}/hosts`] })
    const { code, lines } = await cli.exited
    expect([code, lines.join('\n')]).toEqual([1, expect.stringContaining('different token')])
  })

  it('leaves no helper behind where the namespace cannot be set up', async () => {
    const folder = join(stage.folder, 'bin')
    mkdirSync(folder)
    writeFileSync(join(folder, 'nft'), '#!/bin/sh\necho refused >&2\nexit 1\n', { mode: 0o755 })
    const within = [...stage.within, 'env', `PATH=${folder}:${env.PATH}`]
    for (let start = 0; start < 5; start++) {
      const begunAt = performance.now()
      const cli = new CliProcess(['run', '--to', '127.0.0.1:1', '--', 'true'], { within })
      // A helper that was left would hold standard output.
      const { code, lines } = await cli.exited
      expect(performance.now() - begunAt).toBeLessThan(CLOSING_MS)
      expect([code, lines.join()]).toEqual([1, expect.stringContaining('refused')])
    }
  })

  it('names the setting that forbids namespaces, and the alternative', async () => {
    const child = spawn('unshare', [
      ...[
        '--user',
        '--map-root-user',
        'sh',
        '-c',
        'echo 0 >/proc/sys/user/max_net_namespaces; exec "$@"',
        'sh',
      ],
      ...[process.execPath, 'dist/cli/main.js', 'run', '--to', '127.0.0.1:1', 'true'],
    ])
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
    const [code] = (await once(child, 'close')) as [number]
    expect(code).toBe(1)
    expect(said).toMatch(
      /^multipath: no network namespace can be made: .*user\.max_net_namespaces = 0.*multipath socks\)$/m,
    )
  })
})
