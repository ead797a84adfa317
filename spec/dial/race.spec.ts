// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import type { MultipathConn } from '../../lib/index.js'
import { DialError, MultipathDialer } from '../../lib/index.js'
import { ManualClock } from '../../lib/testing/manual-clock.js'
import { MemoryStream } from '../support/memory-path.js'
import { catchUncaught } from '../support/outside.js'
import { connectedPair, meeting, upCount } from '../support/pair.js'
import { pass, passUntil } from '../support/pass.js'
import { quiet, until } from '../support/turns.js'

/** Some libraries do. */
function throwText(): never {
  // eslint-disable-next-line @typescript-eslint/only-throw-error -- what it is about
  throw 'text'
}

/** Virtual milliseconds until `work` is done, to the step. */
async function timeOf(clock: ManualClock, work: Promise<MultipathConn>): Promise<number> {
  const startedAt = clock.now()
  const conn = await passUntil(clock, work)
  conn.on('error', () => {})
  return clock.now() - startedAt
}

describe('a dead or silent first path', () => {
  it('costs the head start where it does not open', async () => {
    const clock = new ManualClock()
    const { dialer, paths } = meeting({ paths: 3, dialer: { clock, headStartMs: 100 } })
    paths[0]!.mode = 'hang'
    expect(await timeOf(clock, dialer.dial())).toBe(100)
  })

  it('costs nothing where it refuses', async () => {
    const clock = new ManualClock()
    const { dialer, paths } = meeting({ paths: 3, dialer: { clock } })
    paths[0]!.mode = 'refuse'
    expect(await timeOf(clock, dialer.dial())).toBe(0)
  })

  it('costs no more than a third of a second where it opens and stays silent', async () => {
    const clock = new ManualClock()
    const { dialer, paths } = meeting({ paths: 3, dialer: { clock } })
    paths[0]!.mode = 'mute'
    expect(await timeOf(clock, dialer.dial())).toBe(300)
  })

  it('is alone where it is alive, so that other paths are not opened before', async () => {
    const clock = new ManualClock()
    const { dialer, paths } = meeting({ paths: 2, dialer: { clock } })
    const dialled = dialer.dial()
    await until(() => paths[0]!.streams.length === 1)
    expect(paths[1]!.dials).toBe(0)
    await passUntil(clock, dialled)
  })
})

describe('the order of the paths', () => {
  it('begins with a dialer whose RTT is known, the lowest first', async () => {
    const clock = new ManualClock()
    const { dialer, paths } = meeting({ paths: 3, dialer: { clock, redialRetries: 0 } })
    paths[0]!.mode = 'refuse'
    paths[1]!.mode = 'refuse'
    await passUntil(clock, dialer.dial())
    expect(dialer.stats().map(({ label }) => label)).toEqual(['path 2', 'path 0', 'path 1'])
    const dialsBefore = paths[0]!.dials
    const again = dialer.dial()
    await until(() => paths[2]!.dials === 2)
    expect(paths[0]!.dials).toBe(dialsBefore)
    await passUntil(clock, again)
  })
})

describe('the hello that asks for a connection', () => {
  it('is said on one subflow, and the rest join with the CID it brings', async () => {
    const { near, far, listener } = await connectedPair({ paths: 6 })
    expect(listener.connections).toBe(1)
    expect(upCount(near)).toBe(6)
    expect(upCount(far)).toBe(6)
  })

  it('is said on the next subflow only when the last has stayed silent', async () => {
    const clock = new ManualClock()
    const { dialer, listener, paths } = meeting({ paths: 3, dialer: { clock, headStartMs: 0 } })
    for (const path of paths) path.mode = 'mute'
    const heard = paths.map(() => 0)
    const limit = new AbortController()
    const dialled = dialer.dial({ signal: limit.signal })
    await pass(clock, 10)
    paths.forEach((path, index) => {
      path.last.peer.on('data', (hello: Buffer) => {
        heard[index]! += hello.length
      })
    })
    await quiet()
    expect(heard).toEqual([17, 0, 0])
    await pass(clock, 280)
    expect(heard).toEqual([17, 0, 0])
    await pass(clock, 20)
    expect(heard).toEqual([17, 17, 0])
    // The first fails only now: the second has had no time to answer.
    paths[0]!.last.cut()
    await pass(clock, 280)
    expect(heard).toEqual([17, 17, 0])
    await pass(clock, 20)
    expect(heard).toEqual([17, 17, 17])
    expect(listener.connections).toBe(0)
    limit.abort()
    await expect(dialled).rejects.toThrow()
  })

  it('is said on the next subflow at once when the last has failed', async () => {
    const clock = new ManualClock()
    const { dialer, paths } = meeting({ paths: 2, dialer: { clock, headStartMs: 0 } })
    paths[0]!.mode = 'mute'
    const dialled = dialer.dial()
    await pass(clock, 10)
    paths[0]!.last.cut()
    expect(await timeOf(clock, dialled)).toBe(0)
  })

  it('is waited for longer on a path that took long to open', async () => {
    const clock = new ManualClock()
    const { dialer, paths } = meeting({ paths: 2, dialer: { clock } })
    paths[0]!.mode = 'mute'
    paths[0]!.delay = () =>
      new Promise((resolve) => {
        clock.callAt(clock.now() + 400, () => {
          resolve()
        })
      })
    paths[1]!.delay = async () => new Promise((resolve) => clock.callAt(clock.now() + 600, resolve))
    expect(await timeOf(clock, dialer.dial())).toBe(1600)
  })

  it('is waited for longer while our own process stands still, and its answer read before that counts', async () => {
    const clock = new ManualClock()
    const { dialer, listener, paths } = meeting({ paths: 2, dialer: { clock, headStartMs: 0 } })
    paths[0]!.mode = 'mute'
    const dialled = dialer.dial()
    await pass(clock, 250)
    // The answer lies in the socket; no timer and no read happens for a second.
    paths[0]!.server.emit('connection', paths[0]!.last.peer)
    clock.stall(1000)
    clock.advance(0)
    const conn = await passUntil(clock, dialled)
    await pass(clock, 2000)
    expect(listener.connections).toBe(1)
    expect(conn.subflows().map(({ label }) => label)[0]).toBe('path 0')
    conn.destroy()
  })

  it('makes one connection for the application of the peer, however many it was said on', async () => {
    const clock = new ManualClock()
    const { dialer, listener, paths } = meeting({ paths: 3, dialer: { clock }, listener: { clock } })
    const accepted: MultipathConn[] = []
    void (async () => {
      for await (const conn of listener) accepted.push(conn.on('error', () => {}))
    })()
    for (const path of paths) path.mode = 'mute'
    const dialled = dialer.dial()
    await pass(clock, 1000)
    // A machine that was slow gets to all of them at once.
    for (const path of paths) {
      path.server.emit('connection', path.last.peer)
      path.mode = 'open'
    }
    const conn = await passUntil(clock, dialled)
    await pass(clock, 1000)
    expect(accepted).toHaveLength(1)
    expect(listener.connections).toBe(1)
    expect(upCount(conn)).toBe(3)
    conn.destroy()
  })

  it('wins on a slow first path, too, when its answer comes before another one', async () => {
    const clock = new ManualClock()
    const { dialer, paths, listener } = meeting({ paths: 2, dialer: { clock } })
    paths[1]!.mode = 'hang'
    const dialled = dialer.dial()
    await until(() => paths[0]!.streams.length === 1)
    paths[0]!.last.freeze()
    await pass(clock, 2000)
    paths[0]!.last.thaw()
    const conn = await passUntil(clock, dialled)
    expect(listener.connections).toBe(1)
    conn.destroy()
  })

  it('on a loser leaves no socket behind', async () => {
    const clock = new ManualClock()
    const { dialer, paths } = meeting({ paths: 2, dialer: { clock, headStartMs: 0 } })
    paths[0]!.mode = 'mute'
    const dialled = dialer.dial()
    await until(() => paths[0]!.streams.length === 1)
    const loser = paths[0]!.last
    const conn = await passUntil(clock, dialled)
    await until(() => loser.destroyed)
    // Its hello was cut off by the winner, not by its path.
    await quiet()
    for (const { failures } of dialer.stats()) expect(failures).toBe(0)
    conn.destroy()
    await pass(clock, 4000)
    expect(paths.flatMap(({ live }) => live)).toEqual([])
  })
})

describe('a dial that fails', () => {
  it('is one error with a code and the cause of each path, by label', async () => {
    const clock = new ManualClock()
    const { dialer, paths } = meeting({ paths: 3, dialer: { clock, handshakeTimeoutMs: 2000 } })
    paths[0]!.mode = 'hang'
    paths[1]!.mode = 'refuse'
    paths[2]!.mode = 'mute'
    const error = await passUntil(clock, dialer.dial()).catch((thrown: unknown) => thrown as DialError)
    expect(error).toBeInstanceOf(DialError)
    const { multipathCode, failures, message, cause } = error as DialError
    expect(multipathCode).toBe('ERR_MULTIPATH_FAIL_ON_ALL_DIALERS')
    const causes = Object.fromEntries(failures.map(({ label, error: { message: text } }) => [label, text]))
    expect(causes).toEqual({
      'path 0': 'not connected within 2000 ms',
      'path 1': 'path 1 refused',
      'path 2': 'no handshake within 2000 ms',
    })
    expect(message).toContain('path 1: path 1 refused')
    expect((cause as AggregateError).errors).toHaveLength(3)
    expect(paths.flatMap(({ live }) => live)).toEqual([])
    expect(paths[0]!.aborts).toBe(1)
  })

  it.each([
    ['another version', '01' + '11'.repeat(16), 'ERR_MULTIPATH_UNEXPECTED_VERSION'],
    ['a CID of zeros', '00'.repeat(17), 'ERR_MULTIPATH_UNEXPECTED_CID'],
  ])('says so where the peer answers with %s', async (_what, answer, code) => {
    const { dialer, paths } = meeting()
    paths[0]!.mode = 'mute'
    const dialled = dialer.dial()
    await until(() => paths[0]!.streams.length === 1)
    paths[0]!.last.peer.write(Buffer.from(answer, 'hex'))
    await expect(dialled).rejects.toMatchObject({ failures: [{ error: { code } }] })
    expect(paths[0]!.last.destroyed).toBe(true)
  })

  it('says so where the peer closes during the handshake', async () => {
    const { dialer, paths } = meeting()
    paths[0]!.mode = 'mute'
    const dialled = dialer.dial()
    await until(() => paths[0]!.streams.length === 1)
    paths[0]!.last.peer.end()
    await expect(dialled).rejects.toMatchObject({
      failures: [{ error: { code: 'ERR_MULTIPATH_HANDSHAKE' } }],
    })
  })

  it.each([
    [
      'throws',
      () => {
        throw new TypeError('thrown')
      },
    ],
    ['throws no error', throwText],
    ['brings no stream', () => Promise.resolve(undefined)],
    ['brings something else', () => Promise.resolve({ on: 'x' })],
  ])('says so where a dialer of the application %s', async (_what, dial) => {
    const caught = catchUncaught()
    const dialer = new MultipathDialer('x', [{ label: 'own', dial: dial as never }])
    await expect(dialer.dial()).rejects.toMatchObject({ failures: [{ label: 'own' }] })
    await quiet()
    expect(caught).toEqual({ exceptions: [], rejections: [] })
  })
})

describe('an aborted dial', () => {
  const reason = new Error('enough')

  it('rejects with the reason before anything is opened', async () => {
    const { dialer, paths } = meeting()
    await expect(dialer.dial({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(paths[0]!.dials).toBe(0)
  })

  it('aborts what is opening, and closes what is open', async () => {
    const clock = new ManualClock()
    const { dialer, paths } = meeting({ paths: 3, dialer: { clock, headStartMs: 0 } })
    paths[0]!.mode = 'mute'
    paths[1]!.mode = 'mute'
    paths[2]!.mode = 'hang'
    const limit = new AbortController()
    const dialled = dialer.dial({ signal: limit.signal })
    await pass(clock, 50)
    limit.abort(reason)
    await expect(dialled).rejects.toBe(reason)
    expect(paths[2]!.aborts).toBe(1)
    expect(paths.flatMap(({ live }) => live)).toEqual([])
  })

  it.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15])(
    'leaves nothing behind when the abort comes after %i turns',
    async (turns) => {
      const { dialer, paths, listener } = meeting({ paths: 3, dialer: { headStartMs: 0 } })
      const limit = new AbortController()
      const dialled = dialer.dial({ signal: limit.signal }).then(
        (conn) => conn,
        () => undefined,
      )
      await quiet(turns)
      limit.abort(reason)
      const conn = await dialled
      conn?.destroy()
      await until(() => paths.every(({ live }) => live.length === 0))
      await until(() => listener.connections === 0 && listener.pendingHandshakes === 0)
    },
  )

  it('ends also where the dialer of the application does not mind its signal', async () => {
    const [near, far] = MemoryStream.pair()
    let bring: (stream: MemoryStream) => void = () => {}
    const late = new Promise<MemoryStream>((resolve) => {
      bring = resolve
    })
    const dialer = new MultipathDialer('x', [{ label: 'deaf', dial: () => late }])
    const limit = new AbortController()
    const dialled = dialer.dial({ signal: limit.signal })
    limit.abort(reason)
    await expect(dialled).rejects.toBe(reason)
    bring(near)
    await once(far.resume(), 'end')
    expect(near.destroyed).toBe(true)
  })

  it('after the connection stands is none', async () => {
    const { dialer, listener } = meeting()
    const limit = new AbortController()
    const near = await dialer.dial({ signal: limit.signal })
    limit.abort(reason)
    const far = await listener.accept()
    near.end('alive')
    await once(far.resume(), 'end')
    expect(far.bytesRead).toBe(5)
  })
})

describe('a stream that opened and waits for its turn', () => {
  it('may fail without hurting the process', async () => {
    const caught = catchUncaught()
    const clock = new ManualClock()
    const { dialer, paths } = meeting({ paths: 3, dialer: { clock, headStartMs: 0 } })
    paths[0]!.mode = 'mute'
    const dialled = dialer.dial()
    await pass(clock, 10)
    paths[1]!.last.cut()
    const conn = await passUntil(clock, dialled)
    await pass(clock, 1000)
    expect(upCount(conn)).toBe(2)
    expect(caught).toEqual({ exceptions: [], rejections: [] })
    conn.destroy()
  })
})

describe('a hello and an error in the same turn', () => {
  it('fail the dial or the connection, never the process', async () => {
    const caught = catchUncaught()
    const [near, far] = MemoryStream.pair()
    const dialer = new MultipathDialer('x', [{ label: 'own', dial: () => Promise.resolve(near) }])
    far.on('data', () => {
      near.push(Buffer.from(`00${'11'.repeat(16)}`, 'hex'))
      near.destroy(new Error('gone'))
    })
    const conn = await dialer.dial().catch(() => undefined)
    conn?.on('error', () => {})
    await quiet()
    expect(caught).toEqual({ exceptions: [], rejections: [] })
  })
})
