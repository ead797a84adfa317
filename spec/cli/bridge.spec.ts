// SPDX-License-Identifier: Apache-2.0
import { PassThrough, Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { bridge } from '../../lib/cli/bridge.js'
import type { LocalEnd } from '../../lib/cli/local-end.js'
import { connectedPair } from '../support/pair.js'
import { patternAt } from '../support/pattern.js'
import { until } from '../support/turns.js'

const BYTES = 1 << 20
const OPTIONS = { idleMs: 0, quietMs: 1000 }

function programEnd(output: PassThrough, mayStopReading: boolean): LocalEnd {
  return {
    inputName: 'the output of the program',
    outputName: 'the program',
    input: Readable.from([]),
    output,
    isMute: false,
    mayStopReading,
    graceMs: 1000,
    isGone: () => output.destroyed,
    finished: () => Promise.resolve(),
    abort: () => output.destroy(),
  }
}

/** Bridges what `near` sends into a program that takes its input with it, without an error on it. */
async function bridged(mayStopReading: boolean): Promise<void> {
  const { near, far } = await connectedPair()
  const output = new PassThrough()
  // A reset, where the program may not stop reading.
  near.on('error', () => {}).end(patternAt(1, 0, BYTES))
  near.resume()
  const over = bridge(far, programEnd(output, mayStopReading), OPTIONS, new AbortController().signal)
  await until(() => output.writableNeedDrain)
  output.destroy()
  return over
}

describe('a bridge whose program closes its input without an error', () => {
  it('reads on to the end of the connection where the program may stop reading', async () => {
    await expect(bridged(true)).resolves.toBeUndefined()
  })

  it('fails where it may not', async () => {
    await expect(bridged(false)).rejects.toThrow(
      'the program was closed before all received data was written to it',
    )
  })
})
