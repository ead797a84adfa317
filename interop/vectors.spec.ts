// SPDX-License-Identifier: Apache-2.0
/** The stored vectors are still what the Go peer sends. */
import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { captureVectors } from './support/capture.js'
import { describeWithGo } from './support/with-go.js'

/** A Go listener makes up its connection IDs: those differ from one capture to the next. */
const withoutMadeUpIds = (content: object): object => {
  const { listener, ...rest } = content as { listener?: { firstAnswer: string; joinAnswer: string } }
  if (listener === undefined) return rest
  expect(listener.joinAnswer).toBe(listener.firstAnswer)
  return { ...rest, listener: { ...listener, firstAnswer: '', joinAnswer: '' } }
}

describeWithGo('The stored vectors', (go) => {
  it('are what the Go peer sends', async () => {
    for (const [name, content] of Object.entries(await captureVectors(go()))) {
      const stored = JSON.parse(
        await readFile(new URL(`./vectors/${name}.json`, import.meta.url), 'utf8'),
      ) as object
      expect(withoutMadeUpIds(content)).toEqual(withoutMadeUpIds(stored))
    }
  })
})
