// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import { AllowList, placeOf } from '../../../lib/cli/streams/allow-list.js'
import type { Resolve } from '../../../lib/cli/streams/dial-target.js'
import { dialTarget, TargetError } from '../../../lib/cli/streams/dial-target.js'
import { parseAllowed, parseRange } from '../../../lib/cli/streams/parse-rules.js'
import { freePorts } from '../../support/free-ports.js'
import { echo } from '../../support/streams.js'

const TIMEOUT_MS = 20_000

/** Allows `name` at `port`, also where it leads to loopback. */
function allowing(port: number, name = 'there.example'): AllowList {
  const privateRanges = [parseRange('127.0.0.1')]
  return new AllowList({
    places: [parseAllowed(`${name}:${port}`)],
    rules: [],
    privateRanges,
    isOwn: () => false,
  })
}

/** Each call is given the next of `answers`. */
function resolver(...answers: string[][]): { resolve: Resolve; asked: string[] } {
  const asked: string[] = []
  const resolve: Resolve = async (host) => {
    asked.push(host)
    return answers[asked.length - 1]!.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
  }
  return { resolve, asked }
}

async function refusal(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(TargetError)
  return (error as TargetError).refusal
}

describe('dialTarget', () => {
  it('asks for a name once, and dials what was checked', async () => {
    const port = await echo()
    // Whoever asked a second time would be led to another address.
    const { resolve, asked } = resolver(['127.0.0.1'], ['127.0.0.2'])
    const place = placeOf('there.example', port)!
    const socket = await dialTarget(place, { permission: allowing(port), timeoutMs: TIMEOUT_MS, resolve })
    onTestFinished(() => void socket.destroy())
    expect(asked).toEqual(['there.example'])
    expect(socket.remoteAddress).toBe('127.0.0.1')
    socket.write('hello')
    expect(String((await once(socket, 'data'))[0])).toBe('hello')
  })

  it('leaves out what no rule allows, of what a name leads to', async () => {
    const port = await echo()
    const options = { permission: allowing(port), timeoutMs: TIMEOUT_MS }
    const place = placeOf('there.example', port)!
    const { resolve } = resolver(['10.0.0.1', '127.0.0.2', '127.0.0.1'], ['10.0.0.1'], [])
    const socket = await dialTarget(place, { ...options, resolve })
    expect(socket.remoteAddress).toBe('127.0.0.1')
    socket.destroy()
    // The peer is not to learn which names exist here.
    const forbidden = dialTarget(place, { ...options, resolve })
    expect(await refusal(forbidden)).toBe('not-found')
    await expect(forbidden).rejects.toMatchObject({
      isForbidden: true,
      message: 'it resolves to 10.0.0.1, which no rule allows',
    })
    expect(await refusal(dialTarget(place, { ...options, resolve }))).toBe('not-found')
  })

  it('says that an address is not allowed, which tells nothing', async () => {
    const { resolve } = resolver()
    const options = { permission: allowing(80), timeoutMs: TIMEOUT_MS, resolve }
    expect(await refusal(dialTarget(placeOf('10.0.0.1', 80)!, options))).toBe('not-allowed')
  })

  it('asks no name server for what no rule could allow', async () => {
    const { resolve, asked } = resolver()
    const place = placeOf('secret.example', 80)!
    const work = dialTarget(place, { permission: allowing(80), timeoutMs: TIMEOUT_MS, resolve })
    expect(await refusal(work)).toBe('not-allowed')
    expect(asked).toEqual([])
  })

  it('tells apart why there is no connection', async () => {
    const [nobody] = await freePorts(1)
    const place = placeOf('there.example', nobody!)!
    const permission = allowing(nobody!)
    const failing =
      (code: string): Resolve =>
      () =>
        Promise.reject(Object.assign(new Error(code), { code }))
    const dial = (resolve: Resolve, timeoutMs = TIMEOUT_MS): Promise<string> =>
      refusal(dialTarget(place, { permission, timeoutMs, resolve }))
    expect(await dial(resolver(['127.0.0.1']).resolve)).toBe('refused')
    expect(await dial(failing('ENOTFOUND'))).toBe('not-found')
    expect(await dial(failing('EAI_AGAIN'))).toBe('not-found')
    expect(await dial(failing('ESOMETHING'))).toBe('failed')
    expect(await dial(() => new Promise(() => {}), 1)).toBe('timeout')
  })

  it('ends when nobody wants it any more', async () => {
    const left = new AbortController()
    const permission = allowing(80)
    const resolve: Resolve = () => {
      left.abort()
      return new Promise(() => {})
    }
    const place = placeOf('there.example', 80)!
    const work = dialTarget(place, { permission, timeoutMs: TIMEOUT_MS, resolve, signal: left.signal })
    expect(await refusal(work)).toBe('failed')
  })
})
