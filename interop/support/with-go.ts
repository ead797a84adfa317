// SPDX-License-Identifier: Apache-2.0
/** Describes specs that need Go: skipped without it, failing without it where CI=true. */
import { afterAll, afterEach, beforeAll, describe, it } from 'vitest'
import { goVersion } from './build-peer.js'
import { GoPeer } from './go-peer.js'

const WITHOUT_GO = 'Go is not installed: the specs that need a Go peer are skipped (https://go.dev/dl/)'

/** `body` gets a function that gives the Go peer of this block; it is one process for the whole block. */
export function describeWithGo(title: string, body: (go: () => GoPeer) => void): void {
  const hasGo = goVersion() !== undefined
  if (!hasGo && process.env['CI'] !== 'true') {
    console.warn(WITHOUT_GO)
    it.skipIf(!hasGo)(`${title}: needs Go, which is not installed`, () => undefined)
    return
  }
  describe(title, () => {
    let peer: GoPeer | undefined
    beforeAll(async () => {
      if (!hasGo) throw new Error('Go is not installed, and with CI=true the interop specs have to run')
      peer = await GoPeer.start()
    })
    afterEach(({ task }) => {
      if (task.result?.state === 'fail' && peer?.stderr) console.error(peer.stderr)
    })
    afterAll(async () => {
      await peer?.[Symbol.asyncDispose]()
    })
    body(() => peer!)
  })
}

export type Side = 'Node' | 'Go'

/** Each direction of dialling over 1, 3 and 6 paths. */
export const CASES: ReadonlyArray<{ dials: Side; listens: Side; paths: number }> = [1, 3, 6].flatMap(
  (paths) => [
    { dials: 'Node' as const, listens: 'Go' as const, paths },
    { dials: 'Go' as const, listens: 'Node' as const, paths },
  ],
)
