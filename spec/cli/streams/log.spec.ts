// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Log } from '../../../lib/cli/streams/log.js'
import { FakeCliIo } from '../../support/fake-cli-io.js'

describe('a log', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => void vi.useRealTimers())

  it('sums up what comes too often: the rest of an event is one line after 10 s, and other events go on', () => {
    const io = new FakeCliIo()
    const log = new Log(io, { isJson: false, isVerbose: false })
    for (let n = 0; n < 9180; n++) log.warn('client-refused', `refused ${n}`)
    log.warn('listen-failed', 'no port')
    expect(io.lines).toHaveLength(21)
    expect(io.lines.at(-1)).toMatch(/^\d\d:\d\d:\d\d multipath: no port$/)
    vi.advanceTimersByTime(10_000)
    expect(io.lines.at(-1)).toMatch(/ multipath: refused 9179 \(9160 similar lines were left out\)$/)
    log.warn('client-refused', 'another')
    expect(io.lines.at(-1)).toMatch(/ multipath: another$/)
    vi.advanceTimersByTime(20_000)
    expect(io.lines).toHaveLength(23)
  })

  it('says at the end what it has left out, as JSON with its number', () => {
    const io = new FakeCliIo()
    const log = new Log(io, { isJson: true, isVerbose: false })
    for (let n = 0; n < 21; n++) log.info('session', 'come')
    log.close()
    expect(JSON.parse(io.lines.at(-1)!)).toMatchObject({
      event: 'session',
      message: 'come (one similar line was left out)',
      leftOut: 1,
    })
    expect(io.lines).toHaveLength(21)
  })
})
