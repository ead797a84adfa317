// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { connectedPair, readBytes } from '../support/pair.js'
import { quiet } from '../support/turns.js'

const KIB = 1024
const TIGHT = { maxUnackedBytes: 64 * KIB, sendBufferBytes: 64 * KIB, maxUnreadBytes: 64 * KIB }

describe('limits of a connection that stands', () => {
  it('hold what comes and is not read, until they are raised; nothing is lost', async () => {
    const { near, far, dialer, listener } = await connectedPair({ listener: TIGHT })
    const lump = Buffer.alloc(1024 * KIB, 7)
    near.write(lump)
    await quiet()
    // What its own stream holds, and a frame more, comes on top.
    const held = (): number => lump.length - near.unflushedBytes
    expect(held()).toBeLessThanOrEqual(256 * KIB)
    far.setLimits({ maxUnreadBytes: 8192 * KIB })
    expect((await readBytes(far, lump.length)).equals(lump)).toBe(true)
    near.write(lump)
    await quiet()
    expect(near.unflushedBytes).toBe(0)
    // Another one of the same listener has its own.
    const [second, other] = await Promise.all([dialer.dial(), listener.accept()])
    second.write(lump)
    await quiet()
    expect(second.unflushedBytes).toBeGreaterThan(512 * KIB)
    for (const end of [second, other]) end.on('error', () => {}).destroy()
  })

  it('hold what is written, until they are raised', async () => {
    const { far } = await connectedPair({ dialer: TIGHT, listener: TIGHT })
    let isTaken = false
    far.write(Buffer.alloc(512 * KIB), () => (isTaken = true))
    await quiet()
    expect(isTaken).toBe(false)
    far.setLimits({ sendBufferBytes: 1024 * KIB })
    await quiet()
    expect(isTaken).toBe(true)
  })

  it('are refused where they are no limits, or out of range', async () => {
    const { far } = await connectedPair()
    expect(() => far.setLimits({ maxUnreadBytes: 0 })).toThrow(
      expect.objectContaining({ code: 'ERR_MULTIPATH_OPTION' }),
    )
    expect(() => far.setLimits({ maxSubflows: 3 } as never)).toThrow(/maxSubflows/)
  })
})
