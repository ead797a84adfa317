// SPDX-License-Identifier: Apache-2.0
/** `multipath up` as its users run it: parts in one process, what is seen of them, and SIGHUP. */
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { connect as tlsConnect } from 'node:tls'
import { describe, expect, it, vi } from 'vitest'
import type { Status } from '../../../lib/cli/live/status.js'
import { CERTIFICATE, CLIENT_CERTIFICATE, FINGERPRINT } from '../../support/certificate.js'
import type { CliProcess } from '../../support/cli-process.js'
import { freePorts } from '../../support/free-ports.js'
import { at, command, dial, echo, ending, forward, serve } from '../../support/streams.js'
import { tempFiles } from '../../support/temp-files.js'

vi.setConfig({ testTimeout: 60_000 })

const write = tempFiles()
const ENV = { XDG_RUNTIME_DIR: join(write('marker', ''), '..') }
let files = 0

interface Up {
  readonly cli: CliProcess
  readonly file: string
  /** Writes the file anew, and has it read. */
  readonly reload: (config: object) => Promise<void>
  readonly status: () => Promise<Status>
}

/** `config` as JSON, which is YAML. */
function up(config: object): Up {
  const file = write(`up-${files++}.yaml`, JSON.stringify(config))
  const env = { MULTIPATH_TOKEN: 'a token that only specs know', ...ENV }
  const cli = command(['up', file], { env })
  const reload = async (next: object): Promise<void> => {
    const known = cli.lines.length
    writeFileSync(file, JSON.stringify(next))
    cli.kill('SIGHUP')
    await vi.waitFor(
      () => expect(cli.lines.slice(known).join()).toMatch(/is read again|nothing is changed/),
      {
        timeout: 20_000,
      },
    )
  }
  const status = async (): Promise<Status> => {
    const { out } = await command(['status', '--json', '-t', String(cli.pid)], { env }).exited
    return JSON.parse(out.toString()) as Status
  }
  return { cli, file, reload, status }
}

/** Bytes that run through `socket` and back, the first by now, until it is stopped. @returns what stops them, and how many came back */
async function talking(socket: Socket): Promise<() => Promise<{ sent: number; received: number }>> {
  let [sent, received] = [0, 0]
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length
  })
  const timer = setInterval(() => {
    socket.write(Buffer.alloc(1000, sent % 251))
    sent += 1000
  }, 5)
  await once(socket, 'data')
  return async () => {
    clearInterval(timer)
    socket.end()
    await once(socket, 'close')
    return { sent, received }
  }
}

describe('up', () => {
  it('runs serve, forward and socks in one process: all are seen together, and a signal ends all in good order', async () => {
    const [first, second, local, proxy, metrics] = await freePorts(5)
    const to = [at(first!), at(second!)]
    const { cli, status } = up({
      serve: { listen: to, allow: `echo=${at(await echo())}` },
      forward: { to, local: `${local!}=echo` },
      socks: { to, listen: proxy },
      metrics,
    })
    await cli.line(/forward: connected to serve/)
    await cli.line(/socks: connected to serve/)
    await cli.line(new RegExp(`socks: listening on ${at(proxy!)}`))
    const socket = await dial(local!)
    socket.write('hello')
    const [answer] = (await once(socket, 'data')) as [Buffer]
    expect(String(answer)).toBe('hello')
    const { command: name, sessions, streamCount } = await status()
    expect(name).toBe('up')
    expect(sessions.map(({ part }) => part).toSorted()).toEqual(['forward', 'serve', 'serve', 'socks'])
    expect(streamCount).toBe(2)
    const page = await (await fetch(`http://${at(metrics!)}/metrics`)).text()
    expect(page).toContain('multipath_sessions 4')
    socket.end()
    await once(socket, 'close')
    cli.kill('SIGTERM')
    expect((await cli.exited).code).toBe(0)
  })

  it('checks the whole file before anything starts', async () => {
    const { cli } = up({ serve: { listen: '127.0.0.1:0', allow: 'a:1' }, forward: { to: 'gw', local: 8 } })
    const { code, lines } = await cli.exited
    expect([code, lines.length]).toEqual([2, 2])
    expect(lines.join()).not.toContain('listening')
  })

  it('ends as the part does that fails first, and stops the others', async () => {
    const [nobody] = await freePorts(1)
    const { cli } = up({
      serve: { listen: '127.0.0.1:0', allow: 'a:1' },
      forward: { to: at(nobody!), local: '0=web', once: true },
    })
    const { code, lines } = await cli.exited
    expect(code).toBe(1)
    expect(lines.at(-1)).toMatch(/^multipath: forward: .*(ECONNREFUSED|refused)/)
  })
})

describe('SIGHUP', () => {
  it('changes paths under a stream whose bytes run on: the path that stays is neither dialled again nor resent on', async () => {
    const [second, third] = await freePorts(2)
    const there = await serve([
      '--listen',
      at(second!),
      '--listen',
      at(third!),
      '--allow',
      `echo=${at(await echo())}`,
      '--suspect-ms',
      '10000',
    ])
    const [local] = await freePorts(1)
    // A busy machine must not look like a path that is silent.
    const patient = { 'suspect-ms': 10_000 }
    const config = (...to: string[]): object => ({
      forward: { to, local: `${local!}=echo`, ...patient },
      verbose: true,
    })
    const { cli, reload, status } = up(config(at(there.port), at(second!)))
    for (const port of [there.port, second!]) await cli.line(new RegExp(`${at(port)}: open`))
    const stop = await talking(await dial(local!))
    await reload(config(at(there.port), `${at(third!)},label=third,tier=secondary`))
    await cli.line(/third: open/)
    await reload(config(at(there.port), `${at(third!)},label=third,tier=backup`))
    const { sessions } = await status()
    const paths = sessions[0]!.paths.map(({ label, tier, state }) => [label, tier, state])
    expect(paths).toEqual([
      [at(there.port), 'primary', 'up'],
      ['third', 'backup', 'up'],
    ])
    const { sent, received } = await stop()
    expect(received).toBe(sent)
    const after = await status()
    expect(after.sessions.map(({ id }) => id)).toEqual(sessions.map(({ id }) => id))
    expect(after.sessions[0]!.paths[0]!.resentBytes).toBe(0)
    const opened = cli.lines.filter((line) => line.includes(`${at(there.port)}: open`))
    expect(opened).toHaveLength(1)
    expect(cli.lines.filter((line) => line.includes('connected to serve'))).toHaveLength(1)
  })

  it('changes the rules and the certificate of serve: new streams see them, an open one goes on', async () => {
    const [port, first, second] = await freePorts(3)
    const other = new X509Certificate(CLIENT_CERTIFICATE.cert).fingerprint256
    const cert = write('cert.pem', CERTIFICATE.cert)
    const key = write('key.pem', CERTIFICATE.key)
    const place = at(await echo())
    const config = (allow: string): object => ({
      serve: { listen: at(port!), allow, 'tls-cert': cert, 'tls-key': key },
      forward: {
        ...{ to: at(port!), local: [`${first!}=a`, `${second!}=b`] },
        'tls-fingerprint': [FINGERPRINT, other],
      },
    })
    const { cli, reload } = up(config(`a=${place}`))
    await cli.line(/forward: connected to serve/)
    const stop = await talking(await dial(first!))
    write('cert.pem', CLIENT_CERTIFICATE.cert)
    write('key.pem', CLIENT_CERTIFICATE.key)
    await reload(config(`b=${place}`))
    const allowed = await dial(second!)
    allowed.end('now')
    expect(await text(allowed)).toBe('now')
    const refused = await dial(first!)
    refused.resume()
    refused.write('anybody?')
    await new Promise((resolve) => refused.once('close', resolve))
    await cli.line(/refused a: no --allow defines it/)
    const shown = tlsConnect({ port: port!, host: '127.0.0.1', rejectUnauthorized: false })
    await once(shown, 'secureConnect')
    expect(shown.getPeerCertificate().fingerprint256).toBe(other)
    shown.destroy()
    const { sent, received } = await stop()
    expect(received).toBe(sent)
    expect(cli.lines.filter((line) => line.includes('forward: connected to serve'))).toHaveLength(1)
  })

  it('opens and closes local ports, and tells of what needs a new start', async () => {
    const there = await serve(['--allow', `echo=${at(await echo())}`])
    const [first, second] = await freePorts(2)
    const config = (local: number, hold: number): object => ({
      forward: { to: at(there.port), local: `${local}=echo`, hold },
    })
    const { cli, reload } = up(config(first!, 60))
    await cli.line(/connected to serve/)
    const stop = await talking(await dial(first!))
    await reload(config(second!, 30))
    await cli.line(/changes that need a new start: forward: hold/)
    await expect(dial(first!)).rejects.toThrow(/ECONNREFUSED/)
    const socket = await dial(second!)
    socket.end('by the new port')
    expect(await text(socket)).toBe('by the new port')
    const { sent, received } = await stop()
    expect(received).toBe(sent)
  })

  it('knows parts again by their ports, in whatever order they stand', async () => {
    const [open, closed] = await freePorts(2)
    const target = await echo()
    const parts = [
      { listen: at(open!), allow: `echo=${at(target)}` },
      { listen: at(closed!), allow: 'nothing=127.0.0.1:9' },
    ]
    const { cli, reload } = up({ serve: parts })
    await cli.line(/listening on/)
    await reload({ serve: parts.toReversed() })
    const here = await forward(closed!, 'echo')
    expect(await ending(await dial(here.port))).toBe('ECONNRESET')
    const other = await forward(open!, 'echo')
    const socket = await dial(other.port)
    socket.end('by its own rules')
    expect(await text(socket)).toBe('by its own rules')
    expect(cli.lines.join()).not.toContain('need a new start')
  })

  it('gives each of several forwards its own new target', async () => {
    const there = await serve(['--allow', `a=${at(await echo())}`, '--allow', 'b=127.0.0.1:9'])
    const [first, second] = await freePorts(2)
    const parts = (one: string, other: string): object[] => [
      { to: at(there.port), local: `${first!}=${one}` },
      { to: at(there.port), local: `${second!}=${other}` },
    ]
    const { cli, reload } = up({ forward: parts('b', 'b') })
    await cli.line(/forward 2: connected to serve/)
    await reload({ forward: parts('b', 'a').toReversed() })
    const socket = await dial(second!)
    socket.end('led anew')
    expect(await text(socket)).toBe('led anew')
    expect(await ending(await dial(first!))).toBe('ECONNRESET')
  })

  it('changes nothing of a serve whose port changes', async () => {
    const [port, next] = await freePorts(2)
    const place = at(await echo())
    const { cli, reload } = up({ serve: { listen: at(port!), allow: 'nothing=127.0.0.1:9' } })
    await cli.line(/listening on/)
    await reload({ serve: { listen: at(next!), allow: `echo=${place}` } })
    await cli.line(/changes that need a new start: serve: listen, serve: allow/)
    const here = await forward(port!, 'echo')
    expect(await ending(await dial(here.port))).toBe('ECONNRESET')
  })

  it('changes nothing where the file has a mistake', async () => {
    const there = await serve(['--allow', `echo=${at(await echo())}`])
    const [local] = await freePorts(1)
    const config = { forward: { to: at(there.port), local: `${local!}=echo` } }
    const { cli, reload } = up(config)
    await cli.line(/connected to serve/)
    await reload({ forward: { ...config.forward, locale: 1 } })
    await cli.line(/nothing is changed: .*unknown key "locale" \(did you mean local\?\)/)
    const socket = await dial(local!)
    socket.end('as before')
    expect(await text(socket)).toBe('as before')
  })
})
