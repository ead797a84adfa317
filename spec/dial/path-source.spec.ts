// SPDX-License-Identifier: Apache-2.0
/** A dialer whose paths are told of by a source. */
import { describe, expect, it, onTestFinished } from 'vitest'
import type { DialerOptions, PathSource, PathSourceListener } from '../../lib/index.js'
import { DialError, MultipathDialer, MultipathListener } from '../../lib/index.js'
import { ManualClock } from '../../lib/testing/manual-clock.js'
import type { MemoryPath } from '../support/memory-path.js'
import { memoryPaths } from '../support/memory-path.js'
import { readBytes, upCount } from '../support/pair.js'
import { pass, passUntil } from '../support/pass.js'
import { quiet, until } from '../support/turns.js'

/** Tells what the spec says. */
class ScriptedSource implements PathSource {
  listener: PathSourceListener | undefined
  watches = 0
  checks = 0
  onWatch: (listener: PathSourceListener) => void = () => {}

  watch(listener: PathSourceListener): () => void {
    this.watches++
    this.listener = listener
    process.nextTick(this.onWatch, listener)
    return () => {
      this.listener = undefined
    }
  }

  check(): void {
    this.checks++
  }
}

function sourced(options: DialerOptions = {}, count = 2) {
  const paths = memoryPaths(count)
  const { clock } = options
  const listener = new MultipathListener([paths[0]!.server], [], clock && { clock })
  const source = new ScriptedSource()
  const dialer = new MultipathDialer('there', source, options)
  onTestFinished(() => listener.close())
  const tells = (...told: readonly MemoryPath[]): void => {
    source.onWatch = (to) => {
      for (const path of told) to.add(path)
    }
  }
  /** A connection with `up` subflows. */
  const connect = async (up: number) => {
    const [near, far] = await Promise.all([dialer.dial(), listener.accept()])
    onTestFinished(() => {
      for (const conn of [near, far]) conn.on('error', () => {}).destroy()
    })
    await until(() => upCount(near) === up && upCount(far) === up)
    return { near, far }
  }
  return { paths: paths as [MemoryPath, MemoryPath], listener, source, dialer, tells, connect }
}

describe('a source of paths', () => {
  it('is watched while a dial is under way or a connection lives, and not otherwise', async () => {
    const { source, dialer, tells, connect, paths } = sourced()
    expect(source.watches).toBe(0)
    tells(...paths)
    const [one, two] = [await connect(2), await connect(2)]
    expect(source.watches).toBe(1)
    one.near.destroy()
    await quiet()
    expect(source.listener).toBeDefined()
    two.near.destroy()
    await until(() => source.listener === undefined)
    for (const path of paths) path.mode = 'refuse'
    await expect(dialer.dial()).rejects.toThrow()
    expect(source.watches).toBe(2)
    expect(source.listener).toBeUndefined()
  })

  it('adds paths to and removes them from live connections', async () => {
    const { source, tells, connect, paths } = sourced()
    tells(paths[0])
    const { near, far } = await connect(1)
    source.listener!.add(paths[1])
    await until(() => upCount(near) === 2 && upCount(far) === 2)
    const closed = new Promise((resolve) => near.once('subflow-close', resolve))
    source.listener!.remove('path 0')
    expect(await closed).toMatchObject({ label: 'path 0', reason: 'removed' })
    source.listener!.remove('never there')
    near.write('still there')
    expect(String(await readBytes(far, 11))).toBe('still there')
  })

  it('may be added beside others, while a connection lives or before, and is watched with them', async () => {
    const { source, dialer, tells, connect, paths } = sourced({}, 3)
    const [other, third] = [new ScriptedSource(), new ScriptedSource()]
    dialer.add(third)
    tells(paths[0])
    const { near } = await connect(1)
    dialer.add(other)
    expect([third.watches, other.watches]).toEqual([1, 1])
    other.listener!.add(paths[1])
    await until(() => upCount(near) === 2)
    other.listener!.remove('path 1')
    await until(() => upCount(near) === 1)
    near.destroy()
    await until(() => [source, other, third].every(({ listener }) => listener === undefined))
  })

  it('is waited for by a dial that knows no path yet', async () => {
    const { source, dialer, listener, paths } = sourced()
    const dialled = dialer.dial()
    await quiet()
    source.listener!.add(paths[1])
    const [near] = await Promise.all([dialled, listener.accept()])
    expect(near.subflows()).toMatchObject([{ label: 'path 1' }])
    near.destroy()
  })

  it('that tells of no path for the time of a handshake fails the dial', async () => {
    const clock = new ManualClock()
    const { source, dialer } = sourced({ clock, handshakeTimeoutMs: 3000 })
    const dialled = dialer.dial().catch((error: unknown) => error)
    await pass(clock, 2990)
    expect(source.listener).toBeDefined()
    expect(await passUntil(clock, dialled)).toMatchObject({
      multipathCode: 'ERR_MULTIPATH_FAIL_ON_ALL_DIALERS',
      message: 'no path to there: no path was found within 3000 ms',
      cause: { code: 'ERR_MULTIPATH_HANDSHAKE_TIMEOUT' },
    })
    expect(clock.now()).toBe(3000)
    expect(source.listener).toBeUndefined()
  })

  it('that the signal does not wait for is left', async () => {
    const { source, dialer } = sourced()
    const reason = new Error('enough')
    const limit = new AbortController()
    const dialled = dialer.dial({ signal: limit.signal })
    await quiet()
    limit.abort(reason)
    await expect(dialled).rejects.toBe(reason)
    expect(source.listener).toBeUndefined()
  })

  it('may tell of a path again that it had removed: what was begun before counts no more', async () => {
    const { source, dialer, listener, paths } = sourced()
    const [path] = paths
    path.mode = 'hang'
    source.onWatch = (to) => {
      to.add(path)
    }
    const dialling = dialer.dial()
    await until(() => path.dials === 1)
    source.listener!.add(paths[1])
    source.listener!.remove(path.label)
    path.mode = 'open'
    source.listener!.add(path)
    const [near, far] = await Promise.all([dialling, listener.accept()])
    onTestFinished(() => {
      for (const conn of [near, far]) conn.on('error', () => {}).destroy()
    })
    await until(() => upCount(near) === 2)
    expect(dialer.stats().map(({ failures }) => failures)).toEqual([0, 0])
  })

  it('that fails before it has told of any path fails the dial with its error', async () => {
    const { source, dialer } = sourced()
    const cause = new Error('no such name')
    source.onWatch = (to) => {
      to.failed(cause)
    }
    const error = await dialer.dial().catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(DialError)
    expect(error).toMatchObject({ message: 'no path to there: no such name', cause, failures: [] })
  })

  it('that throws where it is watched fails the dial, too', async () => {
    const { source, dialer } = sourced()
    const cause = new Error('broken')
    source.watch = () => {
      throw cause
    }
    await expect(dialer.dial()).rejects.toMatchObject({ cause })
  })

  it('that fails later changes nothing', async () => {
    const { source, tells, connect, paths } = sourced()
    tells(paths[0])
    const { near, far } = await connect(1)
    source.listener!.failed(new Error('for now'))
    near.write('still there')
    expect(String(await readBytes(far, 11))).toBe('still there')
  })

  it('is asked to look again when a dial fails, and when a subflow falls silent or closes', async () => {
    const clock = new ManualClock()
    const { source, dialer, listener, tells, paths } = sourced({ clock, keepAliveMs: 200, redialMinMs: 9000 })
    tells(...paths)
    for (const path of paths) path.mode = 'refuse'
    await expect(passUntil(clock, dialer.dial())).rejects.toBeInstanceOf(DialError)
    expect(source.checks).toBe(2)
    for (const path of paths) path.mode = 'open'
    const [near] = await passUntil(clock, Promise.all([dialer.dial(), listener.accept()]))
    await pass(clock, 500)
    expect([source.checks, upCount(near)]).toEqual([2, 2])
    const suspect = new Promise((resolve) => near.once('subflow-suspect', resolve))
    paths[1].mode = 'hang'
    paths[1].last.freeze()
    await passUntil(clock, suspect)
    expect(source.checks).toBe(3)
    paths[1].last.thaw()
    paths[1].last.cut()
    await pass(clock, 10)
    expect(source.checks).toBe(4)
    near.destroy()
  })

  it('is not asked when a connection ends in order', async () => {
    const { source, tells, connect, paths } = sourced()
    tells(...paths)
    const { near, far } = await connect(2)
    far.resume()
    near.resume().end()
    await until(() => near.closed && far.closed)
    expect(source.checks).toBe(0)
  })
})

describe('paths that are known from before', () => {
  it('serve the next dial at once, while the source is still looking', async () => {
    const { source, tells, connect, paths } = sourced()
    tells(paths[0])
    const first = await connect(1)
    first.near.destroy()
    await until(() => source.listener === undefined)
    tells()
    const { near } = await connect(1)
    expect(near.subflows()).toMatchObject([{ label: 'path 0' }])
    expect(source.watches).toBe(2)
  })

  it('are forgotten when they fail before the source has told of them again', async () => {
    const { source, dialer, tells, connect, paths } = sourced({ redialMinMs: 1 })
    tells(...paths)
    const first = await connect(2)
    first.near.destroy()
    await until(() => source.listener === undefined)
    paths[0].mode = 'refuse'
    paths[1].mode = 'refuse'
    tells(paths[1])
    await expect(dialer.dial()).rejects.toBeInstanceOf(DialError)
    expect(dialer.stats().map(({ label }) => label)).not.toContain('path 0')
  })

  it('lead where the source says now', async () => {
    const { source, tells, connect, paths } = sourced({ redialMinMs: 1 })
    tells(paths[0])
    const { near } = await connect(1)
    let dials = 0
    source.listener!.add({
      label: 'path 0',
      dial: (options) => {
        dials++
        return paths[1].dial(options)
      },
    })
    await quiet()
    expect([dials, near.paths().length, paths[0].dials]).toEqual([0, 1, 1])
    source.listener!.add({ label: 'another', dial: (options) => paths[1].dial(options) })
    await until(() => upCount(near) === 2)
    paths[0].last.cut()
    await until(() => upCount(near) === 1)
    await until(() => upCount(near) === 2)
    expect([dials, paths[0].dials]).toEqual([1, 1])
  })
})

describe('a path that a source takes back and brings again', () => {
  it('has spent what it had spent, and is paused if it was', async () => {
    const { source, dialer, tells, connect, paths } = sourced()
    tells(...paths)
    const { near, far } = await connect(2)
    dialer.setPathPolicy('path 0', { maxBytes: 1000 })
    dialer.setPathPolicy('path 1', { tier: 'backup' })
    near.write(Buffer.alloc(5000))
    await readBytes(far, 5000)
    dialer.pausePath('path 0')
    source.listener!.remove('path 0')
    await until(() => near.paths().length === 1)
    source.listener!.add(paths[0])
    await until(() => upCount(near) === 2)
    expect(near.paths().find(({ label }) => label === 'path 0')).toMatchObject({
      isPaused: true,
      maxBytes: 1000,
      spentBytes: 1000,
    })
  })

  it('while its last subflow still carries the connection joins beside it', async () => {
    const { source, tells, connect, paths } = sourced({ redialMinMs: 60_000 })
    tells(paths[0])
    const { near, far } = await connect(1)
    const closed = new Promise((resolve) => near.once('subflow-close', resolve))
    source.listener!.remove('path 0')
    expect(near.paths()).toMatchObject([{ state: 'leaving' }])
    source.listener!.add(paths[0])
    expect(await closed).toMatchObject({ reason: 'removed' })
    near.write('joined')
    expect(String(await readBytes(far, 6))).toBe('joined')
    expect(near.paths()).toMatchObject([{ label: 'path 0', state: 'up' }])
    source.listener!.add(paths[1])
    await until(() => upCount(near) === 2)
    paths[0].mode = 'refuse'
    paths[0].last.cut()
    await until(() => upCount(near) === 1)
    expect(near.paths()).toMatchObject([{ state: 'down' }, { state: 'up' }])
  })

  it('is remembered among so many at most', async () => {
    const { source, dialer, tells, connect, paths } = sourced()
    tells(paths[0])
    await connect(1)
    const bring = (label: string): void => {
      source.listener!.add({ label, dial: (options) => paths[1].dial(options) })
    }
    bring('old')
    dialer.pausePath('old')
    source.listener!.remove('old')
    for (let n = 0; n < 64; n++) {
      bring(`path of today ${n}`)
      source.listener!.remove(`path of today ${n}`)
    }
    bring('old')
    bring('path of today 1')
    const { near } = await connect(3)
    expect(near.paths().find(({ label }) => label === 'old')).toMatchObject({ isPaused: false })
  })

  it('gives way to one of the same name that was added by hand', async () => {
    const { source, dialer, tells, connect, paths } = sourced()
    tells(paths[0])
    const { near } = await connect(1)
    dialer.add(paths[1])
    await until(() => upCount(near) === 2)
    const { dials } = paths[1]
    source.listener!.add({ label: 'path 1', dial: () => Promise.reject(new Error('another')) })
    expect(near.paths()).toHaveLength(2)
    source.listener!.remove('path 1')
    await quiet()
    expect([upCount(near), paths[1].dials]).toEqual([2, dials])
  })
})
