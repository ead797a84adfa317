// SPDX-License-Identifier: Apache-2.0
/** How `multipath serve`, `forward` and `socks` end, and what they leave behind. */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, it, vi } from 'vitest'
import { freePorts } from '../../support/free-ports.js'
import type { Listening } from '../../support/streams.js'
import { at, command, dial, echo, ending, forward, serve, target } from '../../support/streams.js'

vi.setConfig({ testTimeout: 60_000 })

/** A stream from end to end, that has carried something. */
interface Open {
  readonly there: Listening
  readonly here: Listening
  readonly near: Socket
  readonly far: Socket
}

async function open(args: { serve?: readonly string[]; forward?: readonly string[] } = {}): Promise<Open> {
  let far: Socket | undefined
  const port = await target((socket) => {
    far = socket
    socket.write('hello')
  })
  const there = await serve(['--allow', `t=${at(port)}`, ...(args.serve ?? [])])
  const here = await forward(there.port, 't', args.forward)
  const near = await dial(here.port)
  await once(near, 'readable')
  near.resume()
  far!.resume()
  return { there, here, near, far: far! }
}

describe('a kill of', () => {
  it('serve resets what was open as soon as serve is back, and forward gets a new session', async () => {
    const port = await echo()
    const there = await serve(['--allow', at(port)])
    const here = await forward(there.port, at(port))
    const socket = await dial(here.port)
    socket.write('x')
    await once(socket, 'data')
    there.cli.kill('SIGKILL')
    command(['serve', '--listen', at(there.port), '--allow', at(port)])
    expect(await ending(socket)).toBe('ECONNRESET')
    await here.cli.line(/the session has ended: .*restarted/)
    // It waits for the session.
    const next = await dial(here.port)
    next.end('again')
    expect(await text(next)).toBe('again')
  })

  it('forward resets what was open at the other end, and serve lives on', async () => {
    const { there, here, near, far } = await open({ serve: ['--hold', '0'] })
    here.cli.kill('SIGKILL')
    expect(await ending(far)).toBe('ECONNRESET')
    near.destroy()
    await there.cli.line(/has disconnected/)
    there.cli.kill('SIGTERM')
    expect((await there.cli.exited).code).toBe(0)
  })
})

describe('a signal', () => {
  it.each(['serve', 'forward'] as const)(
    'to %s lets open streams end, and it exits with 0',
    async (which) => {
      const { there, here, near, far } = await open()
      const { cli } = which === 'serve' ? there : here
      cli.kill('SIGTERM')
      await cli.line(/stopped by SIGTERM: waiting for 1 stream to end/)
      far.write('still')
      await once(near, 'data')
      near.end()
      far.end()
      expect((await cli.exited).code).toBe(0)
      expect(await ending(near)).toBe('closed')
    },
  )

  it.each(['serve', 'forward'] as const)(
    'to %s cuts streams short after --drain, and says so',
    async (which) => {
      const { there, here, near, far } = await open({ [which]: ['--drain', '0'] })
      const { cli } = which === 'serve' ? there : here
      cli.kill('SIGTERM')
      const { code, lines } = await cli.exited
      expect(code).toBe(143)
      expect(lines).toContain('multipath: stopped by SIGTERM, with 1 stream cut short')
      expect(await ending(near)).toBe('ECONNRESET')
      expect(await ending(far)).toBe('ECONNRESET')
    },
  )

  it('that comes twice ends at once', async () => {
    const { here } = await open()
    here.cli.kill('SIGINT')
    await here.cli.line(/waiting for 1 stream /)
    here.cli.kill('SIGINT')
    expect((await here.cli.exited).code).toBe(130)
  })

  it('ends a client that never had a session', async () => {
    const [nobody] = await freePorts(1)
    const cli = command(['socks', '--to', at(nobody!), '--listen', '0'])
    await cli.line(/no session/)
    cli.kill('SIGTERM')
    expect((await cli.exited).code).toBe(0)
  })
})

describe('while there is no session', () => {
  it('a connection waits so long as it was told, and is reset then', async () => {
    const [nobody] = await freePorts(1)
    const cli = command(['forward', '--to', at(nobody!), '--local', '0=web', '--wait', '0.2'])
    const [, port] = await cli.line(/listening on \S+:(\d+)/)
    expect(await ending(await dial(Number(port)))).toBe('ECONNRESET')
    await cli.line(/web: unavailable/)
  })
})
