// SPDX-License-Identifier: Apache-2.0
/** What is read of the streams of a connection, and when. */
import { PassThrough } from 'node:stream'
import { expect, it, onTestFinished } from 'vitest'
import { READ_STOP } from '../../lib/conn/driver-ports.js'
import { SubflowIo } from '../../lib/conn/subflow-io.js'
import { ManualClock } from '../../lib/testing/manual-clock.js'
import { MemoryStream } from '../support/memory-path.js'
import { connectedPair, readBytes } from '../support/pair.js'
import { pass } from '../support/pass.js'
import { quiet, until } from '../support/turns.js'

/** A hello, and the pong that every dialer says with the answer. */
const HELLO = Buffer.concat([Buffer.alloc(17), Buffer.of(0, 1)])
/** 8,192 pings. */
const PINGS = Buffer.alloc(16_384)

it('reads a stream only once all who wanted it unread want it read', () => {
  const stream = new PassThrough()
  const io = new SubflowIo(stream, { onBytes: ({ length }) => length, onDrain: () => {}, onClosed: () => {} })
  expect(stream.isPaused()).toBe(false)
  io.stopReading(READ_STOP.reader)
  io.stopReading(READ_STOP.abuse)
  io.resumeReading(READ_STOP.reader)
  expect(stream.isPaused()).toBe(true)
  io.resumeReading(READ_STOP.abuse)
  expect(stream.isPaused()).toBe(false)
})

/** Friends of a listener, and floods of pings that come to it. */
async function flooded(floods: number) {
  const clock = new ManualClock()
  const options = { clock, maxWasteBytesPerSecond: 262_144 }
  const pair = await connectedPair({ dialer: { clock }, listener: options })
  pair.far.pipe(pair.far)
  const pongs: number[] = []
  for (let n = 0; n < floods; n++) {
    const [flood, far] = MemoryStream.pair()
    pongs.push(0)
    flood.on('data', (bytes: Buffer) => (pongs[n]! += bytes.length / 2))
    pair.paths[0]!.server.emit('connection', far)
    flood.write(HELLO)
    const conn = await pair.listener.accept()
    for (let m = 0; m < 20; m++) flood.write(PINGS)
    await until(() => far.isPaused())
    await quiet()
    onTestFinished(() => {
      conn.destroy()
      flood.destroy()
    })
  }
  return { clock, pongs, friend: pair.near }
}

it('reads no more of a flood of pings than is allowed, answers those, and serves others meanwhile', async () => {
  const { clock, pongs, friend } = await flooded(1)
  const [answered = 0] = pongs
  // 4,096 are free, and as many come each second.
  expect(answered).toBeGreaterThanOrEqual(4096)
  expect(answered).toBeLessThan(4096 + 256)
  friend.write('still here?')
  expect(String(await readBytes(friend, 11))).toBe('still here?')
  await pass(clock, 1000, 5)
  expect(pongs[0]).toBeGreaterThan(answered + 4096 * 0.8)
  expect(pongs[0]).toBeLessThan(answered + 4096 * 1.2)
})

it('reads each of several floods the more slowly', async () => {
  const { clock, pongs } = await flooded(2)
  const before = [...pongs]
  await pass(clock, 1000, 5)
  const each = pongs.map((count, n) => count - before[n]!)
  for (const count of each) {
    expect(count).toBeGreaterThan(4096 / 4)
    expect(count).toBeLessThan(4096 / 2)
  }
})
