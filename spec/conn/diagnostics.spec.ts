// SPDX-License-Identifier: Apache-2.0
import { subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { DialMessage, DiagnosticsMessages, MultipathConn } from '../../lib/index.js'
import { ManualClock } from '../../lib/testing/manual-clock.js'
import { connectedPair, meeting, upCount } from '../support/pair.js'
import { pass, passUntil } from '../support/pass.js'
import { until } from '../support/turns.js'

type Name = Exclude<keyof DiagnosticsMessages, 'multipath:dial'>

/** What is published on a channel until the test ends. */
function published<Of extends Name>(name: Of): DiagnosticsMessages[Of][] {
  const messages: DiagnosticsMessages[Of][] = []
  const listener = (message: unknown): void => void messages.push(message as DiagnosticsMessages[Of])
  subscribe(name, listener)
  onTestFinished(() => void unsubscribe(name, listener))
  return messages
}

function labelsOf(messages: readonly { conn: MultipathConn }[], conn: MultipathConn): string[] {
  return messages
    .filter((message) => message.conn === conn)
    .map((message) => JSON.stringify(message, visible))
}

function visible(name: string, value: unknown): unknown {
  return ['', 'change', 'label', 'reason'].includes(name) ? value : undefined
}

describe('diagnostics channels', () => {
  it('tell of each subflow that opens and closes, on both sides', async () => {
    const opened = published('multipath:subflow:open')
    const closed = published('multipath:subflow:close')
    const { near, far, paths } = await connectedPair({ paths: 2, dialer: { redialMinMs: 60_000 } })
    paths[1]!.mode = 'refuse'
    paths[1]!.last.cut()
    await until(() => upCount(near) === 1 && upCount(far) === 1)
    expect(labelsOf(opened, near)).toEqual(['{"change":{"label":"path 0"}}', '{"change":{"label":"path 1"}}'])
    expect(labelsOf(opened, far)).toHaveLength(2)
    expect(labelsOf(closed, near)).toEqual(['{"change":{"label":"path 1","reason":"failed"}}'])
    expect(labelsOf(closed, far)).toHaveLength(1)
    near.destroy()
  })

  it('tell of a subflow that is suspect, and that has recovered', async () => {
    const suspect = published('multipath:subflow:suspect')
    const recovered = published('multipath:subflow:recovered')
    const clock = new ManualClock()
    const { dialer, listener, paths } = meeting({ paths: 1, dialer: { clock }, listener: { clock } })
    const [near] = await passUntil(clock, Promise.all([dialer.dial(), listener.accept()]))
    paths[0]!.last.freeze()
    near.write('something to be acked')
    paths[0]!.mode = 'hang'
    for (let ms = 0; suspect.length === 0 && ms < 5000; ms += 10) await pass(clock, 10)
    paths[0]!.last.thaw()
    await pass(clock, 100)
    expect(recovered.map(({ conn }) => conn)).toContain(near)
    expect(suspect.find(({ conn }) => conn === near)!.change).toMatchObject({ from: 'up', state: 'suspect' })
    near.destroy()
  })

  it('tell of a connection that is suspended, and resumes', async () => {
    const suspended = published('multipath:connection:suspended')
    const resumed = published('multipath:connection:resumed')
    const { near, paths } = await connectedPair({ paths: 1, dialer: { redialMinMs: 1 } })
    paths[0]!.last.cut()
    await until(() => resumed.some(({ conn }) => conn === near))
    expect(suspended.filter(({ conn }) => conn === near)).toEqual([{ conn: near }])
    expect(resumed.find(({ conn }) => conn === near)!.durationMs).toBeGreaterThanOrEqual(0)
    near.destroy()
  })

  it('trace each dial, with its error', async () => {
    const traced: [string, DialMessage][] = []
    const tell =
      (name: string) =>
      (message: object): void =>
        void traced.push([name, message as DialMessage])
    const channel = tracingChannel('multipath:dial')
    const names = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const
    const listeners = Object.fromEntries(names.map((name) => [name, tell(name)])) as never
    channel.subscribe(listeners)
    onTestFinished(() => {
      channel.unsubscribe(listeners)
    })
    const { dialer, paths } = meeting({ paths: 1 })
    const near = await dialer.dial()
    expect(traced.map(([name]) => name)).toEqual(['start', 'end', 'asyncStart', 'asyncEnd'])
    expect(traced[0]![1]).toMatchObject({ dialer, conn: near })
    near.destroy()
    paths[0]!.mode = 'refuse'
    traced.length = 0
    const failed = await dialer.dial().catch((error: unknown) => error)
    expect(traced.find(([name]) => name === 'error')![1].error).toBe(failed)
  })
})
