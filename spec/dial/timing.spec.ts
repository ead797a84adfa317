// SPDX-License-Identifier: Apache-2.0
import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { withAny } from '../../lib/dial/timing.js'

describe('work that several signals may end', () => {
  const listeners = (signals: readonly AbortSignal[]): number =>
    signals.reduce((sum, signal) => sum + getEventListeners(signal, 'abort').length, 0)

  it('is ended by any of them, with its reason', async () => {
    for (const which of [0, 1]) {
      const controllers = [new AbortController(), new AbortController()]
      const signals = controllers.map(({ signal }) => signal)
      const work = withAny(
        signals,
        (signal) =>
          new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
      )
      controllers[which]!.abort(new Error(`signal ${which}`))
      await expect(work).rejects.toThrow(`signal ${which}`)
      expect(listeners(signals)).toBe(0)
    }
  })

  it('knows at once of one that has been aborted before', async () => {
    const signals = [AbortSignal.abort(new Error('before')), new AbortController().signal]
    expect(await withAny(signals, async ({ reason }) => String(reason))).toBe('Error: before')
  })

  it('leaves nothing behind, however often it is done', async () => {
    const signals = [new AbortController().signal, new AbortController().signal]
    for (let n = 0; n < 100; n++) await withAny(signals, () => Promise.resolve())
    expect(listeners(signals)).toBe(0)
  })
})
