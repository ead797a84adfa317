// SPDX-License-Identifier: Apache-2.0
/** What a service manager hands over, and what it is told. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { InheritedSockets } from '../../../lib/cli/streams/inherited-sockets.js'
import { freePorts } from '../../support/free-ports.js'
import { at, command, dial, echo } from '../../support/streams.js'
import { tempFiles } from '../../support/temp-files.js'

vi.setConfig({ testTimeout: 60_000 })

const MAIN = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))
const write = tempFiles()

/** Hands a listening socket over as descriptor 3, as systemd does: the process itself has the PID that is named. */
async function handedOver(
  args: readonly string[],
): Promise<{ port: number; lines: () => string; ended: Promise<unknown> }> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle
  const words = args.map((word) => word.replace('PORT', String(port)))
  const script = 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"'
  const child = spawn('sh', ['-c', script, process.execPath, MAIN, ...words], {
    stdio: ['ignore', 'ignore', 'pipe', fd],
    env: { ...process.env, MULTIPATH_TOKEN: 'a token that only specs know' },
  })
  let said = ''
  child.stderr!.on('data', (chunk: Buffer) => {
    said += String(chunk)
  })
  const ended = once(child, 'exit').then(([code]: unknown[]) => code)
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  server.close()
  return { port, lines: () => said, ended }
}

describe('a socket of the service manager', () => {
  it('is listened on in place of the port that has its address, and what came before is served', async () => {
    const there = await handedOver([
      'serve',
      '--listen',
      '127.0.0.1:PORT',
      '--allow',
      `echo=${at(await echo())}`,
    ])
    const [local] = await freePorts(1)
    // It may come before serve has begun.
    const here = command(['forward', '--to', at(there.port), '--local', `${local!}=echo`, '--once'])
    await here.line(/connected to serve/)
    const socket = await dial(local!)
    socket.end('by a socket of another')
    expect(await text(socket)).toBe('by a socket of another')
    expect(there.lines()).toContain(`listening on ${at(there.port)}`)
  })

  it('that no option names is an error', async () => {
    const [port] = await freePorts(1)
    const there = await handedOver(['serve', '--listen', at(port!), '--allow', 'a:1'])
    expect(await there.ended).toBe(2)
    expect(there.lines()).toContain(`the service manager hands over ${at(there.port)}, which no option names`)
  })

  it('of another process is left alone, and none is passed on to programs', () => {
    const env = { LISTEN_FDS: '1', LISTEN_PID: '1', LISTEN_FDNAMES: 'x', OTHER: 'y' }
    const sockets = new InheritedSockets(env, 2)
    expect(sockets.take({ host: '127.0.0.1', port: 1 })).toBeUndefined()
    expect(env).toEqual({ OTHER: 'y' })
  })

  it('has to be one of TCP', () => {
    expect(() => new InheritedSockets({ LISTEN_FDS: '250', LISTEN_PID: '7' }, 7)).toThrow(
      /descriptor \d+ .* is not a TCP socket/,
    )
  })
})

describe('readiness', () => {
  it('is told by systemd-notify once all ports are open', async () => {
    const program = write('systemd-notify', '#!/bin/sh\necho "$@" >> "$TOLD"\n')
    chmodSync(program, 0o755)
    const told = join(dirname(program), 'told')
    const path = `${dirname(program)}:${process.env['PATH']!}`
    const env = {
      PATH: path,
      TOLD: told,
      NOTIFY_SOCKET: '/run/none',
      MULTIPATH_TOKEN: 'a token that only specs know',
    }
    const running = command(['serve', '--listen', '127.0.0.1:0', '--allow', 'a:1'], { env })
    await running.line(/listening on/)
    await vi.waitFor(() => expect(existsSync(told) && readFileSync(told, 'utf8')).toBe('--ready\n'), {
      timeout: 10_000,
    })
  })

  it('that cannot be told is a warning, and the command goes on', async () => {
    const env = {
      PATH: '/nowhere',
      NOTIFY_SOCKET: '/run/none',
      MULTIPATH_TOKEN: 'a token that only specs know',
    }
    const running = command(['serve', '--listen', '127.0.0.1:0', '--allow', 'a:1'], { env })
    await running.line(/cannot tell the service manager that it is ready: .*systemd-notify/)
    running.kill('SIGTERM')
    expect((await running.exited).code).toBe(0)
  })
})
