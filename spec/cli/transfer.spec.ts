// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events'
import { describe, expect, it, vi } from 'vitest'
import { LiveSession } from '../../lib/cli/live/live-session.js'
import { Log } from '../../lib/cli/streams/log.js'
import { Transfer } from '../../lib/cli/transfer.js'
import { FakeCliIo } from '../support/fake-cli-io.js'
import { connectedPair } from '../support/pair.js'

const BYTES = 1_000_000

async function transferring(
  init: { sizeBytes?: number; isShown?: boolean; isQuiet?: boolean } = {},
): Promise<{
  lines: string[]
  shown: string[]
  send: () => Promise<void>
  /** What the peer sends, as it is read. */
  answer: () => Promise<void>
  transfer: Transfer
}> {
  const { near, far } = await connectedPair({ paths: 2 })
  far.on('error', () => {}).resume()
  near.on('error', () => {}).setScheduler('round-robin')
  const shown: string[] = []
  const io = Object.assign(new FakeCliIo(), { progress: (line: string) => void shown.push(line) })
  const log = new Log(io, { isJson: false, isVerbose: false, isQuiet: init.isQuiet ?? false })
  const live = new LiveSession({ conn: near, log, endsOf: () => undefined })
  const transfer = new Transfer({
    ...{ live, log, io, sizeBytes: init.sizeBytes, isShown: init.isShown ?? true },
  })
  const send = async (): Promise<void> => {
    near.write(Buffer.alloc(BYTES))
    await near.flushed()
  }
  const answer = async (): Promise<void> => {
    far.write('an answer')
    await once(near, 'data')
  }
  return { lines: io.lines, shown, send, answer, transfer }
}

describe('a transfer', () => {
  it('tells how much of a file is sent, the rate, the share of each path, and the time that is left', async () => {
    const { shown, send, transfer } = await transferring({ sizeBytes: 4 * BYTES })
    await send()
    await vi.waitUntil(() => /25 %.* left;/.test(shown.at(-1)!), 20_000)
    expect(shown.at(-1)).toMatch(
      /^sent 1 MB of 4 MB \(25 %\), [\d.]+ Mbit\/s, [\d.]+ s left; \S+.* \d+ %, \S+.* \d+ %$/,
    )
    transfer.end()
    expect(shown.at(-1)).toBe('')
  })

  it('is shown on the terminal that the answer is read on, until the answer comes', async () => {
    const { shown, send, answer, transfer } = await transferring()
    transfer.hideOnceReceived()
    await send()
    await vi.waitUntil(() => shown.at(-1)!.startsWith('sent 1 MB'), 20_000)
    await answer()
    expect(shown.at(-1)).toBe('')
    const count = shown.length
    await send()
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(shown).toHaveLength(count)
    transfer.end()
  })

  it('is summed up in one line', async () => {
    const { lines, send, transfer } = await transferring({ isShown: false })
    await send()
    transfer.end()
    expect(lines).toEqual([
      expect.stringMatching(/multipath: sent 1 MB \([\d.]+ Mbit\/s\) in [\d.]+ s; .* \d+ %, .* \d+ %$/),
    ])
  })

  it('of nothing says so', async () => {
    const { lines, transfer } = await transferring()
    transfer.end()
    expect(lines[0]).toMatch(/multipath: sent 0 B in [\d.]+ s$/)
  })

  it('is not mentioned where nothing shall be', async () => {
    const { lines, shown, send, transfer } = await transferring({ isShown: false, isQuiet: true })
    await send()
    transfer.end()
    expect([lines, shown]).toEqual([[], ['']])
  })
})
